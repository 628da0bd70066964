#pragma once
/// @file
/// The rows of one query as a stream of chunks, for coroutines.

#include <memory>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <sluice/export.hpp>
#include <sluice/stream/chunk.hpp>
#include <sluice/stream/options.hpp>
#include <sluice/stream/stats.hpp>
#include <sluice/wire/leaving.hpp>

namespace sluice {

class connection;
namespace detail {
class running_query;
}

/// The rows of one query. Movable; one at a time on a connection, which it keeps alive.
///
/// Destroyed before its end, it cancels the query on the server in the background; the connection's next query waits
/// for that. `cancel` does the same and tells the outcome.
/// @par Thread safety  none: use it from one coroutine or strand
class SLUICE_API row_stream {
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
  /// @par Lifetime      the chunk and its rows are valid until the next call on this stream
  /// @par Errors        throws error: what the server reported (rows delivered before stay counted in `error::rows`),
  ///                    connection_lost, protocol_violation, row_too_large, deadline_exceeded, cancelled
  /// @par Cancellation  terminal: ends the wait with `cancelled`; the stream is then to be destroyed or cancelled
  [[nodiscard]] asio::awaitable<chunk> next();

  /// The same for any completion token; the signature is `void(std::exception_ptr, chunk)`. Include
  /// <sluice/stream/async.hpp>.
  template <class Token>
  auto next(Token&& token);

  /// Stops before the end: cancels the query on the server and makes sure that the connection is clean, or closes it.
  /// After the end it does nothing.
  /// @return how it went; never throws for what the server or the network does
  [[nodiscard]] asio::awaitable<leaving> cancel();

  [[nodiscard]] stream_stats stats() const;
  /// @pre not an empty stream
  [[nodiscard]] asio::any_io_executor get_executor() const;

 private:
  friend class connection;
  explicit row_stream(std::unique_ptr<detail::running_query> query) noexcept;

  std::unique_ptr<detail::running_query> query_;
};

}  // namespace sluice
