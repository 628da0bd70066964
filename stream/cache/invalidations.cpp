#include <sluice/cache/invalidations.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <sluice/stream/connection.hpp>
#include <sluice/wire/asio_errors.hpp>

#include "cache/invalidation_feed.hpp"

namespace sluice {

namespace {

/// Beside what it hears with, a second coroutine sends probes.
class notifications_feed final : public detail::invalidation_feed {
 public:
  notifications_feed(sluice::conninfo info, const std::shared_ptr<detail::cache_core>& to,
                     const invalidation_options& options)
      : invalidation_feed{to, {options.backoff, std::max(options.max_backoff, options.backoff)}},
        info_{std::move(info)},
        options_{options},
        channels_{std::string{options.channel}},
        probe_pause_{to->executor()} {
    std::random_device random;
    mark_ = "sluice probe " + std::to_string((std::uint64_t{random()} << 32U) | random()) + ' ';
  }

  static void begin(const std::shared_ptr<notifications_feed>& self) {
    constexpr std::size_t longest_name = 63;  // LISTEN would cut it off, and NOTIFY refuse it
    if (self->options_.channel.size() > longest_name)
      throw error{errc::bad_query, "the name of a channel has 63 bytes at most"};
    const notifications checked{self->info_, self->channels_, self->options_.listen};  // throws for a bad channel
    invalidation_feed::begin(self);
    if (self->options_.probe_interval.count() <= 0) return;
    try {
      asio::co_spawn(self->executor(), probe(self), asio::detached);
    } catch (...) {
      self->leave();
      throw;
    }
  }

  [[nodiscard]] bool is_listening() const noexcept override {
    return invalidation_feed::is_listening() && news_ && news_->is_complete();
  }

 private:
  asio::awaitable<void> hear_on() override {
    news_.emplace(info_, channels_, options_.listen);
    co_await news_->listen();
    if (is_over()) co_return;
    hears_now();
    while (!is_over()) {
      const listen_event event = co_await news_->next();
      if (is_over()) break;
      if (event.is == listen_event::kind::gap)
        hears_now();
      else
        hear(event.what.payload);
    }
  }

  /// Ends its pending call, and what is sent and waited for.
  void unplug() noexcept override {
    news_.reset();
    if (!is_over()) return;
    probe_pause_.cancel();
    sending_.emit(asio::cancellation_type::terminal);
  }

  void hear(std::string_view payload) {
    if (!payload.starts_with(mark_)) {
      invalidate(payload);
    } else if (payload.substr(mark_.size()) == std::to_string(probes_)) {
      is_answered_ = true;
      probe_pause_.cancel();
    }
  }

  static asio::awaitable<void> probe(std::shared_ptr<notifications_feed> self) {
    while (!self->is_over()) {
      co_await wait(self, self->options_.probe_interval);
      if (self->is_over() || !self->is_listening()) continue;
      ++self->probes_;
      self->is_answered_ = false;
      if (!self->is_sending_) send(self);
      if (!self->is_answered_) co_await wait(self, self->options_.probe_timeout);
      if (self->is_over() || self->is_answered_ || !self->is_listening()) continue;
      self->deafen("a notification that was sent as a probe did not arrive");
    }
  }
  static asio::awaitable<void> wait(std::shared_ptr<notifications_feed> self, std::chrono::milliseconds time) {
    self->probe_pause_.expires_after(time);
    wire::asio_code ignored;
    co_await self->probe_pause_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }

  static void send(const std::shared_ptr<notifications_feed>& self) {
    self->is_sending_ = true;
    const auto done = [self](const std::exception_ptr& failed) {
      self->is_sending_ = false;
      if (failed) self->prober_.reset();
    };
    asio::co_spawn(self->executor(), send_one(self), asio::bind_cancellation_slot(self->sending_.slot(), done));
  }
  static asio::awaitable<void> send_one(std::shared_ptr<notifications_feed> self) {
    if (!self->prober_) {
      asio::awaitable<connection> connecting = connect(self->info_, self->options_.listen.connection);
      self->prober_ = co_await std::move(connecting);
    }
    const query what = sql("select pg_catalog.pg_notify($1, $2)", self->channels_.front(),
                           self->mark_ + std::to_string(self->probes_));
    const query_options limits{.timeout = self->options_.probe_timeout};
    asio::awaitable<command_result> sent = self->prober_->execute(what, limits);
    (void)co_await std::move(sent);
  }

  sluice::conninfo info_;
  invalidation_options options_;
  std::vector<std::string> channels_;  // one
  std::string mark_;                   // with which the payloads of probes begin
  std::optional<notifications> news_;
  std::optional<connection> prober_;
  asio::steady_timer probe_pause_;
  asio::cancellation_signal sending_;
  std::uint64_t probes_{0};
  bool is_answered_{false};
  bool is_sending_{false};
};

std::shared_ptr<detail::invalidation_feed> feed_of_notifications(conninfo info,
                                                                 const std::shared_ptr<detail::cache_core>& to,
                                                                 const invalidation_options& options) {
  auto made = std::make_shared<notifications_feed>(std::move(info), to, options);
  notifications_feed::begin(made);
  return made;
}

}  // namespace

invalidations::invalidations(std::string_view conninfo, const result_cache& to, const invalidation_options& options)
    : invalidations{sluice::conninfo::parse(conninfo), to, options} {}
invalidations::invalidations(sluice::conninfo info, const result_cache& to, const invalidation_options& options)
    : feed_{feed_of_notifications(std::move(info), to.held(), options)} {}
invalidations::invalidations(std::shared_ptr<detail::invalidation_feed> made) noexcept : feed_{std::move(made)} {}

invalidations invalidations::by_changes(std::string_view conninfo, const result_cache& to,
                                        const change_invalidation_options& how) {
  return by_changes(sluice::conninfo::parse(conninfo), to, how);
}
invalidations invalidations::by_changes(sluice::conninfo info, const result_cache& to,
                                        const change_invalidation_options& how) {
  return invalidations{detail::feed_of_changes(std::move(info), to.held(), how)};
}

invalidations::invalidations(invalidations&&) noexcept = default;
invalidations& invalidations::operator=(invalidations&& other) noexcept {
  if (this == &other) return *this;
  leave();
  feed_ = std::move(other.feed_);
  return *this;
}
invalidations::~invalidations() { leave(); }

void invalidations::leave() noexcept {
  const std::shared_ptr<detail::invalidation_feed> was = std::move(feed_);
  if (was != nullptr) was->leave();
}

bool invalidations::is_listening() const noexcept { return feed_ != nullptr && feed_->is_listening(); }
std::string invalidations::last_failure() const { return feed_ == nullptr ? std::string{} : feed_->last_failure(); }

}  // namespace sluice
