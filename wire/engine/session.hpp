#pragma once
/// @file
/// A connection that has logged in: what the server told about itself, and which state the protocol is in.

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/proto/frame.hpp>
#include <sluice/wire/conninfo.hpp>
#include <sluice/wire/events.hpp>
#include "engine/cancel_requests.hpp"
#include "engine/statement_cache.hpp"
#include "engine/transaction_scope.hpp"
#include "transport/link.hpp"

namespace sluice::wire {

class exchange;
class tls_context;

struct session {
  session(socket connected, const proto::limits& limits, std::size_t buffer_bytes, std::size_t first_bytes)
      : io{std::move(connected), limits, buffer_bytes, first_bytes},
        settled{io.get_executor(), clock::time_point::max()} {}
  session(socket connected, const proto::limits& limits, std::size_t buffer_bytes)
      : session{std::move(connected), limits, buffer_bytes, buffer_bytes} {}

  enum class state : std::uint8_t {
    idle,     ///< ReadyForQuery was seen, nothing was sent since
    busy,     ///< a query is under way
    leaving,  ///< a query that nobody wants any more is being brought to its end
    broken,   ///< for good
  };

  link io;
  asio::steady_timer settled;  ///< cancelled when a query has been left: whoever waits for that waits for this
  std::string database{};
  conninfo::host host{};                          ///< whom the name in the connection string meant
  std::shared_ptr<const tls_context> security{};  ///< null: not in TLS. CancelRequest needs the same
  std::optional<std::uint32_t> peer{};            ///< the server's user, on a Unix socket; CancelRequest needs the same
  state is{state::busy};
  transaction_scope scope{};
  std::uint32_t backend_pid{};  ///< 0 when the server gave no key: then it cannot be cancelled
  std::vector<std::byte> cancel_key{};
  std::map<std::string, std::string, std::less<>> parameters{};  ///< by ParameterStatus; bounded
  clock::duration patience{};                                    ///< how long leaving a query may take
  observer* watch{};
  double warn_at{1.0};                                               ///< share of a limit that is told to it
  std::size_t row_warning{std::numeric_limits<std::size_t>::max()};  ///< bytes of a row that are told to it
  notice_handler on_notice{};
  notification_handler on_notification{};

  /// Queries that the server has still to answer, in that order: one for each Sync or Query that was sent.
  std::vector<exchange*> flights{};
  std::uint32_t leavers{};    ///< queries that are to be left, or are being
  bool is_being_left{false};  ///< one of them now
  std::uint32_t readers{};    ///< coroutines that wait for rows; leaving begins when they have gone
  cancel_requests cancels{};
  statement_cache statements{};

  clock::time_point expires{clock::time_point::max()};  ///< a pool lends it no more after this
  clock::time_point idle_since{};
  clock::time_point lent_since{};
  bool was_lent{false};

  /// Idle, and no query in pages is between two of them.
  [[nodiscard]] bool is_unused() const noexcept { return is == state::idle && !scope.has_portals(); }
  /// "TLSv1.3"; empty when the session is not in TLS.
  [[nodiscard]] std::string_view tls_version() const noexcept;
  /// NoticeResponse, ParameterStatus or NotificationResponse: may come at any time.
  /// @par Errors  throws error: protocol_violation when it is malformed, or client_encoding stops being UTF8
  void aside(const proto::frame& message);
  /// Takes what one read of an idle session brings: messages that may come at any time. Does not wait.
  /// @return `end` when the server has ended the session, or sent what does not belong there
  /// @par Errors  throws error: as `aside`, and for what breaks the protocol
  [[nodiscard]] link::moved hear();
  /// Looks, without waiting, whether the server has ended an idle session, and takes the messages that came meanwhile.
  /// A message that has arrived in part stays for the next read. The look is bounded: a session on which the server
  /// does not stop talking is not alive.
  [[nodiscard]] bool is_alive() noexcept;
  /// Drops the connection for good.
  void discard() noexcept;
  /// Ends the session politely if it is idle (Terminate), and closes it. Does not wait.
  void close() noexcept;

 private:
  [[nodiscard]] std::size_t take_asides();
};

/// The fields of an ErrorResponse or NoticeResponse, owned.
/// @par Errors  throws error: protocol_violation
[[nodiscard]] server_message read_server_message(const link& from, const proto::frame& message);

}  // namespace sluice::wire
