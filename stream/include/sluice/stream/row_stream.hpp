#pragma once
/// @file
/// The rows of one query as a stream of chunks, for coroutines.

#include <memory>
#include <span>
#include <string>
#include <utility>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>

#include <sluice/export.hpp>
#include <sluice/stream/chunk.hpp>
#include <sluice/stream/options.hpp>
#include <sluice/stream/pause.hpp>
#include <sluice/stream/stats.hpp>
#include <sluice/stream/token.hpp>
#include <sluice/wire/leaving.hpp>

namespace sluice {

class connection;
namespace detail {
class running_query;
asio::awaitable<void> run_to_end(std::shared_ptr<running_query> query);
}  // namespace detail

/// The rows of one query. Movable; it keeps its connection alive.
///
/// A connection carries one stream at a time, except for paged streams (`query_options::mode`): while those are open,
/// other queries run in the same transaction, and several of them may alternate. An error of any of them ends them all.
/// Abandoning one of them while a query that was begun after it is still running closes the connection.
///
/// If destroyed before its end, the stream is abandoned in the background: the query is cancelled on the server, or, if
/// it may write, runs to its end (see `sql`, docs/leaving.md). The connection's next query waits for that, and the
/// executor has to keep running until then. `cancel` cancels in any case and reports the outcome.
///
/// A waiting call ends with `cancelled` when its stream is destroyed or cancelled; when its stream is moved, it
/// continues.
/// @par Thread safety  none: use it from one coroutine or strand. Streams of one connection are read in turn: while two
///                     coroutines wait for rows of two of them, the deadline of the later call counts for both
class [[nodiscard, gnu::visibility("default")]] row_stream {
 public:
  /// An empty stream, at its end; also the moved-from state.
  row_stream() noexcept;
  row_stream(row_stream&&) noexcept;
  row_stream& operator=(row_stream&&) noexcept;
  ~row_stream();

  /// The next rows: all complete rows that have arrived, at least one; an empty chunk at the end.
  ///
  /// It waits only if no complete row is there yet. A consumer that is slower than the server holds the server back
  /// through TCP's own backpressure.
  /// @par Lifetime      the chunk and its rows are valid until the next call on this stream, and no longer than the
  ///                    stream; other queries on the connection leave them as they are
  /// @par Errors        throws error: what the server reported (rows delivered before stay counted in `error::rows`),
  ///                    connection_lost, protocol_violation, row_too_large, deadline_exceeded, cancelled. After
  ///                    `cancel` it always throws cancelled, unless the end was reached before
  /// @par Cancellation  terminal: ends the wait with `cancelled`; the stream must then be destroyed or cancelled
  [[nodiscard]] asio::awaitable<chunk> next();

  /// The same for any completion token; the signature is `void(std::exception_ptr, chunk)`. Include
  /// <sluice/stream/async.hpp>, which says what holds for all such forms.
  template <class Token>
  auto next(Token&& token) {
    return detail::with_token(get_executor(), [this] { return next(); }, std::forward<Token>(token));
  }

  /// Stops before the end: cancels the query on the server, whatever it does there, and makes sure that the connection
  /// is clean, or closes it. A waiting `next` ends with `cancelled`. At the end of the stream it does nothing.
  /// @return the outcome; never throws for what the server or the network does
  /// @par Cancellation  terminal: closes the connection
  [[nodiscard]] asio::awaitable<leaving> cancel();
  /// With a completion token: `void(std::exception_ptr, leaving)`
  template <class Token>
  auto cancel(Token&& token) {
    return detail::with_token(get_executor(), [this] { return cancel(); }, std::forward<Token>(token));
  }

  /// Pauses a paged stream so that the connection can run other queries: no page is requested until `resume` or `next`.
  /// Pages already in flight are read and kept, up to `query_options::page_bytes`; chunks handed out before become
  /// invalid. The server keeps the portal, and the transaction that it lives in.
  /// @par Errors  throws error: bad_state when the stream is not paged; stream_too_large at the next `next` when the
  ///              pages in flight were larger; those of `next` otherwise
  [[nodiscard]] asio::awaitable<void> pause(pause_options how = {});
  /// With a completion token: `void(std::exception_ptr)`
  template <class Token>
  auto pause(pause_options how, Token&& token) {
    return detail::with_token(get_executor(), [this, how] { return pause(how); }, std::forward<Token>(token));
  }
  /// Requests the next page, so that it is in flight when `next` is called. Does nothing if the stream is not paused.
  void resume();

  [[nodiscard]] stream_stats stats() const;
  /// Names and types of the columns of a query `as_columns()` or `as_text_columns()`, also of one without rows. Empty
  /// until `next` has returned, and for documents.
  /// @par Lifetime  as the stream
  [[nodiscard]] std::span<const result_column> columns() const noexcept;
  /// @par Errors  throws error: bad_state for an empty stream; so do calls with a completion token
  [[nodiscard]] asio::any_io_executor get_executor() const;

 private:
  friend class connection;
  friend class pipeline;
  friend asio::awaitable<void> detail::run_to_end(std::shared_ptr<detail::running_query> query);
  using query_ptr = std::shared_ptr<detail::running_query>;  // kept alive by a waiting call
  explicit row_stream(query_ptr query) noexcept;

  [[nodiscard]] static asio::awaitable<void> pause_for(query_ptr query, pause_options how, std::string reason,
                                                       std::shared_ptr<asio::steady_timer> timer);

  query_ptr query_;
  std::shared_ptr<asio::steady_timer> pause_timer_;  // null until a pause has a limit
};

}  // namespace sluice
