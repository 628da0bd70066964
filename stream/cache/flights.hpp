#pragma once
// Queries on their way, for calls that want the same result: those wait for the first.
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <asio/steady_timer.hpp>

#include "cache/entry.hpp"
#include "cache/query_key.hpp"

namespace sluice::detail {

class flight {
 public:
  enum class outcome : std::uint8_t {
    none,        ///< it is on its way
    stored,      ///< the result is there
    failed,      ///< it is not, but the next query may bring it
    unsuitable,  ///< the result cannot be stored
  };

  [[nodiscard]] outcome ended() const noexcept { return ended_; }
  void wake_with(asio::steady_timer& waiter) { waiters_.push_back(&waiter); }
  void forget(asio::steady_timer& waiter) noexcept { std::erase(waiters_, &waiter); }
  void end(outcome how) noexcept {
    ended_ = how;
    for (asio::steady_timer* each : std::exchange(waiters_, {})) each->cancel();
  }

 private:
  outcome ended_{outcome::none};
  std::vector<asio::steady_timer*> waiters_;
};

/// The flights by the keys of their queries.
class flights {
 public:
  [[nodiscard]] std::shared_ptr<flight> find(const std::string& key) const {
    const auto found = under_way_.find(key);
    return found == under_way_.end() ? nullptr : found->second;
  }
  /// From now on callers wait for this one; those that wait for an earlier one still do.
  std::shared_ptr<flight> begin(const std::string& key) {
    auto made = std::make_shared<flight>();
    under_way_.insert_or_assign(key, made);
    return made;
  }
  void end(const std::string& key, flight& which, flight::outcome how) noexcept {
    const auto found = under_way_.find(key);
    if (found != under_way_.end() && found->second.get() == &which) under_way_.erase(found);
    which.end(how);
  }

 private:
  std::unordered_map<std::string, std::shared_ptr<flight>> under_way_;
};

}  // namespace sluice::detail
