#pragma once
/// @file
/// Writes batches in Arrow's IPC streaming format, for files and pipes.
///
///     sluice::arrow_reader batches = db.arrow(sluice::from("events").of_columns());
///     sluice::write_arrow(batches, STDOUT_FILENO);       // or a std::ostream
///     co_await sluice::write_arrow(batches, socket);     // an arrow_stream into an Asio stream
///
/// One batch is in memory, and goes to the sink from where it lies. The next one is read once the sink has taken it.
/// @see Arrow documentation, "Serialization and Interprocess Communication (IPC)"

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <sluice/arrow/abi.hpp>
#include <sluice/arrow/reader.hpp>
#include <sluice/arrow/stream.hpp>
#include <sluice/export.hpp>
#include <sluice/stream/token.hpp>

namespace sluice {

/// Formats batches for a sink. Add a batch, hand `bytes()` to the sink, add the next.
/// @par Thread safety  none
class SLUICE_API arrow_ipc_writer {
 public:
  /// Begins with the schema's message.
  /// @param schema  of the batches, as an `arrow_reader` gives it; it is not needed afterwards
  /// @par Errors    throws error: bad_query for a type that no reader here makes
  explicit arrow_ipc_writer(const ArrowSchema& schema);
  arrow_ipc_writer(arrow_ipc_writer&&) noexcept;
  arrow_ipc_writer& operator=(arrow_ipc_writer&&) noexcept;
  ~arrow_ipc_writer();

  /// @param batch  of that schema
  /// @par Lifetime  the batch must stay valid until its bytes have been written
  void add(const ArrowArray& batch);
  /// Adds the end of the stream.
  void finish();

  /// The bytes added since the last call, in order, for a gathered write.
  /// @par Lifetime  until the next call of `add` or `finish`, and no longer than the batch
  [[nodiscard]] std::span<const asio::const_buffer> bytes();

 private:
  struct column;
  struct message;
  void begin();
  void add_message(std::vector<std::byte> metadata);
  void add_batch(const message& what);

  std::vector<column> columns_;
  std::vector<std::vector<std::byte>> metadata_;  // of the messages in `pieces_`
  std::vector<asio::const_buffer> pieces_;
  bool taken_{false};
};

/// Writes the remaining batches.
/// @return the number of rows
/// @par Errors  throws error: as `arrow_reader::next`; std::system_error when the sink fails. The batches before the
///              failure are written, without the end of the stream
SLUICE_API std::uint64_t write_arrow(arrow_reader& batches, int descriptor);
SLUICE_API std::uint64_t write_arrow(arrow_reader& batches, std::ostream& to);

/// The same for any Asio AsyncWriteStream: a socket, an asio::ssl::stream, a pipe.
/// @par Cancellation  terminal
template <class Rows, class AsyncWriteStream>
asio::awaitable<std::uint64_t> write_arrow(arrow_stream<Rows>& batches, AsyncWriteStream& to) {
  const arrow_schema schema = co_await batches.schema();
  arrow_ipc_writer writer{schema.schema()};
  std::uint64_t rows = 0;
  for (;;) {
    const arrow_batch batch = co_await batches.next();
    if (batch)
      writer.add(batch.array());
    else
      writer.finish();
    rows += batch.rows();
    co_await asio::async_write(to, writer.bytes(), asio::use_awaitable);
    if (!batch) co_return rows;
  }
}
/// With a completion token: `void(std::exception_ptr, std::uint64_t)`; @see async.hpp
template <class Rows, class AsyncWriteStream, class Token>
auto write_arrow(arrow_stream<Rows>& batches, AsyncWriteStream& to, Token&& token) {
  return detail::with_token(
      batches.get_executor(), [&] { return write_arrow(batches, to); }, std::forward<Token>(token));
}

}  // namespace sluice
