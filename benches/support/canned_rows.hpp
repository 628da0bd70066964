#pragma once
/// @file
/// Rows that are made once and sent over and over: real JSON documents of exactly the size asked for, framed as the
/// messages that carry them.

#include <cstddef>
#include <cstdint>
#include <string>

namespace sluice::bench {

/// How much a query answers.
struct row_shape {
  std::uint64_t rows{};         ///< how many
  std::size_t document_size{};  ///< bytes of each document; at least 2
};

/// A JSON object of exactly `size` bytes (at least 2), with the number `id` in it when there is room for it.
[[nodiscard]] std::string json_document(std::size_t size, std::uint64_t id);

/// Whole messages of one size, one per row.
struct row_block {
  enum class kind : std::uint8_t { data_row, copy_text, copy_binary };
  std::string bytes;
  std::size_t row_size{};  ///< bytes of one row's message
  std::size_t rows{};      ///< in `bytes`
};

/// As many rows as fit into `block_size` bytes, at least one.
[[nodiscard]] row_block make_row_block(row_block::kind what, std::size_t document_size, std::size_t block_size);

}  // namespace sluice::bench
