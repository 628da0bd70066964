#pragma once
/// @file
/// Rows that are built once and sent repeatedly, framed as the messages that carry them: real JSON documents of exactly
/// the requested size, or eight columns.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace sluice::bench {

/// The shape of a query's result.
struct row_shape {
  std::uint64_t rows{};         ///< number of rows
  std::size_t document_size{};  ///< bytes of each document, at least 2; or `of_columns`
};

/// In place of a document's size: eight columns in the binary format, a bigint, two texts, numeric, timestamptz,
/// boolean, integer and double precision.
inline constexpr std::size_t of_columns{0};

struct canned_column {
  const char* name;
  std::uint32_t type;  ///< OID
};
inline constexpr std::array<canned_column, 8> canned_columns{{{"id", 20},
                                                              {"name", 25},
                                                              {"total", 1700},
                                                              {"created_at", 1184},
                                                              {"active", 16},
                                                              {"age", 23},
                                                              {"status", 25},
                                                              {"score", 701}}};

/// A JSON object of exactly `size` bytes (at least 2), which contains the number `id` if there is room for it.
[[nodiscard]] std::string json_document(std::size_t size, std::uint64_t id);

/// Complete messages of one size, one per row.
struct row_block {
  enum class kind : std::uint8_t { data_row, copy_text, copy_binary };
  std::string bytes;
  std::size_t row_size{};  ///< size of one row's message, in bytes
  std::size_t rows{};      ///< number of rows in `bytes`
};

/// As many rows as fit into `block_size` bytes, at least one.
[[nodiscard]] row_block make_row_block(row_block::kind what, std::size_t document_size, std::size_t block_size);

}  // namespace sluice::bench
