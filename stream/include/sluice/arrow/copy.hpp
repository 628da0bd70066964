#pragma once
/// @file
/// Batches from elsewhere into a table, by COPY.
///
///     ArrowArrayStream batches = ...;                                     // of DuckDB, a file, an `arrow_reader`
///     sluice::blocking_copy_writer to = db.copy_into("events", {"id", "at"});
///     sluice::write_arrow(batches, to);
///     to.finish();
///
/// Link libsluice_arrow. The columns of the batches are those of the COPY, in order; their names do not matter. They
/// are converted as values of C++ are, to the types of the table's columns: integers of any size, booleans, floats,
/// decimals, text, bytes, UUIDs, dates, times, timestamps, intervals, lists of these, dictionaries, and the extension
/// types arrow.json and arrow.uuid.

#include <cstdint>
#include <utility>

#include <asio/awaitable.hpp>

#include <sluice/arrow/abi.hpp>
#include <sluice/export.hpp>
#include <sluice/stream/copy.hpp>
#include <sluice/stream/token.hpp>

namespace sluice {

/// Writes the remaining rows of a stream. They are stored once the COPY has been finished.
/// @param from  is taken over: it is released here, and left as released
/// @return the number of rows
/// @par Errors  throws error: bad_query for a type that Postgres has nothing like, and for arrays that contradict their
///              schema; bad_column for a value that does not fit; as `blocking_copy_writer::write`. std::system_error
///              with the stream's `errno` and message. The rows before it are written: drop the COPY to store none
SLUICE_API std::uint64_t write_arrow(ArrowArrayStream& from, blocking_copy_writer& to);

/// The same in a coroutine. The stream's own calls block the executor.
/// @par Lifetime      the COPY has to live until the end of the call; the stream is taken over at once
/// @par Cancellation  terminal
[[nodiscard]] SLUICE_API asio::awaitable<std::uint64_t> write_arrow(ArrowArrayStream& from, copy_writer& to);
/// With a completion token: `void(std::exception_ptr, std::uint64_t)`; @see async.hpp
template <class Token>
auto write_arrow(ArrowArrayStream& from, copy_writer& to, Token&& token) {
  return detail::with_token(to.get_executor(), [&] { return write_arrow(from, to); }, std::forward<Token>(token));
}

}  // namespace sluice
