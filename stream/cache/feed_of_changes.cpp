// A feed of invalidations from a change stream.
#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <asio/awaitable.hpp>

#include <sluice/stream/changes.hpp>
#include <sluice/stream/query.hpp>

#include "cache/invalidation_feed.hpp"
#include "query/quoting.hpp"

namespace sluice::detail {

namespace {

/// As `query::relation_name` has it.
std::string tag_part(std::string_view name) {
  return is_plain_identifier(name) ? std::string{name} : quote_identifier(name);
}

class changes_feed final : public invalidation_feed {
 public:
  changes_feed(conninfo where, std::shared_ptr<cache_core> to, const change_invalidation_options& how)
      : invalidation_feed{std::move(to), {how.backoff, std::max(how.max_backoff, how.backoff)}},
        where_{std::move(where)},
        how_{how} {
    if (how_.publications.empty()) throw error{errc::bad_query, "no publication was named"};
    for (const relation_tags& each : how_.tags) {
      std::vector<std::string>& of = more_[each.relation];
      of.insert(of.end(), each.tags.begin(), each.tags.end());
    }
  }

 private:
  asio::awaitable<void> hear_on() override {
    change_options how = options();
    asio::awaitable<change_stream> following = follow(where_, std::move(how));
    change_stream changes = co_await std::move(following);
    if (is_over()) co_return;
    hears_now();
    while (!is_over()) {
      asio::awaitable<change_chunk> more = changes.next();
      const change_chunk some = co_await std::move(more);
      if (is_over()) break;
      if (!some) throw error{errc::connection_lost, "the server has ended the change stream"};
      hear(some);
      if (!is_over()) changes.acknowledge(some.last());
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
      if (is_over()) return;  // an observer may have ended it
      switch (each.operation()) {
        case operation::insert:
        case operation::update:
        case operation::remove:
        case operation::truncate: changed(each.relation()); break;
        case operation::message:
          if (each.prefix() == how_.message_prefix) invalidate(each.text());
          break;
        case operation::begin:
        case operation::commit:
        case operation::schema:
        case operation::snapshot:
        case operation::prepare:
        case operation::commit_prepared:
        case operation::rollback_prepared:
        case operation::abort: break;
      }
    }
  }

  /// Once for all of its rows that have arrived: between these nobody has been served.
  void changed(const changed_relation& what) {
    if (std::ranges::find(seen_, what.id) != seen_.end()) return;
    seen_.push_back(what.id);
    const std::string name = tag_part(what.name);
    cache().invalidate(name);
    cache().invalidate(tag_part(what.schema) + '.' + name);
    if (const auto more = more_.find(what.qualified_name()); more != more_.end())
      for (const std::string& tag : more->second) cache().invalidate(tag);
  }

  conninfo where_;
  change_invalidation_options how_;
  std::map<std::string, std::vector<std::string>, std::less<>> more_{};  // tags by relation
  std::vector<std::uint32_t> seen_{};                                    // relations of the current chunk
};

}  // namespace

std::shared_ptr<invalidation_feed> feed_of_changes(conninfo where, std::shared_ptr<cache_core> to,
                                                   const change_invalidation_options& how) {
  auto made = std::make_shared<changes_feed>(std::move(where), std::move(to), how);
  changes_feed::begin(made);
  return made;
}

}  // namespace sluice::detail
