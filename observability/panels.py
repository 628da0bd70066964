"""The panels of the dashboard: make-dashboard writes them for Grafana, draw-dashboard draws them.

A panel is (title, unit, what it tells, [(query, legend)]). Units are Grafana's names. $job stands for a choice of the
viewer. Latencies, ratios and rates come from prometheus/recording.rules.yml, so that a graph and its alert agree."""

DATABASE = "{{db_namespace}}"
SLOT = "{{slot}}"
POOL = "{{db_client_connection_pool_name}}"


def rate(metric, by, labels=""):
    return f'sum by ({by}) (rate({metric}{{job=~"$job"{labels}}}[5m]))'


def of_job(record):
    return f'{record}{{job=~"$job"}}'


ROWS = [
    ("Queries", [
        ("Queries", "reqps", "Queries that ended, whichever way.",
         [(of_job("sluice:queries:rate5m"), DATABASE)]),
        ("Latency", "s", "From sending a query to its end, the time of its consumer included.",
         [(of_job("sluice:query_duration_seconds:p99_5m"), "p99 " + DATABASE),
          (of_job("sluice:query_duration_seconds:p50_5m"), "p50 " + DATABASE)]),
        ("Errors", "reqps", "Queries that failed, by kind.",
         [(rate("db_client_operation_duration_seconds_count", "error_type", ', error_type!=""'), "{{error_type}}")]),
        ("Time to the first row, p99", "s", "If this is short and queries are slow, results are large or consumers slow.",
         [(of_job("sluice:first_row_seconds:p99_5m"), DATABASE)]),
        ("Who is waited for", "percentunit", "Seconds per second: 1 is one query that waits all the time.",
         [(rate("sluice_wait_seconds_total", "waited_for"), "{{waited_for}}")]),
        ("Rows", "short", "Per second.",
         [(rate("db_client_response_returned_rows_sum", "db_namespace"), DATABASE)]),
        ("Documents", "Bps", "Bytes without those of the protocol.",
         [(rate("sluice_document_bytes_total", "db_namespace"), DATABASE)]),
        ("Abandoned queries", "reqps", "By how they ended. 'closed' cost a connection.",
         [(rate("sluice_left_queries_total", "outcome"), "{{outcome}}"),
          (rate("sluice_cancel_requests_total", "job"), "cancel requests")]),
        ("Near a limit", "short", "Rows, streams and buffered pages, in the last hour.",
         [('sum by (limit) (increase(sluice_limit_warnings_total{job=~"$job"}[1h]))', "{{limit}}")]),
    ]),
    ("Connections", [
        ("Connections of the pool", "short", "",
         [('sum by (db_client_connection_state) (db_client_connection_count{job=~"$job"})',
           "{{db_client_connection_state}}"),
          ('sum(db_client_connection_max{job=~"$job"})', "limit")]),
        ("Waiting callers", "short", "",
         [('sum by (db_client_connection_pool_name) (db_client_connection_pending_requests{job=~"$job"})', POOL),
          (rate("db_client_connection_timeouts_total", "db_client_connection_pool_name"), "gave up per second " + POOL)]),
        ("Wait for a connection, p99", "s", "", [(of_job("sluice:pool_wait_seconds:p99_5m"), POOL)]),
        ("Use of a connection", "s", "Mean time from lending to return.",
         [(rate("db_client_connection_use_time_seconds_sum", "db_client_connection_pool_name") + " / "
           + rate("db_client_connection_use_time_seconds_count", "db_client_connection_pool_name"), POOL)]),
        ("Connecting", "reqps", "Attempts, by the kind of error.",
         [(rate("db_client_connection_create_time_seconds_count", "error_type"), "{{error_type}}")]),
        ("Login", "s", "Mean time of the start-up conversation.",
         [(rate("sluice_authentication_seconds_sum", "job") + " / " + rate("sluice_authentication_seconds_count", "job"),
           "mean")]),
    ]),
    ("Result cache", [
        ("Hit rate", "percentunit", "Of the calls that did not bypass the cache.",
         [(of_job("sluice:cache_hits:ratio_rate5m"), POOL)]),
        ("Calls", "reqps", "By answer.", [(rate("sluice_cache_calls_total", "answer"), "{{answer}}")]),
        ("Results", "short", "Per second, by what became of them.",
         [(rate("sluice_cache_results_total", "outcome"), "{{outcome}}")]),
        ("Memory", "bytes", "", [('sum by (db_client_connection_pool_name) (sluice_cache_bytes{job=~"$job"})', POOL)]),
        ("Entries", "short", "", [('sum by (db_client_connection_pool_name) (sluice_cache_entries{job=~"$job"})', POOL)]),
        ("Age at a hit, wait for another call", "s", "Means.",
         [(rate("sluice_cache_hit_age_seconds_sum", "job") + " / " + rate("sluice_cache_hit_age_seconds_count", "job"),
           "age"),
          (rate("sluice_cache_wait_seconds_sum", "job") + " / " + rate("sluice_cache_wait_seconds_count", "job"),
           "wait")]),
        ("Listening", "bool", "Whether invalidations are heard.",
         [('min by (db_client_connection_pool_name) (sluice_cache_listening{job=~"$job"})', POOL)]),
    ]),
    ("Change streams", [
        ("Changes", "short", "Per second.", [(rate("sluice_changes_total", "slot"), SLOT)]),
        ("Behind the server's log", "bytes", "From what was acknowledged to its end.",
         [('max by (slot) (sluice_changes_behind_bytes{job=~"$job"})', SLOT)]),
        ("Not acknowledged for", "s", "0 while nothing waits to be acknowledged.",
         [('max by (slot) (sluice_changes_unacknowledged_seconds{job=~"$job"})', SLOT)]),
        ("Log that the server keeps", "bytes", "For the slot; its other databases and slots may need more.",
         [('max by (slot) (sluice_slot_retained_bytes{job=~"$job"})', SLOT)]),
        ("State of the log", "bool", "The status that is 1. After 'unreserved' the server removes what the slot needs.",
         [('max by (slot, status) (sluice_slot_wal_status{job=~"$job"})', SLOT + " {{status}}")]),
        ("Connections made anew", "short", "In the last hour.",
         [('sum by (slot) (increase(sluice_changes_reconnects_total{job=~"$job"}[1h]))', SLOT)]),
    ]),
]
