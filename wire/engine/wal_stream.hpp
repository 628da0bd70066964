#pragma once
// START_REPLICATION, and what the server sends from then on: pieces of its log, and signs of life. The client may send
// its status at any time.
#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/session.hpp"
#include "messages/replication.hpp"

namespace sluice::wire {

class wal_stream {
 public:
  enum class state : std::uint8_t {
    hungry,  ///< more input is needed
    begun,   ///< the server has accepted the command; told once
    piece,   ///< `piece()` is the next one
    alive,   ///< `alive()` is the next sign of life
    over,    ///< after `finish`: the server has ended the stream, and the session is idle
  };

  /// Puts the command into the session's output; sends nothing.
  /// @pre the session is idle, was opened for replication, and outlives this
  /// @par Errors  throws error: bad_query when the protocol cannot carry it
  wal_stream(session& on, std::string_view command);
  wal_stream(const wal_stream&) = delete;
  wal_stream& operator=(const wal_stream&) = delete;

  /// Processes the next message that has arrived.
  /// @par Errors  throws error: the server's; protocol_violation, row_too_large
  [[nodiscard]] state advance();
  /// @par Lifetime  until bytes are moved
  [[nodiscard]] const proto::xlog_data& piece() const noexcept { return piece_; }
  [[nodiscard]] const proto::primary_keepalive& alive() const noexcept { return alive_; }

  /// Moves bytes without waiting.
  /// @return whether it moved any
  /// @par Errors  throws error: as `link::transfer`; the server's last message, or connection_lost
  [[nodiscard]] bool move();

  /// Sends the client's status as far as that is possible without waiting. Does nothing while the server does not read,
  /// and when memory is short: the next status says more.
  void tell(const proto::standby_status_update& how_far) noexcept;
  /// Ends the stream: what the server still sends until it has heard of it is passed over. Does nothing if it has
  /// ended.
  void finish();

 private:
  enum class phase : std::uint8_t {
    asked,    // no answer has arrived
    refused,  // the error has; the session is idle after what follows
    streaming,
    leaving,  // CopyDone was sent
    done,     // the server's CopyDone has arrived, too: the end of the command follows
    over,
  };

  [[nodiscard]] state on_message(const proto::frame& message);
  [[nodiscard]] state on_error(const proto::frame& message);
  [[nodiscard]] state on_data(const proto::frame& message);
  [[noreturn]] void fail_unexpected(char type) const;
  [[noreturn]] void fail_malformed(char type) const;

  session& session_;
  phase phase_{phase::asked};
  std::size_t wanted_{0};
  proto::xlog_data piece_{};
  proto::primary_keepalive alive_{};
  std::optional<error> refusal_;
};

}  // namespace sluice::wire
