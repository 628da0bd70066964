// A feed of invalidations from a change stream.
#include <algorithm>
#include <cstdint>
#include <exception>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <sluice/stream/changes.hpp>
#include "transport/deadline.hpp"

#include "cache/invalidation_feed.hpp"

namespace sluice::detail {

namespace {

/// As `query::relation_name` has it.
std::string tag_part(std::string_view name) {
  const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  const bool begins_with_digit = !name.empty() && name.front() >= '0' && name.front() <= '9';
  if (std::ranges::all_of(name, is_plain) && !begins_with_digit) return std::string{name};
  std::string quoted{"\""};
  for (const char c : name) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

/// The coroutine holds a reference, because the owner may be destroyed while it waits.
class changes_feed final : public invalidation_feed {
 public:
  changes_feed(conninfo where, std::shared_ptr<cache_core> to, const change_invalidation_options& how)
      : where_{std::move(where)}, to_{std::move(to)}, how_{how}, pause_{to_->executor()} {
    for (const relation_tags& each : how_.tags) {
      std::vector<std::string>& of = more_[each.relation];
      of.insert(of.end(), each.tags.begin(), each.tags.end());
    }
  }

  static void begin(const std::shared_ptr<changes_feed>& self) {
    if (self->how_.publications.empty()) throw error{errc::bad_query, "no publication was named"};
    self->to_->listen_with(*self);
    try {
      asio::co_spawn(self->to_->executor(), run(self),
                     asio::bind_cancellation_slot(self->stop_.slot(), asio::detached));
    } catch (...) {
      self->leave();
      throw;
    }
  }

  [[nodiscard]] bool is_listening() const noexcept override { return hears_; }
  [[nodiscard]] const std::string& last_failure() const noexcept override { return failure_; }

  void leave() noexcept override {
    is_over_ = true;
    hears_ = false;
    stop_.emit(asio::cancellation_type::terminal);  // what it waits for
    to_->forget_ear();
  }

 private:
  static asio::awaitable<void> run(std::shared_ptr<changes_feed> self) {
    const wire::back_off from_the_start{self->how_.backoff, std::max(self->how_.max_backoff, self->how_.backoff)};
    wire::back_off pauses = from_the_start;
    while (!self->is_over_) {
      self->has_listened_ = false;
      try {
        co_await follow_on(self);
        self->deafen("the server has ended the change stream");
      } catch (const std::exception& why) {
        self->deafen(why.what());
      }
      if (self->is_over_) break;
      if (self->has_listened_) pauses = from_the_start;
      self->pause_.expires_after(pauses.next());
      std::error_code ignored;
      co_await self->pause_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
  }

  /// Ends with an exception, or when the owner is gone.
  static asio::awaitable<void> follow_on(std::shared_ptr<changes_feed> self) {
    change_options how = self->options();
    asio::awaitable<change_stream> following = follow(self->where_, std::move(how));
    change_stream changes = co_await std::move(following);
    if (self->is_over_) co_return;
    self->has_listened_ = self->hears_ = true;
    self->to_->hears_now();
    while (!self->is_over_) {
      asio::awaitable<change_chunk> more = changes.next();
      const change_chunk some = co_await std::move(more);
      if (self->is_over_ || !some) break;
      self->hear(some);
      if (!self->is_over_) changes.acknowledge(some.last());
    }
  }

  /// A temporary slot: an empty cache has no use for changes from before, and an abandoned slot would keep the
  /// server's log.
  [[nodiscard]] change_options options() {
    std::random_device random;
    const std::uint64_t number = (std::uint64_t{random()} << 32U) | random();
    return {.slot = "sluice_cache_" + std::to_string(number),
            .publications = how_.publications,
            .create = slot_creation::temporary,
            .status_interval = how_.status_interval,
            .connection = how_.connection};
  }

  void hear(const change_chunk& some) {
    seen_.clear();
    for (const change each : some) {
      if (is_over_) return;  // an observer may have ended it
      switch (each.operation()) {
        case operation::insert:
        case operation::update:
        case operation::remove:
        case operation::truncate: changed(each.relation()); break;
        case operation::message:
          if (each.prefix() == how_.message_prefix) said(each.text());
          break;
        case operation::begin:
        case operation::commit:
        case operation::schema:
        case operation::snapshot: break;
      }
    }
  }

  /// Once for all of its rows that have arrived: between these nobody has been served.
  void changed(const changed_relation& what) {
    if (std::ranges::find(seen_, what.id) != seen_.end()) return;
    seen_.push_back(what.id);
    const std::string name = tag_part(what.name);
    to_->invalidate(name);
    to_->invalidate(tag_part(what.schema) + '.' + name);
    if (const auto more = more_.find(what.qualified_name()); more != more_.end())
      for (const std::string& tag : more->second) to_->invalidate(tag);
  }

  void said(std::string_view tag) {
    if (tag.empty())
      to_->invalidate_all();
    else
      to_->invalidate(tag);
  }

  void deafen(std::string_view why) {
    hears_ = false;
    if (is_over_) return;
    failure_ = why;
    to_->is_deaf();
  }

  conninfo where_;
  std::shared_ptr<cache_core> to_;
  change_invalidation_options how_;
  std::map<std::string, std::vector<std::string>, std::less<>> more_{};  // tags by relation
  asio::steady_timer pause_;
  asio::cancellation_signal stop_;
  std::vector<std::uint32_t> seen_{};  // relations of the current chunk
  std::string failure_{};
  bool hears_{false};
  bool has_listened_{false};
  bool is_over_{false};
};

}  // namespace

std::shared_ptr<invalidation_feed> feed_of_changes(conninfo where, std::shared_ptr<cache_core> to,
                                                   const change_invalidation_options& how) {
  auto made = std::make_shared<changes_feed>(std::move(where), std::move(to), how);
  changes_feed::begin(made);
  return made;
}

}  // namespace sluice::detail
