#pragma once
// The rows of a publication's tables as a snapshot shows them that another session has exported.
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <asio/awaitable.hpp>

#include <sluice/stream/connection.hpp>
#include <sluice/stream/transaction.hpp>

#include "changes/relation_rows.hpp"

namespace sluice::detail {

/// A table of a publication, as far as it is published.
struct published_table {
  changed_relation relation{};
  bool is_partitioned{};
  std::string filter{};  ///< SQL; empty: all rows
};

/// The query of its rows.
[[nodiscard]] std::string rows_of(const published_table& table);

class snapshot_reader {
 public:
  /// Opens the snapshot, and asks which tables there are. Returns once the snapshot is held: the session that has
  /// exported it need not keep it any longer.
  /// @par Errors  throws error: as `connect` and `execute`
  asio::awaitable<void> begin(conninfo where, connection_options how, std::string snapshot,
                              std::vector<std::string> publications, std::uint32_t server_version);

  /// @return empty: all rows have been read
  /// @par Errors  throws error: as `row_stream::next`
  asio::awaitable<chunk> next();
  /// Of the chunk.
  [[nodiscard]] relation_rows& relation() noexcept { return *relation_; }

 private:
  asio::awaitable<void> find_tables(std::string question);

  std::optional<connection> connection_;
  std::optional<transaction> transaction_;
  std::vector<published_table> tables_;
  std::size_t next_{0};
  std::optional<row_stream> rows_;
  std::unique_ptr<relation_rows> relation_;
};

}  // namespace sluice::detail
