#pragma once
/// @file
/// Partitions as Arrow batches: see <sluice/stream/partitions.hpp>.
///
///     sluice::client db{dsn};
///     sluice::arrow_reader batches = sluice::open_arrow_partition(db, descriptor);

#include <string_view>
#include <utility>

#include <asio/awaitable.hpp>

#include <sluice/arrow/options.hpp>
#include <sluice/arrow/reader.hpp>
#include <sluice/arrow/stream.hpp>
#include <sluice/export.hpp>
#include <sluice/stream/partitions.hpp>
#include <sluice/stream/token.hpp>

namespace sluice {

/// How a partition is read whose rows become batches.
/// @par Errors  throws error: bad_query for impossible options
[[nodiscard]] SLUICE_API partition_read arrow_partition(const arrow_options& how = {}, query_options limits = {});

/// Opens a partition of a relation `of_columns`, or of a query: a column for each of its columns; of other relations
/// the only column is the document.
/// @par Errors  throws error: as `open_partition`, and bad_query for impossible options
[[nodiscard]] SLUICE_API arrow_reader open_arrow_partition(client& on, std::string_view descriptor,
                                                           const arrow_options& how = {}, query_options limits = {});

/// The same for a connection.
[[nodiscard]] inline asio::awaitable<arrow_stream<partition_stream>> open_arrow_partition(connection& on,
                                                                                          std::string_view descriptor,
                                                                                          const arrow_options& how = {},
                                                                                          query_options limits = {}) {
  return detail::in_batches(open_partition(on, descriptor, arrow_partition(how, limits)), how);
}
/// With a completion token: `void(std::exception_ptr, arrow_stream<partition_stream>)`; @see async.hpp
template <class Token>
auto open_arrow_partition(connection& on, std::string_view descriptor, const arrow_options& how, query_options limits,
                          Token&& token) {
  return detail::with_token(
      on.get_executor(), [&] { return open_arrow_partition(on, descriptor, how, limits); }, std::forward<Token>(token));
}

}  // namespace sluice
