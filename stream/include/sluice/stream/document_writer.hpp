#pragma once
/// @file
/// Rows as text for a sink: NDJSON, one JSON array, or the documents as they were sent.
///
///     sluice::write_documents(rows, STDOUT_FILENO);                       // a row_range into a file descriptor
///     sluice::write_documents(rows, std::cout, sluice::document_format::array);
///     co_await sluice::write_documents(stream, socket);                   // a row_stream into an Asio stream
///
/// The next rows are read when the sink has taken the last: a slow sink slows the server, and memory stays what the
/// receive buffer is. Large documents go to the sink straight from there; small ones are gathered first, which costs
/// less than handing each to the kernel on its own.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <sluice/export.hpp>
#include <sluice/stream/client.hpp>
#include <sluice/stream/row_stream.hpp>

namespace sluice {

enum class document_format : std::uint8_t {
  ndjson,  ///< a line per row: a document with a line feed or carriage return in it is minified; `null` for NULL
  array,   ///< one JSON array, a line per row
  raw,     ///< a line per row, the bytes as sent; an empty line for NULL
};

/// Puts rows into a form that sinks take: add rows, hand `text()` to the sink, add the next.
/// @par Thread safety  none
class SLUICE_API document_writer {
 public:
  explicit document_writer(document_format format = document_format::ndjson);

  /// @par Lifetime  the row is to be valid until its text has been written
  /// @par Errors    throws error: bad_json for a document with line breaks that is not JSON, or has one in a string.
  ///                The documents before it are still to be written
  void add(row document);
  void add(const chunk& rows) {
    for (const row each : rows) add(each);
  }
  /// The end of an array.
  void finish();

  /// What was added since this was last called, in order, for a gathered write.
  /// @par Lifetime  until the next call of `add` or `finish`, and as the rows
  [[nodiscard]] std::span<const asio::const_buffer> text();

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

/// Writes all of it, waiting where the descriptor does not take more at once.
/// @par Errors  throws std::system_error with the operating system's code, such as EPIPE
SLUICE_API void write_all(int descriptor, std::span<const asio::const_buffer> text);
/// @par Errors  throws std::system_error (std::io_errc::stream) when the stream does not take it
SLUICE_API void write_all(std::ostream& to, std::span<const asio::const_buffer> text);

/// Writes what is left of the rows.
/// @return how many rows
/// @par Errors  throws error: what `row_range::next` and `document_writer::add` do; and what `write_all` does. The rows
///              before are written, each whole
SLUICE_API std::uint64_t write_documents(row_range& rows, int descriptor,
                                         document_format format = document_format::ndjson);
SLUICE_API std::uint64_t write_documents(row_range& rows, std::ostream& to,
                                         document_format format = document_format::ndjson);

/// The same for any Asio AsyncWriteStream: a socket, an asio::ssl::stream, a pipe.
/// @par Errors        throws std::system_error, too, when the stream fails
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

}  // namespace sluice
