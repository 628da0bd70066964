#include <sluice/stream/prometheus.hpp>

#include <array>
#include <mutex>
#include <set>

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

namespace sluice {

namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Labels;

constexpr std::size_t most_names = 32;                            // of databases, and of slots
constexpr std::array outcomes{"drained", "cancelled", "closed"};  // as in `leaving`
constexpr std::array limit_kinds{"row", "stream", "aside"};       // as in `limit_event::kind`

/// OpenTelemetry's bounds, and two below them: a query on an open connection takes tens of microseconds.
const Histogram::BucketBoundaries& seconds() {
  static const Histogram::BucketBoundaries bounds{0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10};
  return bounds;
}
const Histogram::BucketBoundaries& row_counts() {
  static const Histogram::BucketBoundaries bounds{1, 10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000};
  return bounds;
}

double in_seconds(event_clock::duration time) noexcept { return std::chrono::duration<double>{time}.count(); }

std::string kind_of(const error* failure) {
  return failure == nullptr ? std::string{} : std::string{to_string(failure->kind())};
}

Family<Histogram>& histogram(prometheus::Registry& in, const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(in);
}
Family<Counter>& counter(prometheus::Registry& in, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(in);
}
Family<Gauge>& gauge(prometheus::Registry& in, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(in);
}

}  // namespace

struct prometheus_observer::metrics {
  metrics(prometheus::Registry& in, const std::string& pool)
      : duration{histogram(in, "db_client_operation_duration_seconds", "Queries, from their flight to their end")},
        returned_rows{histogram(in, "db_client_response_returned_rows", "Rows of a query")},
        first_row{histogram(in, "sluice_first_row_seconds", "From a query's flight to its first row")},
        waits{counter(in, "sluice_wait_seconds_total", "Time of queries, by who was waited for")},
        bytes{counter(in, "sluice_document_bytes_total", "Bytes of documents")},
        leaves{counter(in, "sluice_left_queries_total", "Queries that were left before their end, by outcome")},
        cancel_requests{counter(in, "sluice_cancel_requests_total", "Requests to cancel that were sent").Add({})},
        limits{counter(in, "sluice_limit_warnings_total", "Rows, streams and pages that came near their limit")},
        connects{histogram(in, "db_client_connection_create_time_seconds", "Connecting, all hosts together")},
        logins{histogram(in, "sluice_authentication_seconds", "The start-up conversation with one server")},
        wait_time{
            in_pool(histogram(in, "db_client_connection_wait_time_seconds", "For a connection of the pool"), pool)},
        use_time{
            in_pool(histogram(in, "db_client_connection_use_time_seconds", "A connection lent by the pool"), pool)},
        timeouts{counter(in, "db_client_connection_timeouts_total", "Waits for a connection that were in vain")
                     .Add(pool_label(pool))},
        idle{gauge(in, "db_client_connection_count", "Connections of the pool").Add(with_state(pool, "idle"))},
        used{gauge(in, "db_client_connection_count", "Connections of the pool").Add(with_state(pool, "used"))},
        most{gauge(in, "db_client_connection_max", "Connections that the pool may have").Add(pool_label(pool))},
        pending{gauge(in, "db_client_connection_pending_requests", "Those that wait for a connection")
                    .Add(pool_label(pool))},
        cache_calls{counter(in, "sluice_cache_calls_total", "Calls of the result cache, by how they were answered")},
        cache_results{counter(in, "sluice_cache_results_total", "Results of the cache, by what became of them")},
        cache_age{in_pool(histogram(in, "sluice_cache_hit_age_seconds", "Age of results at a hit"), pool)},
        cache_wait{in_pool(histogram(in, "sluice_cache_wait_seconds", "Waits for another call's query"), pool)},
        cache_entries{gauge(in, "sluice_cache_entries", "Results in the cache").Add(pool_label(pool))},
        cache_bytes{gauge(in, "sluice_cache_bytes", "Memory of the cache").Add(pool_label(pool))},
        cache_listening{gauge(in, "sluice_cache_listening", "Whether invalidations are heard").Add(pool_label(pool))},
        changes{counter(in, "sluice_changes_total", "Changes that were handed out")},
        reconnects{counter(in, "sluice_changes_reconnects_total", "Connections of change streams that were made anew")},
        changes_behind{gauge(in, "sluice_changes_behind_bytes", "Of the server's log, from what was acknowledged on")},
        changes_age{gauge(in, "sluice_changes_unacknowledged_seconds",
                          "Since the last acknowledgement, while something waits for one")},
        slot_active{gauge(in, "sluice_slot_active", "Whether a connection reads the slot")},
        slot_retained{gauge(in, "sluice_slot_retained_bytes", "Of the log, which the server keeps for the slot")},
        slot_safe{gauge(in, "sluice_slot_safe_bytes", "That may be written before the slot may be lost")},
        slot_status{gauge(in, "sluice_slot_wal_status", "1 for the status that the slot's log has")},
        pool_name{pool} {
    // From 0 on: of a series that begins with 1, Prometheus sees no increase.
    for (const char* const each : limit_kinds) limits.Add({{"limit", each}});
    for (const char* const each : outcomes) leaves.Add({{"outcome", each}});
  }

