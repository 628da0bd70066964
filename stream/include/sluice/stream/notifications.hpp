#pragma once
/// @file
/// LISTEN and NOTIFY as a stream of events that goes on when the connection is lost.
///
///     sluice::notifications news{"postgresql://localhost/app", {"orders", "users"}};
///     co_await news.listen();   // what is sent from now on is heard
///     load();
///     for (;;) {
///       const sluice::listen_event event = co_await news.next();
///       if (event.is == sluice::listen_event::kind::gap) reload();     // something may have been missed
///       else apply(event.what.channel, event.what.payload);
///     }
/// @see PostgreSQL documentation, NOTIFY

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <asio/awaitable.hpp>

#include <sluice/export.hpp>
#include <sluice/stream/options.hpp>
#include <sluice/wire/conninfo.hpp>
#include <sluice/wire/error.hpp>
#include <sluice/wire/events.hpp>

namespace sluice {

struct listen_options {
  /// When nothing was heard for so long, the server is asked whether it is still there. Zero: never, and a connection
  /// that vanished without a word is noticed only as the `keepalives` of the connection string have it.
  std::chrono::milliseconds check_interval{30'000};
  /// Before the connection is tried again; doubled each time, up to `max_backoff`.
  std::chrono::milliseconds backoff{100};
  std::chrono::milliseconds max_backoff{10'000};
  /// The most that events may take which have been read and not been asked for yet, object and texts. Nothing is read
  /// while there are any, so that a slow consumer slows the server down; what comes between the answers of the server
  /// to LISTEN and to the question whether it is still there has to be read, and what of it does not fit is dropped: a
  /// `gap` stands in its place.
  std::size_t max_pending_bytes{4U << 20U};
  connection_options connection{};
};

struct listen_event {
  enum class kind : std::uint8_t {
    heard,  ///< `what` was sent
    gap,    ///< something has not been heard: the connection was lost, and has been made anew, or there was no room
  };
  kind is{kind::heard};
  notification what{};
};

/// Listens on a connection of its own. Movable. A call that waits when this goes ends with `cancelled`.
/// @par Thread safety  none: one coroutine or strand
class SLUICE_API notifications {
 public:
  /// Does nothing yet: the first `listen` or `next` connects.
  /// @param channels  names as they are, not folded to lower case
  /// @par Errors  throws error: bad_conninfo; bad_query for an empty name or a zero byte in one
  notifications(std::string_view conninfo, const std::vector<std::string>& channels, listen_options options = {});
  notifications(sluice::conninfo info, const std::vector<std::string>& channels, listen_options options = {});
  notifications(notifications&&) noexcept;
  notifications& operator=(notifications&&) noexcept;
  ~notifications();

  /// Returns when the server listens: what is sent from then on is heard, or its loss is told as a gap. Call it before
  /// reading what the notifications are about. While the server cannot be reached it goes on trying. `next` does the
  /// same where it is needed.
  /// @par Errors        as `next`
  /// @par Cancellation  terminal
  [[nodiscard]] asio::awaitable<void> listen();

  /// The next event, in the order in which the server sent them. While the server cannot be reached it goes on trying.
  /// @par Errors        throws error: cancelled; what connecting said when another try cannot mend it, such as a wrong
  ///                    password; server_error when LISTEN is refused. It may be called again after any of them
  /// @par Cancellation  terminal
  [[nodiscard]] asio::awaitable<listen_event> next();

  /// Whether the server is listened to at this moment, as far as is known.
  [[nodiscard]] bool is_connected() const noexcept;

 private:
  class listening;
  void leave() noexcept;

  std::shared_ptr<listening> state_;  // a call that waits keeps it
};

}  // namespace sluice
