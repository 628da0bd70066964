#pragma once
/// @file
/// Rows as Arrow batches, blocking: for DuckDB, Polars, pandas and everything else that reads the Arrow C stream
/// interface.
///
///     sluice::client db{"postgresql://localhost/app"};
///     sluice::arrow_reader batches = db.arrow(sluice::sql("select * from lineitem where l_quantity > $1", 10));
///     while (sluice::arrow_batch batch = batches.next()) use(batch.array());
///
///     ArrowArrayStream stream;               // or hand it over as a whole
///     batches.export_to(&stream);
///
/// Link libsluice_arrow (sluice_arrow for Meson and pkg-config, sluice::arrow for CMake). For coroutines there is
/// <sluice/arrow/stream.hpp>, for files and pipes <sluice/arrow/ipc.hpp>.

#include <concepts>
#include <memory>

#include <sluice/arrow/abi.hpp>
#include <sluice/arrow/batch.hpp>
#include <sluice/arrow/options.hpp>
#include <sluice/export.hpp>
#include <sluice/stream/client.hpp>
#include <sluice/stream/parallel.hpp>
#include <sluice/stream/partitions.hpp>

namespace sluice {

/// The rows of a query as batches. Movable. One batch is in memory at a time, besides those that the caller keeps, and
/// the receive buffer: a slow consumer slows the server down.
///
/// A row that fails ends the stream, after a batch of the rows before it.
/// @par Lifetime       keeps the connection alive
/// @par Thread safety  none: one thread at a time
class SLUICE_API arrow_reader {
 public:
  /// @param rows  of an `arrow_query` with the same options
  /// @par Errors  throws error: bad_query for impossible options
  explicit arrow_reader(row_range rows, const arrow_options& how = {});
  /// Batches as they come, from several connections.
  /// @param rows  of an `arrow_relation` with the same options
  explicit arrow_reader(parallel_range rows, const arrow_options& how = {});
  /// @param rows  read as `arrow_partition` says, with the same options
  explicit arrow_reader(partition_range rows, const arrow_options& how = {});
  arrow_reader(arrow_reader&&) noexcept;
  arrow_reader& operator=(arrow_reader&&) noexcept;
  ~arrow_reader();

  /// The next batch: at least one row, and no more than `arrow_options` allows; none at the end.
  /// @par Errors  throws error: as `row_range::next`; bad_column for a value that its Arrow type cannot hold; bad_state
  ///              when the reader was moved from or exported. After an error each call throws the same again
  [[nodiscard]] arrow_batch next();
  /// The type of the batches. Waits for the first rows, unless there were any.
  /// @par Errors  as `next`
  [[nodiscard]] arrow_schema schema();
  /// Hands everything over: whoever has the stream reads the batches, and calls its `release`, which cancels the query
  /// unless it was read to its end. Its calls block. Its arrays and schemas outlive it.
  ///
  /// Errors are reported as EINVAL (usage, a value without a place), ENOMEM, ETIMEDOUT, ECANCELED or EIO, with the
  /// library's message as `get_last_error`, valid until the next call.
  /// @param to  overwritten; not released before
  /// @par Errors  throws error: bad_state when the reader was moved from or exported
  void export_to(ArrowArrayStream* to);

  /// What the stream of rows says, where there is one.
  [[nodiscard]] stream_stats stats() const;
  /// Stops before the end. @see row_range::cancel
  leaving cancel();

  /// @cond
  class source;
  /// @endcond

 private:
  explicit arrow_reader(std::unique_ptr<source> from) noexcept;
  [[nodiscard]] source& held() const;

  std::unique_ptr<source> from_;
};

template <std::convertible_to<query> What>
arrow_reader client::arrow(const What& what) {
  return arrow(what, arrow_options{});
}
template <std::convertible_to<query> What>
arrow_reader client::arrow(const What& what, const arrow_options& how, query_options options) {
  return arrow_reader{stream(arrow_query(what, how), options), how};
}

}  // namespace sluice
