#pragma once
// What the command line requests.
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/arrow/options.hpp>
#include <sluice/stream/document_writer.hpp>
#include <sluice/stream/options.hpp>
#include <sluice/stream/parallel.hpp>
#include <sluice/stream/partitions.hpp>
#include <sluice/stream/query.hpp>

#include "delimited.hpp"
#include "destination.hpp"
#include "follow.hpp"
#include "values.hpp"

namespace sluice::tool {

/// Spelled as in the command's options and statistics, in the order of the enumerators.
inline constexpr std::array<std::string_view, 3> fetch_mode_names{"plain", "paged", "bulk"};

struct options {
  destination where_to;
  std::optional<std::string> source;
  std::optional<std::string> column;
  std::vector<predicate> where;
  std::vector<projection> select;
  std::vector<sort_key> order_by;
  std::optional<std::uint64_t> limit;
  std::optional<std::uint64_t> offset;
  std::optional<std::string> sql;
  std::optional<std::string> sql_file;                 // where it was read from
  std::vector<std::optional<std::string>> parameters;  // without a value: NULL

  std::size_t chunk_rows{0};  // 0: as many as one read delivers
  std::optional<std::size_t> buffer_bytes;
  std::optional<std::size_t> max_row_bytes;
  fetch_mode mode{fetch_mode::plain};
  std::uint32_t page_rows{query_options{}.page_rows};
  std::chrono::milliseconds timeout{0};
  std::optional<std::chrono::milliseconds> connect_timeout;

  std::optional<std::string> output_file;  // written instead of standard output
  document_format output{document_format::ndjson};
  std::optional<delimited> columns;  // written instead of documents
  bool arrow{false};                 // an Arrow IPC stream instead
  std::optional<std::string> null;   // how NULL is written in them
  bool validate{false};
  bool count{false};
  bool explain{false};
  bool stats{false};
  bool progress{false};

  std::optional<follow_options> follow;

  std::optional<std::string> load;  // the relation to load into
  bool skips_errors{false};

  bool help{false};
  bool version{false};

  std::optional<std::uint32_t> connections;  // --parallel
  tool::split split;

  std::optional<std::uint32_t> partitions;  // their number
  std::optional<std::string> partition;     // the descriptor of one

  // The relation to read, if it is not SQL.
  [[nodiscard]] relation to_relation() const;
  [[nodiscard]] query to_query() const;
  [[nodiscard]] arrow_options to_arrow() const noexcept;
  [[nodiscard]] split_by to_split() const noexcept;
  // How the rows of a partition are read.
  [[nodiscard]] partition_read to_partition_read(const query_options& how) const;
};

// Throws usage_error.
options parse_options(int argc, const char* const* argv);

extern const char* const help_text;

}  // namespace sluice::tool
