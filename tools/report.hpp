#pragma once
// Text for standard error: statistics, errors, progress.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>

#include <sluice/stream/options.hpp>
#include <sluice/stream/parallel.hpp>
#include <sluice/stream/stats.hpp>
#include <sluice/wire/error.hpp>

namespace sluice::tool {

struct session_facts {
  std::chrono::microseconds connecting;
  fetch_mode mode;
  std::string_view tls_version;
  std::string_view server_version;
};

// One JSON object. It has the same keys in every mode; the value is null where there is nothing to tell.
std::string stats_json(const stream_stats& stats, const session_facts& session);
// `stats` are those of all connections.
std::string stats_json(const stream_stats& stats, fetch_mode mode, const parallel_progress& parts,
                       std::chrono::microseconds elapsed);

// `sluice: CATEGORY: message [SQLSTATE]`, then the line of the query, DETAIL, HINT and CONTEXT on separate lines.
// `query`: the text sent to the server; empty if unknown.
std::string error_text(const error& failure, std::string_view query = {});
// `NOTICE: message`, with its details.
std::string notice_text(const server_message& notice);
int exit_code(condition kind) noexcept;

// How far a run has come: on a terminal a line that is overwritten several times a second, elsewhere, as in a log, a
// line every other second.
class progress {
 public:
  using clock = std::chrono::steady_clock;
  enum class style : std::uint8_t { none, overwritten, lines };

  // Standard error.
  explicit progress(bool is_shown);
  progress(style shown, std::FILE* to, std::function<clock::time_point()> now);
  ~progress();  // later messages start on a new line
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;
  // `parts`: empty if nothing was divided.
  void update(std::uint64_t rows, std::uint64_t bytes, const parallel_progress& parts);
  void finish(std::uint64_t rows, std::uint64_t bytes, const parallel_progress& parts);

 private:
  void print(std::uint64_t rows, std::uint64_t bytes, const parallel_progress& parts, const char* end);

  style shown_;
  std::FILE* to_;
  std::function<clock::time_point()> now_;
  bool is_unfinished_{false};
  clock::time_point began_{now_()};
  clock::time_point next_{began_};
};

}  // namespace sluice::tool
