#pragma once
/// @file
/// Metrics of connections and pools for prometheus-cpp. They live in a separate library, libsluice_prometheus, which
/// the Meson option `prometheus` enables.
///
///     auto registry = std::make_shared<prometheus::Registry>();
///     sluice::prometheus_observer metrics{*registry, "main"};
///     sluice::connection_options each;
///     each.watch = &metrics;
///     sluice::pool pool{executor, conninfo, {}, each};
///
/// Names, units and labels follow OpenTelemetry's conventions for database clients, as Prometheus spells them; metrics
/// outside those conventions begin with sluice_. The table is in docs/telemetry.md. Labels have few values: kinds of
/// errors, outcomes, and names of databases and slots, of which the first 32 are reported by name and all others as
/// "other".

#include <memory>
#include <string>

#include <sluice/export.hpp>
#include <sluice/wire/observer.hpp>

namespace prometheus {
class Registry;
}

namespace sluice {

/// An observer that keeps these metrics.
/// @par Thread safety  one object may serve connections of several threads
class SLUICE_API prometheus_observer : public observer {
 public:
  /// @param to    must outlive this object
  /// @param pool  distinguishes the pools of a program; each needs an observer of its own
  /// @par Errors  throws std::runtime_error when `to` already has one of the names with other labels
  explicit prometheus_observer(prometheus::Registry& to, const std::string& pool = "default");
  ~prometheus_observer() override;

  void on_authentication(const connect_event& event) noexcept override;
  void on_connect(const connect_event& event) noexcept override;
  void on_first_row(const query_event& event, event_clock::duration after) noexcept override;
  void on_query_end(const query_end_event& event) noexcept override;
  void on_leave(const leave_event& event) noexcept override;
  void on_limit(const limit_event& event) noexcept override;
  void on_pool(const pool_event& event) noexcept override;
  void on_cache(const cache_event& event) noexcept override;
  void on_change_stream(const change_stream_event& event) noexcept override;

 private:
  struct metrics;
  std::unique_ptr<metrics> metrics_;
};

}  // namespace sluice
