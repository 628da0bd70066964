#pragma once
// A connection for replication: what is asked on it before the changes are streamed, and the stream.
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <asio/awaitable.hpp>

#include <sluice/stream/changes.hpp>
#include <sluice/wire/conninfo.hpp>

#include "changes/replication_slot.hpp"
#include "engine/session.hpp"
#include "engine/wal_stream.hpp"
#include "json/value_plan.hpp"

namespace sluice::detail {

class change_connection {
 public:
  /// Connects.
  /// @par Errors  throws error: as `wire::connect`
  static asio::awaitable<std::unique_ptr<change_connection>> open(conninfo where, connection_options how);

  /// @param answer_limit  of all that the server answers at once
  change_connection(std::shared_ptr<wire::session> made, std::chrono::milliseconds answer_limit) noexcept
      : session_{std::move(made)}, answer_limit_{answer_limit} {}
  ~change_connection() { session_->close(); }
  change_connection(const change_connection&) = delete;
  change_connection& operator=(const change_connection&) = delete;

  [[nodiscard]] wire::session& session() noexcept { return *session_; }
  [[nodiscard]] wire::wal_stream& stream() noexcept { return *stream_; }
  [[nodiscard]] bool is_streaming() const noexcept { return stream_ && !session_->is_broken(); }
  /// What the text of values depends on.
  [[nodiscard]] session_settings settings() const;

  /// All of these throw error: the server's, with what to do about it; connection_lost, deadline_exceeded, cancelled.
  /// The server answers at once: within the limit of connecting.
  asio::awaitable<std::vector<wire::text_row>> ask(std::string statement, const change_options& how);
  asio::awaitable<slot_facts> find_slot(const change_options& how);
  asio::awaitable<void> require_publications(const change_options& how);
  struct created {
    lsn consistent_point{};
    std::string snapshot{};
  };
  /// Waits for transactions that run on the server, as long as they take.
  asio::awaitable<created> create(std::string slot, slot_kind kind, const change_options& how);
  /// Begins to stream; waits for a slot that is in use.
  asio::awaitable<void> start(std::string slot, lsn from, std::uint32_t server_version, const change_options& how);

  /// Waits until something has arrived.
  /// @par Errors  throws error: connection_lost after that much silence; cancelled
  asio::awaitable<void> wait(std::chrono::milliseconds silence);
  /// Tells the server how far the client has got, as far as that can be sent without waiting.
  void tell(const proto::standby_status_update& how_far) noexcept;
  /// Ends the stream, and waits for the server to have heard of it, within the session's patience.
  asio::awaitable<void> finish();
  /// Ends the connection as politely as that goes without waiting.
  void leave() noexcept;

 private:
  asio::awaitable<std::vector<wire::text_row>> ask_until(wire::clock::time_point latest, std::string statement,
                                                         const change_options& how);

  std::shared_ptr<wire::session> session_;
  std::chrono::milliseconds answer_limit_;
  std::optional<wire::wal_stream> stream_;
};

/// Now, as the server's messages have it.
[[nodiscard]] std::int64_t microseconds_since_2000() noexcept;

}  // namespace sluice::detail
