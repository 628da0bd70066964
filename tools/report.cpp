#include "report.hpp"

#include <algorithm>
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

std::string name_of(fetch_mode mode) { return json_string(fetch_mode_names[static_cast<std::size_t>(mode)]); }

}  // namespace

std::string stats_json(const stream_stats& stats, const session_facts& session) {
  json_object all;
  all.number("rows", stats.rows)
      .number("bytes", stats.bytes)
      .number("chunks", stats.chunks)
      .number("reads", stats.reads)
      .number("ttfr_us", stats.first_row.count())
      .number("elapsed_us", stats.elapsed.count())
      .number("connect_us", session.connecting.count())
      .number("buffer_peak_bytes", stats.buffer_peak)
      .number("server_wait_us", stats.server_wait.count())
      .number("consumer_us", stats.consumer.count())
      .field("mode", name_of(session.mode));
  if (session.mode == fetch_mode::paged) all.number("pages", stats.pages);
  all.field("tls", session.tls_version.empty() ? "false" : json_string(session.tls_version))
      .field("server_version", json_string(session.server_version));
  return std::move(all).line();
}

std::string stats_json(const parallel_progress& done, fetch_mode mode, std::chrono::microseconds elapsed) {
  json_object all;
  all.number("rows", done.rows)
      .number("bytes", done.bytes)
      .number("elapsed_us", elapsed.count())
      .field("mode", name_of(mode))
      .number("connections", done.connections)
      .number("done", done.done)
      .number("planned", done.planned);
  return std::move(all).line();
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

progress::~progress() {
  if (is_unfinished_) std::fputc('\n', stderr);
}

void progress::update(std::uint64_t rows, std::uint64_t bytes, const parallel_progress& parts) {
  if (!shown_ || clock::now() < next_) return;
  next_ = clock::now() + std::chrono::milliseconds{200};
  print(rows, bytes, parts, "\r");
  is_unfinished_ = true;
}

void progress::finish(std::uint64_t rows, std::uint64_t bytes, const parallel_progress& parts) {
  if (shown_) print(rows, bytes, parts, "\n");
  is_unfinished_ = false;
}

void progress::print(std::uint64_t rows, std::uint64_t bytes, const parallel_progress& parts, const char* end) {
  if (parts.planned != 0)
    std::fprintf(stderr, "%3llu %%  ", static_cast<unsigned long long>(100 * parts.done / parts.planned));
  const double seconds = std::chrono::duration<double>(clock::now() - began_).count();
  const double mebibytes = static_cast<double>(bytes) / (1U << 20U);
  const double rate = seconds > 0 ? 1 / seconds : 0;
  std::fprintf(stderr, "%12llu rows  %10.1f MiB  %10.0f rows/s  %8.1f MiB/s  %6.1f s%s",
               static_cast<unsigned long long>(rows), mebibytes, static_cast<double>(rows) * rate, mebibytes * rate,
               seconds, end);
}

}  // namespace sluice::tool
