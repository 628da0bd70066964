#pragma once
/// @file
/// Writes rows as text to a sink: NDJSON, one JSON array, or the documents as they were sent.
///
///     sluice::write_documents(rows, STDOUT_FILENO);                       // a row_range into a file descriptor
///     sluice::write_documents(rows, std::cout, sluice::document_format::array);
///     co_await sluice::write_documents(stream, socket);                   // a row_stream into an Asio stream
///
/// The next rows are read only once the sink has taken the previous ones: a slow sink slows the server, and memory
/// stays at the size of the receive buffer. Large documents go to the sink straight from that buffer. Small ones are
/// gathered first, which costs less than handing each to the kernel on its own.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <sluice/export.hpp>
#include <sluice/stream/client.hpp>
#include <sluice/stream/row_stream.hpp>
#include <sluice/stream/token.hpp>

namespace sluice {

/// The text form of the rows.
enum class document_format : std::uint8_t {
  ndjson,  ///< one line per row; a document that contains a line feed or carriage return is minified; `null` for NULL
  array,   ///< one JSON array, one line per row
  raw,     ///< one line per row, the bytes as sent; an empty line for NULL
};

/// Formats rows for a sink. Add rows, hand `text()` to the sink, add the next.
/// @par Thread safety  none
class SLUICE_API document_writer {
 public:
  explicit document_writer(document_format format = document_format::ndjson);

  /// @par Lifetime  the row must stay valid until its text has been written
  /// @par Errors    throws error: bad_json for a document with line breaks that is not JSON, or has one in a string.
  ///                The documents before it still have to be written
  void add(row document);
  void add(const chunk& rows) {
    for (const row each : rows) add(each);
  }
  /// Adds the end of an array.
  void finish();

  /// The text added since the last call, in order, for a gathered write.
  /// @par Lifetime  until the next call of `add` or `finish`, and no longer than the rows
  [[nodiscard]] std::span<const asio::const_buffer> text();

  /// The number of rows added so far.
  [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }

 private:
  struct piece {
    const char* at;  // null: in gathered_
    std::size_t size;
  };

  void begin();
  void gather(std::string_view bytes);
  void gather_minified(std::string_view document);
  void note_gathered(std::size_t size);

  document_format format_;
  bool taken_{false};
  std::uint64_t rows_{0};
  std::string gathered_;
  std::vector<piece> pieces_;
  std::vector<asio::const_buffer> buffers_;
};

/// Writes all of the text; waits while the descriptor does not accept more.
/// @par Errors  throws std::system_error with the operating system's code, such as EPIPE
SLUICE_API void write_all(int descriptor, std::span<const asio::const_buffer> text);
/// @par Errors  throws std::system_error (std::io_errc::stream) when the stream refuses the text
SLUICE_API void write_all(std::ostream& to, std::span<const asio::const_buffer> text);

/// Writes the remaining rows.
/// @return the number of rows
/// @par Errors  throws error: as `row_range::next` and `document_writer::add`; and what `write_all` throws. The rows
///              before the failure are written, each in full
SLUICE_API std::uint64_t write_documents(row_range& rows, int descriptor,
                                         document_format format = document_format::ndjson);
SLUICE_API std::uint64_t write_documents(row_range& rows, std::ostream& to,
                                         document_format format = document_format::ndjson);

/// The same for any Asio AsyncWriteStream: a socket, an asio::ssl::stream, a pipe.
/// @par Errors        also throws std::system_error when the stream fails
/// @par Cancellation  terminal
template <class AsyncWriteStream>
asio::awaitable<std::uint64_t> write_documents(row_stream& rows, AsyncWriteStream& to,
                                               document_format format = document_format::ndjson) {
  document_writer writer{format};
  std::exception_ptr refused;
  for (;;) {
    const chunk batch = co_await rows.next();
    try {
      batch ? writer.add(batch) : writer.finish();
    } catch (const error&) {
      refused = std::current_exception();
    }
    co_await asio::async_write(to, writer.text(), asio::use_awaitable);
    if (refused) std::rethrow_exception(refused);
    if (!batch) co_return writer.rows();
  }
}
/// With a completion token: `void(std::exception_ptr, std::uint64_t)`; @see async.hpp
/// @par Lifetime  `rows` and `to` must stay where they are until the call completes
template <class AsyncWriteStream, class Token>
auto write_documents(row_stream& rows, AsyncWriteStream& to, document_format format, Token&& token) {
  return detail::with_token(
      rows.get_executor(), [&] { return write_documents(rows, to, format); }, std::forward<Token>(token));
}

}  // namespace sluice
