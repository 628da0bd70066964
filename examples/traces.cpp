// Two queries as a part of a trace. Their spans are printed as JSON in the form that OpenTelemetry collectors accept
// (OTLP over HTTP): post it to http://localhost:4318/v1/traces.
//
//     traces [TRACEPARENT [CONNINFO]]
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <sluice/sluice.hpp>

namespace {

/// As JSON wants it.
std::string json_text(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < ' ' || c == '"' || c == '\\') {
      char escape[7];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(byte));
      json += escape;
    } else {
      json += c;
    }
  }
  return json + '"';
}
std::string attribute(std::string_view key, std::string_view value) {
  return "{\"key\":" + json_text(key) + ",\"value\":{\"stringValue\":" + json_text(value) + "}}";
}
std::string attribute(std::string_view key, std::uint64_t value) {
  return "{\"key\":" + json_text(key) + ",\"value\":{\"intValue\":\"" + std::to_string(value) + "\"}}";
}
std::string nanoseconds(std::chrono::system_clock::time_point at) {
  return std::to_string(std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count());
}

/// Collects spans. A service would send them in the background, a few hundred at a time.
class otlp_spans : public sluice::observer {
 public:
  void on_span(const sluice::span_event& event) noexcept override try {
    constexpr int client = 3;  // SPAN_KIND_CLIENT
    sluice::trace_context parent = event.context;
    parent.span_id = event.parent_id;
    std::string span = "{\"traceId\":" + json_text(event.context.trace_id_text());
    span += ",\"spanId\":" + json_text(event.context.span_id_text());
    span += ",\"parentSpanId\":" + json_text(parent.span_id_text());
    span += ",\"name\":" + json_text(to_string(event.is)) + ",\"kind\":" + std::to_string(client);
    span += ",\"startTimeUnixNano\":" + json_text(nanoseconds(event.began));
    const auto took = std::chrono::duration_cast<std::chrono::system_clock::duration>(event.took);
    span += ",\"endTimeUnixNano\":" + json_text(nanoseconds(event.began + took));
    span += ",\"attributes\":[" + attribute("db.system.name", std::string_view{"postgresql"});
    if (!event.database.empty()) span += ',' + attribute("db.namespace", event.database);
    if (!event.text.empty()) span += ',' + attribute("db.query.text", event.text);
    if (event.rows != 0) span += ',' + attribute("db.response.returned_rows", event.rows);
    if (event.failure != nullptr)
      span += ',' + attribute("error.type", sluice::to_string(event.failure->kind())) +
              "],\"status\":{\"code\":2,\"message\":" + json_text(event.failure->what()) + "}}";
    else
      span += "],\"status\":{}}";
    if (!spans_.empty()) spans_ += ',';
    spans_ += span;
  } catch (const std::exception&) {  // no memory: the span is lost, the query is not
  }

  [[nodiscard]] std::string json() const {
    return "{\"resourceSpans\":[{\"resource\":{\"attributes\":[" +
           attribute("service.name", std::string_view{"example"}) +
           "]},\"scopeSpans\":[{\"scope\":{\"name\":\"sluice\"},\"spans\":[" + spans_ + "]}]}]}\n";
  }

 private:
  std::string spans_;
};

asio::awaitable<void> work(sluice::pool& pool, sluice::trace_context parent) {
  const sluice::query_options in_pages{.mode = sluice::fetch_mode::paged, .page_rows = 400, .parent = parent};
  sluice::pooled_stream users = pool.stream(sluice::from("v_user"), in_pages);
  for (;;) {
    const sluice::chunk some = co_await users.next();
    if (!some) break;
  }
  const sluice::query_options plain{.parent = parent, .comment_traceparent = true};
  const sluice::query wrong = sluice::sql("select 1 / 0");
  try {
    co_await pool.execute(wrong, plain);
  } catch (const sluice::error&) {  // its span says so
  }
}

}  // namespace

int main(int argc, char** argv) try {
  // A server takes it from its request; a program that begins a trace makes one up.
  const bool is_given = argc > 1 && *argv[1] != '\0';
  const sluice::trace_context parent = is_given ? sluice::trace_context::parse(argv[1]) : sluice::trace_context::root();
  otlp_spans spans;
  asio::io_context context{1};
  sluice::connection_options each;
  each.watch = &spans;
  each.parent = parent;
  sluice::pool pool{context.get_executor(), argc > 2 ? argv[2] : "", {.max_size = 1}, each};
  asio::co_spawn(context, work(pool, parent), [&](const std::exception_ptr& failure) {
    pool.close();
    if (failure) std::rethrow_exception(failure);
  });
  context.run();
  std::fputs(spans.json().c_str(), stdout);
} catch (const std::exception& e) {
  std::fprintf(stderr, "traces: %s\n", e.what());
  return 1;
}
