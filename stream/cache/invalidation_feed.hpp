#pragma once
// What hears of invalidations for a cache: notifications, or a change stream.
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include <asio/awaitable.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/steady_timer.hpp>

#include <sluice/cache/invalidations.hpp>
#include <sluice/wire/conninfo.hpp>

#include "cache/cache_core.hpp"
#include "transport/deadline.hpp"

namespace sluice::detail {

/// Hears for as long as it has an owner: after a failure again, after growing pauses. Its coroutines hold a reference,
/// because the owner may go while they wait.
/// @par Thread safety  none: all of it on the executor of the cache
class invalidation_feed : public ear {
 public:
  [[nodiscard]] bool is_listening() const noexcept override { return hears_; }
  [[nodiscard]] const std::string& last_failure() const noexcept { return failure_; }

  /// @par Errors  throws error: bad_state for a second feed
  static void begin(const std::shared_ptr<invalidation_feed>& self);
  /// Its owner is gone: it ends, and the cache is deaf.
  void leave() noexcept;

 protected:
  invalidation_feed(std::shared_ptr<cache_core> to, wire::back_off pauses);

  /// Connects, says `hears_now`, and passes on what it hears, until an exception, or until `is_over`.
  virtual asio::awaitable<void> hear_on() = 0;
  /// Lets go of what it hears with, which ends what is awaited of that.
  virtual void unplug() noexcept {}

  void hears_now();
  /// The first reason counts; what fails after it is its consequence.
  void deafen(std::string_view why);
  /// An empty tag: all of them.
  void invalidate(std::string_view tag);
  [[nodiscard]] bool is_over() const noexcept { return is_over_; }
  [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return to_->executor(); }
  [[nodiscard]] cache_core& cache() noexcept { return *to_; }

 private:
  static asio::awaitable<void> run(std::shared_ptr<invalidation_feed> self);

  std::shared_ptr<cache_core> to_;
  const wire::back_off from_the_start_;
  asio::steady_timer pause_;
  asio::cancellation_signal stop_;
  std::string failure_{};
  bool has_heard_{false};  // since it last connected
  bool hears_{false};
  bool is_over_{false};
};

/// Begins to follow the changes of a database.
/// @par Errors  throws error: bad_query for options that cannot be, bad_state for a second feed
[[nodiscard]] std::shared_ptr<invalidation_feed> feed_of_changes(conninfo where, std::shared_ptr<cache_core> to,
                                                                 const change_invalidation_options& how);

}  // namespace sluice::detail
