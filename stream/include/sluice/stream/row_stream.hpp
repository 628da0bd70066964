#pragma once
/// @file
/// The rows of one query as a stream of chunks, for coroutines.

#include <memory>
#include <string>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>

#include <sluice/export.hpp>
#include <sluice/stream/chunk.hpp>
#include <sluice/stream/options.hpp>
#include <sluice/stream/pause.hpp>
#include <sluice/stream/stats.hpp>
#include <sluice/wire/leaving.hpp>

namespace sluice {

class connection;
namespace detail {
class running_query;
}

/// The rows of one query. Movable; it keeps its connection alive.
///
/// There is one at a time on a connection, but for streams in pages (`query_options::mode`): while those are open,
/// other queries run, in the same transaction, and several of them take turns. An error of any of them ends them all,
/// and to leave one of them before a query that was begun after it is over closes the connection.
///
/// Destroyed before its end, it is left in the background: the query is cancelled on the server, or, when it may write,
/// goes on to its end (see `sql`, docs/leaving.md). The connection's next query waits for that, and the executor has to
/// run until then. `cancel` cancels in any case and tells the outcome.
///
/// A call that waits when its stream is destroyed or cancelled ends with `cancelled`; one whose stream is moved goes
/// on.
/// @par Thread safety  none: use it from one coroutine or strand. Streams of one connection are read in turn: while two
///                     coroutines wait for rows of two of them, the deadline of the later call counts for both
class [[nodiscard, gnu::visibility("default")]] row_stream {
 public:
  /// An empty stream, at its end; also what is left by moving.
  row_stream() noexcept;
  row_stream(row_stream&&) noexcept;
  row_stream& operator=(row_stream&&) noexcept;
  ~row_stream();

  /// The next rows: whatever complete rows have arrived, at least one; an empty chunk at the end.
  ///
  /// Waits only when no complete row is there. A consumer that is slower than the server stops the server by TCP's own
  /// backpressure.
  /// @par Lifetime      the chunk and its rows are valid until the next call on this stream, or on another one of its
  ///                    connection
  /// @par Errors        throws error: what the server reported (rows delivered before stay counted in `error::rows`),
  ///                    connection_lost, protocol_violation, row_too_large, deadline_exceeded, cancelled
  ///                    After `cancel` it always throws cancelled, unless the end was reached before
  /// @par Cancellation  terminal: ends the wait with `cancelled`; the stream is then to be destroyed or cancelled
  [[nodiscard]] asio::awaitable<chunk> next();

  /// The same for any completion token; the signature is `void(std::exception_ptr, chunk)`. Include
  /// <sluice/stream/async.hpp>.
  template <class Token>
  auto next(Token&& token);

  /// Stops before the end: cancels the query on the server, whatever it does there, and makes sure that the connection
  /// is clean, or closes it. A `next` that waits ends with `cancelled`. After the end it does nothing.
  /// @return how it went; never throws for what the server or the network does
  /// @par Cancellation  terminal: closes the connection
  [[nodiscard]] asio::awaitable<leaving> cancel();

  /// Lets the connection run other queries, for a stream in pages: no page is asked for until `resume` or `next`. What
  /// is on its way is read and kept, up to `query_options::page_bytes`; what lies in chunks handed out is no longer
  /// valid. The server keeps the portal, and the transaction that it lives in.
  /// @par Errors  throws error: bad_state when the stream is not in pages; stream_too_large at the next `next` when the
  ///              pages on their way were larger; those of `next` otherwise
  [[nodiscard]] asio::awaitable<void> pause(pause_options how = {});
  /// Asks for the next page, so that it is on its way when `next` is called. Nothing, if the stream is not paused.
  void resume();

  [[nodiscard]] stream_stats stats() const;
  /// @pre not an empty stream
  [[nodiscard]] asio::any_io_executor get_executor() const;

 private:
  friend class connection;
  friend class pipeline;
  using query_ptr = std::shared_ptr<detail::running_query>;  // a call that waits keeps it
  explicit row_stream(query_ptr query) noexcept;

  [[nodiscard]] static asio::awaitable<chunk> next_of(query_ptr query);
  [[nodiscard]] static asio::awaitable<void> pause_for(query_ptr query, pause_options how, std::string reason,
                                                       std::shared_ptr<asio::steady_timer> timer);
  [[nodiscard]] static asio::awaitable<leaving> cancel_of(query_ptr query);
  static asio::awaitable<void> moved(query_ptr query);

  query_ptr query_;
  std::shared_ptr<asio::steady_timer> pause_timer_;  // null until a pause has a limit
};

}  // namespace sluice
