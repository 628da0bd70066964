#pragma once
// An observer that stores everything it receives.
#include <algorithm>
#include <mutex>
#include <optional>
#include <sluice/sluice.hpp>
#include <string>
#include <vector>

namespace sluice::test {

class recorder : public observer {
 public:
  struct step {
    std::string what;
    std::string host;
    std::string tls_version;
    std::optional<errc> failure;
  };
  struct query_seen {
    std::string database;
    std::string text;
    bool is_paged;
    bool was_prepared;
  };
  struct end_seen {
    std::uint64_t rows;
    std::uint64_t bytes;
    std::uint64_t chunks;
    event_clock::duration took;
    event_clock::duration first_row;
    event_clock::duration server_wait;
    event_clock::duration consumer_wait;
    std::optional<errc> failure;
    bool was_left;
  };

  std::vector<step> steps;
  std::vector<query_seen> queries;
  std::vector<end_seen> ends;
  std::vector<leave_event> leaves;
  std::vector<limit_event> limits;
  std::vector<pool_event> pool_events;
  std::vector<std::string> lines;
  std::size_t first_rows{0};
  std::size_t chunks{0};
  std::size_t chunk_bytes{0};
  event_clock::duration consumer_waits{0};  // the sum of those of all chunks
  event_clock::duration least_consumer_wait{event_clock::duration::max()};

  void on_dial(const connect_event& event) noexcept override { note("dial", event); }
  void on_tls(const connect_event& event) noexcept override { note("tls", event); }
  void on_authentication(const connect_event& event) noexcept override { note("authentication", event); }
  void on_connect(const connect_event& event) noexcept override { note("connect", event); }
  void on_query(const query_event& event) noexcept override {
    queries.push_back({std::string{event.database}, std::string{event.text}, event.is_paged, event.was_prepared});
  }
  void on_first_row(const query_event& /*event*/, event_clock::duration /*after*/) noexcept override { ++first_rows; }
  void on_chunk(const chunk_event& event) noexcept override {
    ++chunks;
    chunk_bytes += event.bytes;
    consumer_waits += event.consumer_wait;
    least_consumer_wait = std::min(least_consumer_wait, event.consumer_wait);
  }
  void on_query_end(const query_end_event& event) noexcept override {
    ends.push_back({event.rows, event.bytes, event.chunks, event.took, event.first_row, event.server_wait,
                    event.consumer_wait, code_of(event.failure), event.was_left});
  }
  void on_leave(const leave_event& event) noexcept override { leaves.push_back(event); }
  void on_limit(const limit_event& event) noexcept override { limits.push_back(event); }
  void on_pool(const pool_event& event) noexcept override { pool_events.push_back(event); }
  void on_trace(std::string_view line) noexcept override { lines.emplace_back(line); }

  [[nodiscard]] bool has_line(std::string_view with) const {
    for (const std::string& line : lines)
      if (line.find(with) != line.npos) return true;
    return false;
  }

 private:
  static std::optional<errc> code_of(const error* failure) {
    if (failure == nullptr) return std::nullopt;
    return static_cast<errc>(failure->code().value());
  }
  void note(const char* what, const connect_event& event) {
    steps.push_back({what, std::string{event.host}, std::string{event.tls_version}, code_of(event.failure)});
  }
};

}  // namespace sluice::test
