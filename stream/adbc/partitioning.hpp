#pragma once
// Results that several connections read, in this process or in others, all from one snapshot.
#include <memory>
#include <string_view>

#include <sluice/stream/partitions.hpp>
#include <sluice/wire/result_columns.hpp>

#include "adbc/abi.hpp"
#include "adbc/open_result.hpp"
#include "adbc/session.hpp"
#include "adbc/settings.hpp"

namespace sluice::adbc {

// These need a turn on the connection.

/// Divides a query by a column, if the settings name one; all rows of one table by its pages; or not at all. A
/// connection of its own keeps the snapshot.
/// @param columns  of the query
[[nodiscard]] std::shared_ptr<blocking_partitions> divide(session& on, const query& what, const result_columns& columns,
                                                          const settings& how);
/// Reads a partition.
void export_partition(const std::shared_ptr<session>& on, std::string_view descriptor, const settings& how,
                      ArrowArrayStream* to);

/// Hands the descriptors over, and with them a share of the snapshot.
void export_partitions(std::shared_ptr<blocking_partitions> from, AdbcPartitions* to);

}  // namespace sluice::adbc
