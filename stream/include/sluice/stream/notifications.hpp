#pragma once
/// @file
/// LISTEN and NOTIFY as a stream of events that survives the loss of the connection.
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
#include <utility>
#include <vector>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <sluice/export.hpp>
#include <sluice/stream/options.hpp>
#include <sluice/stream/token.hpp>
#include <sluice/wire/conninfo.hpp>
#include <sluice/wire/error.hpp>
#include <sluice/wire/events.hpp>

namespace sluice {

struct listen_options {
  /// After this much silence the server is asked whether it is still there. Zero: never; a connection that vanished
  /// silently is then only noticed through the `keepalives` settings of the connection string.
  std::chrono::milliseconds check_interval{30'000};
  /// Delay before reconnecting; doubled each time, up to `max_backoff`.
  std::chrono::milliseconds backoff{100};
  std::chrono::milliseconds max_backoff{10'000};
  /// Upper bound for the memory of events that have been read but not requested yet, both the objects and their texts.
  /// While there are any, nothing more is read, so a slow consumer slows the server down. Events that arrive before the
  /// server's answers to LISTEN and to the liveness check have to be read regardless; those that do not fit are
  /// dropped, and a `gap` takes their place.
  std::size_t max_pending_bytes{4U << 20U};
  connection_options connection{};
};

struct listen_event {
  enum class kind : std::uint8_t {
    heard,  ///< `what` was sent
    gap,    ///< events may be missing: the connection was lost and re-established, or there was no room
  };
  kind is{kind::heard};
  notification what{};
};

/// Listens on a connection of its own. Movable. A pending call ends with `cancelled` when this is destroyed.
/// @par Thread safety  none: use it from one coroutine or strand
class SLUICE_API notifications {
 public:
  /// Sends nothing yet: the first `listen` or `next` connects.
  /// @param channels  names as they are, not folded to lower case
  /// @par Errors  throws error: bad_conninfo; bad_query for an empty name or a name with a zero byte
  notifications(std::string_view conninfo, const std::vector<std::string>& channels, listen_options options = {});
  notifications(sluice::conninfo info, const std::vector<std::string>& channels, listen_options options = {});
  notifications(notifications&&) noexcept;
  notifications& operator=(notifications&&) noexcept;
  ~notifications();

  /// Returns once the server listens: what is sent from then on is delivered, or its loss is reported as a gap. Call it
  /// before reading the data that the notifications are about. While the server cannot be reached, it keeps trying.
  /// `next` does the same where needed.
  /// @par Errors        as `next`
  /// @par Cancellation  terminal
  [[nodiscard]] asio::awaitable<void> listen();
  /// The same for any completion token; the signature is `void(std::exception_ptr)`. Include <sluice/stream/async.hpp>,
  /// which says what holds for all such forms.
  /// @param on  the same for all calls
  template <class Token>
  auto listen(const asio::any_io_executor& on, Token&& token) {
    return detail::with_token(on, [this] { return listen(); }, std::forward<Token>(token));
  }

  /// The next event, in the order in which the server sent them. While the server cannot be reached, it keeps trying.
  /// @par Errors        throws error: cancelled; the error of connecting if another attempt cannot succeed, such as a
  ///                    wrong password; server_error when LISTEN is refused. It may be called again after any of them
  /// @par Cancellation  terminal
  [[nodiscard]] asio::awaitable<listen_event> next();
  /// With a completion token: `void(std::exception_ptr, listen_event)`
  /// @param on  the same for all calls
  template <class Token>
  auto next(const asio::any_io_executor& on, Token&& token) {
    return detail::with_token(on, [this] { return next(); }, std::forward<Token>(token));
  }

  /// Whether the connection is currently listening, as far as is known.
  [[nodiscard]] bool is_connected() const noexcept;
  /// Whether it is connected and no `gap` is pending, so that the caller knows of everything that was missed.
  [[nodiscard]] bool is_complete() const noexcept;

 private:
  class listening;
  void leave() noexcept;

  std::shared_ptr<listening> state_;  // kept alive by a waiting call
};

}  // namespace sluice
