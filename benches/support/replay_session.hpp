#pragma once
/// @file
/// One connection to the replay server: reads requests, answers them, and returns when the client has disconnected.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "backend.hpp"
#include "canned_rows.hpp"
#include "replay_answer.hpp"
#include "replay_tls.hpp"

namespace sluice::bench {

/// Serves one socket.
class replay_session {
 public:
  using cancel_function = std::function<void(std::uint32_t process, std::uint32_t key)>;

  /// @param descriptor  a connected stream socket; closed by the destructor
  /// @param process     the process ID in BackendKeyData
  /// @param cancel      called when the client's first message is a CancelRequest
  replay_session(int descriptor, std::uint32_t process, row_shape fallback, cancel_function cancel);
  ~replay_session();
  replay_session(const replay_session&) = delete;
  replay_session& operator=(const replay_session&) = delete;

  /// Returns when the client has disconnected; `over()` is true from then on.
  void run();
  [[nodiscard]] bool over() const noexcept { return over_; }

  /// Makes `run` return soon. Any thread may call it.
  void hang_up() noexcept;
  /// Ends the current result with an error. Any thread may call it.
  void cancel() noexcept { cancelled_ = true; }
  [[nodiscard]] bool is_known_as(std::uint32_t process, std::uint32_t key) const noexcept {
    return process == process_ && key == key_;
  }

 private:
  struct portal {
    replay_answer answer;
    std::uint64_t sent{};
  };
  struct gone {};  // thrown when the client has disconnected, which is the normal end

  void start_up();
  void serve_message(char type, std::string_view body);
  void simple_query(std::string_view sql);
  void parse(std::string_view body);
  void bind(std::string_view body);
  void describe(std::string_view body);
  void execute(portal& what, std::uint64_t max_rows);
  void describe_rows(const replay_answer& answer);
  void send_rows(row_block::kind what, std::size_t document_size, std::uint64_t count);
  void copy_out(const replay_answer& answer);
  void ready();

  const row_block& block_of(row_block::kind what, std::size_t document_size);
  std::string_view receive(std::size_t size);
  void flush();
  void send_all(std::string_view bytes);

  int descriptor_;
  std::optional<replay_tls> tls_;  // once the client has requested it
  std::uint32_t process_;
  std::uint32_t key_;
  row_shape fallback_;
  cancel_function cancel_;
  std::atomic<bool> cancelled_{false};
  std::atomic<bool> over_{false};

  std::string in_;
  std::size_t in_used_{};
  test::backend out_;
  char status_{'I'};
  bool skip_to_sync_{};
  std::map<std::string, replay_answer, std::less<>> statements_;
  std::map<std::string, portal, std::less<>> portals_;
  std::map<std::string, portal, std::less<>> cursors_;
  std::map<std::pair<row_block::kind, std::size_t>, row_block> blocks_;
};

}  // namespace sluice::bench
