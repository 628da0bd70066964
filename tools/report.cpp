#include "report.hpp"

#include <array>
#include <cstdio>
#include <utility>

#include "options.hpp"

namespace sluice::tool {

namespace {

std::string json_string(std::string_view text) {
  std::string quoted{'"'};
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (static_cast<unsigned char>(c) < 0x20) continue;  // no server version has any
    quoted += c;
  }
  return quoted += '"';
}

}  // namespace

std::string printable(std::string_view text) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string safe;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      safe += c;
    } else {
      safe += "\\x";
      safe += digits[byte >> 4U];
      safe += digits[byte & 15U];
    }
  }
  return safe;
}

namespace {

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

std::string error_text(const error& failure) {
  std::string text = "sluice: ";
  text.append(to_string(failure.kind())).append(": ").append(printable(failure.what()));
  if (!failure.sqlstate().empty()) text.append(" [").append(printable(failure.sqlstate())).append("]");
  text += '\n';
  if (const auto& server = failure.server()) {
    if (!server->detail.empty()) text.append("DETAIL: ").append(printable(server->detail)).append("\n");
    if (!server->hint.empty()) text.append("HINT: ").append(printable(server->hint)).append("\n");
  }
  return text;
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

void progress::update(std::uint64_t rows, std::uint64_t bytes, const parallel_progress& parts) {
  if (!shown_ || clock::now() < next_) return;
  next_ = clock::now() + std::chrono::milliseconds{200};
  print(rows, bytes, parts, "\r");
}

void progress::finish(std::uint64_t rows, std::uint64_t bytes, const parallel_progress& parts) {
  if (shown_) print(rows, bytes, parts, "\n");
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
