#pragma once
// What a cache, its streams and its feed share.
#include <chrono>
#include <memory>
#include <string_view>

#include <asio/any_io_executor.hpp>

#include <sluice/cache/result_cache.hpp>

#include "cache/flights.hpp"
#include "cache/query_key.hpp"
#include "cache/store.hpp"

namespace sluice::detail {

/// Hears of invalidations.
class ear {
 public:
  virtual ~ear() = default;
  /// As far as is known at this moment.
  [[nodiscard]] virtual bool is_listening() const noexcept = 0;
};

class cache_core : public std::enable_shared_from_this<cache_core> {
 public:
  using clock = std::chrono::steady_clock;
  using kind = cache_event::kind;

  cache_core(std::shared_ptr<wire::session_pool> sessions, asio::any_io_executor on, const cache_options& options)
      : sessions_{std::move(sessions)},
        on_{std::move(on)},
        options_{options},
        results_{{.total = options.max_bytes, .each = options.max_entry_bytes}} {}

  [[nodiscard]] const std::shared_ptr<wire::session_pool>& sessions() const noexcept { return sessions_; }
  [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return on_; }
  [[nodiscard]] const cache_options& options() const noexcept { return options_; }
  [[nodiscard]] store& results() noexcept { return results_; }
  [[nodiscard]] flights& queries() noexcept { return queries_; }
  /// For the key of a call that does not wait.
  [[nodiscard]] query_key& scratch() noexcept { return scratch_; }

  /// Whether results may be served and stored now.
  [[nodiscard]] bool is_usable();
  void invalidate(std::string_view tag);
  void invalidate_all();

  /// @par Errors  throws error: bad_state if there is one already
  void listen_with(const ear& with);
  void forget_ear() noexcept;
  /// What was sent before may not have been heard; what is sent from now on is.
  void hears_now();
  void is_deaf();

  void report(kind what, clock::duration age = {}, clock::duration waited = {});
  /// Reports evictions.
  void changed();
  [[nodiscard]] cache_stats stats() const;

 private:
  enum class hearing : std::uint8_t { unused, deaf, listening };

  void sweep_later() noexcept;
  void sweep();
  void send_event(cache_event event);

  std::shared_ptr<wire::session_pool> sessions_;
  asio::any_io_executor on_;
  cache_options options_;
  store results_;
  flights queries_;
  query_key scratch_;
  cache_stats counts_{};
  std::uint64_t evictions_reported_{0};
  const ear* ear_{};
  hearing is_{hearing::unused};
  bool is_sweeping_{false};
};

}  // namespace sluice::detail