  static Labels pool_label(const std::string& pool) { return {{"db_client_connection_pool_name", pool}}; }
  static Labels with_state(const std::string& pool, const char* state) {
    Labels labels = pool_label(pool);
    labels.emplace("db_client_connection_state", state);
    return labels;
  }
  static Histogram& in_pool(Family<Histogram>& family, const std::string& pool) {
    return family.Add(pool_label(pool), seconds());
  }

  /// The labels of a query or a connection attempt.
  Labels of(std::string_view database, const error* failure) {
    return {{"db_system_name", "postgresql"}, {"db_namespace", known(database)}, {"error_type", kind_of(failure)}};
  }
  std::string known(std::string_view database) { return known(database, databases); }
  Labels of_slot(std::string_view slot) { return {{"slot", known(slot, slots)}}; }

  using names = std::set<std::string, std::less<>>;
  std::string known(std::string_view name, names& in) {
    const std::scoped_lock lock{mutex};
    if (in.size() < most_names) in.emplace(name);
    return in.contains(name) ? std::string{name} : "other";
  }

  Family<Histogram>& duration;
  Family<Histogram>& returned_rows;
  Family<Histogram>& first_row;
  Family<Counter>& waits;
  Family<Counter>& bytes;
  Family<Counter>& leaves;
  Counter& cancel_requests;
  Family<Counter>& limits;
  Family<Histogram>& connects;
  Family<Histogram>& logins;
  Histogram& wait_time;
  Histogram& use_time;
  Counter& timeouts;
  Gauge& idle;
  Gauge& used;
  Gauge& most;
  Gauge& pending;
  Family<Counter>& cache_calls;
  Family<Counter>& cache_results;
  Histogram& cache_age;
  Histogram& cache_wait;
  Gauge& cache_entries;
  Gauge& cache_bytes;
  Gauge& cache_listening;
  Family<Counter>& changes;
  Family<Counter>& reconnects;
  Family<Gauge>& changes_behind;
  Family<Gauge>& changes_age;
  Family<Gauge>& slot_active;
  Family<Gauge>& slot_retained;
  Family<Gauge>& slot_safe;
  Family<Gauge>& slot_status;
  std::string pool_name;
  std::mutex mutex;
  names databases;
  names slots;
};

prometheus_observer::prometheus_observer(prometheus::Registry& to, const std::string& pool)
    : metrics_{std::make_unique<metrics>(to, pool)} {}
prometheus_observer::~prometheus_observer() = default;

namespace {

/// If there is no memory for a metric, the metric is lost; the query is not.
template <class Work>
void record(const Work& work) noexcept {
  try {
    work();
  } catch (...) {  // see above
  }
}

}  // namespace

void prometheus_observer::on_connect(const connect_event& event) noexcept {
  record([&] {
    metrics_->connects.Add(metrics_->of(event.database, event.failure), seconds()).Observe(in_seconds(event.took));
  });
}

void prometheus_observer::on_authentication(const connect_event& event) noexcept {
  record([&] {
    metrics_->logins.Add(metrics_->of(event.database, event.failure), seconds()).Observe(in_seconds(event.took));
  });
}

void prometheus_observer::on_first_row(const query_event& event, event_clock::duration after) noexcept {
  record([&] { metrics_->first_row.Add(metrics_->of(event.database, nullptr), seconds()).Observe(in_seconds(after)); });
}

void prometheus_observer::on_query_end(const query_end_event& event) noexcept {
  record([&] {
    const Labels labels = metrics_->of(event.query.database, event.failure);
    metrics_->duration.Add(labels, seconds()).Observe(in_seconds(event.took));
    metrics_->returned_rows.Add(labels, row_counts()).Observe(static_cast<double>(event.rows));
    metrics_->bytes.Add({{"db_namespace", metrics_->known(event.query.database)}})
        .Increment(static_cast<double>(event.bytes));
    metrics_->waits.Add({{"waited_for", "server"}}).Increment(in_seconds(event.server_wait));
    metrics_->waits.Add({{"waited_for", "consumer"}}).Increment(in_seconds(event.consumer_wait));
  });
}

