#include "report.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "auth/utf8.hpp"
#include "transport/printable.hpp"

#include "options.hpp"
#include "terminal.hpp"

namespace sluice::tool {

namespace {

/// What a JSON string cannot hold, or a terminal would obey, appears as in messages: "\\x1b".
std::string json_string(std::string_view text) {
  std::string quoted{'"'};
  for (const char c : printable(text)) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted += '"';
}

class json_object {
 public:
  json_object& field(std::string_view name, const std::string& value) {
    if (text_.size() > 1) text_ += ',';
    text_ += '"';
    text_.append(name).append("\":").append(value);
    return *this;
  }
  template <class Number>
  json_object& number(std::string_view name, Number value) {
    return field(name, std::to_string(value));
  }
  [[nodiscard]] std::string line() && { return std::move(text_ += "}\n"); }

 private:
  std::string text_{'{'};
};

/// "DETAIL: ..." on a separate line; nothing if the server sent none.
std::string field_text(std::string_view name, std::string_view value) {
  if (value.empty()) return {};
  return std::string{name} + ": " + printable_lines(value) + '\n';
}

/// The line of the query that the server refers to, shown as in psql.
/// @param position  in characters, from 1
std::string line_text(std::string_view query, std::uint32_t position) {
  std::size_t offset = 0;
  std::uint32_t character = 1;
  for (; offset < query.size() && character < position; ++character)
    offset += proto::first_character(query.substr(offset)).size;
  if (character != position) return {};  // this cannot be the query that the server referred to
  const std::size_t before = query.substr(0, offset).rfind('\n');
  const std::size_t begin = before == query.npos ? 0 : before + 1;
  const std::size_t end = std::min(query.find('\n', offset), query.size());
  std::string line{query.substr(begin, end - begin)};
  std::ranges::replace(line, '\t', ' ');
  const auto number = 1 + std::ranges::count(query.substr(0, begin), '\n');
  return with_caret("LINE " + std::to_string(number) + ": ", line, offset - begin) + '\n';
}

/// @param query  empty: unknown
std::string place_text(const server_message& said, std::string_view query) {
  if (said.internal_position && !said.internal_query.empty())
    return line_text(said.internal_query, *said.internal_position);
  return said.position && !query.empty() ? line_text(query, *said.position) : std::string{};
}

/// What each kind of run has besides its stream's statistics; null where it has nothing.
struct run_facts {
  std::chrono::microseconds elapsed;
  std::string connecting{"null"};
  fetch_mode mode;
  parallel_progress parts;
  std::string tls{"null"};
  std::string server_version{"null"};
};

std::string name_of(fetch_mode mode) { return json_string(fetch_mode_names[static_cast<std::size_t>(mode)]); }

std::string number_if(bool is_known, std::uint64_t number) { return is_known ? std::to_string(number) : "null"; }

std::string json_of(const stream_stats& stats, const run_facts& run) {
  const bool is_divided = run.parts.planned != 0;
  json_object all;
  all.number("rows", stats.rows)
      .number("bytes", stats.bytes)
      .number("chunks", stats.chunks)
      .number("reads", stats.reads)
      .field("ttfr_us", number_if(stats.chunks != 0, static_cast<std::uint64_t>(stats.first_row.count())))
      .number("elapsed_us", run.elapsed.count())
      .field("connect_us", run.connecting)
      .number("buffer_peak_bytes", stats.buffer_peak)
      .number("server_wait_us", stats.server_wait.count())
      .number("consumer_us", stats.consumer.count())
      .field("mode", name_of(run.mode))
      .field("pages", number_if(run.mode == fetch_mode::paged, stats.pages))
      .number("connections", run.parts.connections)
      .field("done", number_if(is_divided, run.parts.done))
      .field("planned", number_if(is_divided, run.parts.planned))
      .field("tls", run.tls)
      .field("server_version", run.server_version);
  return std::move(all).line();
}

constexpr std::chrono::milliseconds between_changes{200};
constexpr std::chrono::seconds between_lines{2};

}  // namespace

std::string stats_json(const stream_stats& stats, const session_facts& session) {
  const std::string tls = session.tls_version.empty() ? "false" : json_string(session.tls_version);
  return json_of(stats, {.elapsed = stats.elapsed,
                         .connecting = std::to_string(session.connecting.count()),
                         .mode = session.mode,
                         .parts = {.connections = 1},
                         .tls = tls,
                         .server_version = json_string(session.server_version)});
}

std::string stats_json(const stream_stats& stats, fetch_mode mode, const parallel_progress& parts,
                       std::chrono::microseconds elapsed) {
  return json_of(stats, {.elapsed = elapsed, .mode = mode, .parts = parts});
}

std::string error_text(const error& failure, std::string_view query) {
  std::string text = "sluice: ";
  text.append(to_string(failure.kind())).append(": ").append(printable_lines(failure.what())).append("\n");
  if (const auto& server = failure.server()) {
    text += place_text(*server, query);
    text += field_text("DETAIL", server->detail) + field_text("HINT", server->hint);
    if (!server->internal_query.empty() && !server->internal_position)
      text += field_text("QUERY", server->internal_query);
    text += field_text("CONTEXT", server->where);
  }
  return text;
}

std::string notice_text(const server_message& notice) {
  return field_text(notice.severity.empty() ? "NOTICE" : printable(notice.severity), notice.message) +
         field_text("DETAIL", notice.detail) + field_text("HINT", notice.hint);
}

int exit_code(condition kind) noexcept {
  switch (kind) {
    case condition::usage: return 2;
    case condition::connection: return 3;
    case condition::auth: return 4;
    case condition::tls: return 5;
    case condition::protocol: return 6;
    case condition::sql: return 7;
    case condition::json: return 8;
    case condition::limit: return 9;
    case condition::timeout: return 10;
    case condition::cancelled: return 130;
  }
  return 1;
}

progress::progress(bool is_shown)
    : progress{!is_shown                      ? style::none
               : ::isatty(STDERR_FILENO) == 1 ? style::overwritten
                                              : style::lines,
               stderr, clock::now} {}
progress::progress(style shown, std::FILE* to, std::function<clock::time_point()> now)
    : shown_{shown}, to_{to}, now_{std::move(now)} {
  if (shown_ == style::lines) next_ += between_lines;  // a short run has only its last line
}

progress::~progress() {
  if (is_unfinished_) std::fputc('\n', to_);
}

void progress::update(std::uint64_t rows, std::uint64_t bytes, const parallel_progress& parts) {
  if (shown_ == style::none) return;
  const clock::time_point now = now_();
  if (now < next_) return;
  is_unfinished_ = shown_ == style::overwritten;
  next_ = now + (is_unfinished_ ? between_changes : between_lines);
  print(rows, bytes, parts, is_unfinished_ ? "\r" : "\n");
}

void progress::finish(std::uint64_t rows, std::uint64_t bytes, const parallel_progress& parts) {
  if (shown_ != style::none) print(rows, bytes, parts, "\n");
  is_unfinished_ = false;
}

void progress::print(std::uint64_t rows, std::uint64_t bytes, const parallel_progress& parts, const char* end) {
  std::array<char, 32> share{};  // with the rest in one call, so that lines of several processes stay whole
  if (parts.planned != 0)
    (void)std::snprintf(share.data(), share.size(), "%3llu %%  ",
                        static_cast<unsigned long long>(100 * parts.done / parts.planned));
  const double seconds = std::chrono::duration<double>(now_() - began_).count();
  const double mebibytes = static_cast<double>(bytes) / (1U << 20U);
  const double rate = seconds > 0 ? 1 / seconds : 0;
  std::fprintf(to_, "%s%12llu rows  %10.1f MiB  %10.0f rows/s  %8.1f MiB/s  %6.1f s%s", share.data(),
               static_cast<unsigned long long>(rows), mebibytes, static_cast<double>(rows) * rate, mebibytes * rate,
               seconds, end);
}

}  // namespace sluice::tool
