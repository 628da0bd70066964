#pragma once
// The rows of a publication's tables as a snapshot shows them that another session has exported.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <sluice/stream/chunk.hpp>
#include <sluice/stream/options.hpp>
#include <sluice/wire/conninfo.hpp>

#include "changes/relation_rows.hpp"

namespace sluice::detail {

/// A table of a publication, as far as it is published.
struct published_table {
  changed_relation relation{};
  bool is_partitioned{};
  std::uint64_t pages{};
  std::string filter{};  ///< SQL; empty: all rows
};

/// The query of its rows, of those that meet the condition.
[[nodiscard]] std::string rows_of(const published_table& table, std::string_view condition = {});

class snapshot_reader {
 public:
  struct from {
    std::string snapshot;
    std::vector<std::string> publications;
    std::uint32_t server_version{};
    bool wants_columns{};  ///< instead of objects
  };
  snapshot_reader(const asio::any_io_executor& on, const connection_options& how, std::uint32_t connections, from what);
  ~snapshot_reader();
  snapshot_reader(const snapshot_reader&) = delete;
  snapshot_reader& operator=(const snapshot_reader&) = delete;

  /// Opens the snapshot, and asks which tables there are. Returns once all connections hold the snapshot: the session
  /// that has exported it need not keep it any longer.
  /// @param where  the server that has exported it
  /// @par Errors  throws error: as `stream_in_parallel`
  asio::awaitable<void> begin(conninfo where);

  /// @return empty: all rows have been read
  /// @par Errors  throws error: as `parallel_stream::next`
  asio::awaitable<chunk> next();
  /// Nobody wants the rest: it ends in the background, and a call of `next` that waits with `cancelled`.
  void abandon() noexcept;
  /// Of the chunk.
  [[nodiscard]] relation_rows& relation() noexcept;

 private:
  class work;

  std::shared_ptr<work> work_;
  std::vector<std::unique_ptr<relation_rows>> relations_;
};

}  // namespace sluice::detail