void prometheus_observer::on_leave(const leave_event& event) noexcept {
  record([&] {
    metrics_->leaves.Add({{"outcome", outcomes[static_cast<std::size_t>(event.outcome)]}}).Increment();
    metrics_->cancel_requests.Increment(event.requests);
  });
}

void prometheus_observer::on_limit(const limit_event& event) noexcept {
  record([&] { metrics_->limits.Add({{"limit", limit_kinds[static_cast<std::size_t>(event.of)]}}).Increment(); });
}

void prometheus_observer::on_pool(const pool_event& event) noexcept {
  record([&] {
    switch (event.is) {
      case pool_event::kind::acquired: metrics_->wait_time.Observe(in_seconds(event.took)); break;
      case pool_event::kind::timed_out: metrics_->timeouts.Increment(); break;
      case pool_event::kind::released: metrics_->use_time.Observe(in_seconds(event.took)); break;
      case pool_event::kind::opened:
      case pool_event::kind::closed: break;
    }
    metrics_->idle.Set(static_cast<double>(event.now.idle));
    metrics_->used.Set(static_cast<double>(event.now.lent));
    metrics_->most.Set(static_cast<double>(event.now.max));
    metrics_->pending.Set(static_cast<double>(event.now.waiting));
  });
}

void prometheus_observer::on_cache(const cache_event& event) noexcept {
  using enum cache_event::kind;
  const auto count = [&](Family<Counter>& in, const char* label, const char* value) {
    Labels labels = metrics::pool_label(metrics_->pool_name);
    labels.emplace(label, value);
    in.Add(labels).Increment(static_cast<double>(event.count));
  };
  const auto answered = [&](const char* how) { count(metrics_->cache_calls, "answer", how); };
  const auto became = [&](const char* what) { count(metrics_->cache_results, "outcome", what); };
  record([&] {
    switch (event.is) {
      case hit: answered("hit"); break;
      case stale_hit: answered("stale_hit"); break;
      case wait_hit: answered("wait_hit"); break;
      case miss: answered("miss"); break;
      case bypass: answered("bypass"); break;
      case stored: became("stored"); break;
      case discarded: became("discarded"); break;
      case outgrown: became("outgrown"); break;
      case evicted: became("evicted"); break;
      case invalidated: break;
      case listening: metrics_->cache_listening.Set(1); break;
      case deaf: metrics_->cache_listening.Set(0); break;
    }
    if (event.is == hit || event.is == stale_hit || event.is == wait_hit)
      metrics_->cache_age.Observe(in_seconds(event.age));
    if (event.waited.count() != 0) metrics_->cache_wait.Observe(in_seconds(event.waited));
    metrics_->cache_entries.Set(static_cast<double>(event.entries));
    metrics_->cache_bytes.Set(static_cast<double>(event.bytes));
  });
}

void prometheus_observer::on_change_stream(const change_stream_event& event) noexcept {
  using enum change_stream_event::kind;
  static constexpr std::array statuses{"reserved", "extended", "unreserved", "lost"};
  record([&] {
    const Labels slot = metrics_->of_slot(event.slot);
    metrics_->changes.Add(slot).Increment(static_cast<double>(event.changes));
    if (event.is == reconnected) metrics_->reconnects.Add(slot).Increment();
    const std::uint64_t behind = event.server > event.acknowledged ? event.server - event.acknowledged : 0;
    if (event.acknowledged != 0) metrics_->changes_behind.Add(slot).Set(static_cast<double>(behind));
    metrics_->changes_age.Add(slot).Set(in_seconds(event.unacknowledged_for));
    if (event.is != lag) return;
    metrics_->slot_active.Add(slot).Set(event.is_active ? 1 : 0);
    metrics_->slot_retained.Add(slot).Set(static_cast<double>(event.retained_bytes));
    if (event.is_bounded) metrics_->slot_safe.Add(slot).Set(static_cast<double>(event.safe_bytes));
    for (const char* each : statuses) {
      Labels labels = slot;
      labels.emplace("status", each);
      metrics_->slot_status.Add(labels).Set(event.wal_status == each ? 1 : 0);
    }
  });
}

}  // namespace sluice
