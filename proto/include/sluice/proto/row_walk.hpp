#pragma once
/// @file
/// The walk from row to row. It is all that runs per row, hence inline. Nothing is scanned ahead; each header is read
/// once.
///
/// A row is a DataRow, or a CopyData message of a COPY in the binary format, which holds one tuple; apart from the type
/// byte the two look alike. A walk starts at the first row of a batch and continues as long as complete, well-formed
/// rows follow each other. `next_frame` and the query machine, never this code, decide what the walk stopped at: bytes
/// that have not arrived, another message, or a malformed row.
/// @see PostgreSQL documentation, sections "Message Formats" (DataRow), "COPY Operations" and, for COPY, "Binary
///      Format"

#include <cstddef>
#include <cstdint>

#include <sluice/export.hpp>
#include <sluice/proto/byte_order.hpp>
#include <sluice/proto/field_view.hpp>
#include <sluice/proto/frame.hpp>

namespace sluice::proto {

/// The shape of a result's rows, which each row is checked against.
struct row_shape {
  std::uint16_t columns{1};                                          ///< exact number in every row
  std::byte type{'D'};                                               ///< of the message
  std::uint32_t max_body{static_cast<std::uint32_t>(limits{}.row)};  ///< bytes
};

/// Where a walk ended. The walk itself records it, so that the next read continues from there.
struct walk_end {
  const std::byte* at{};  ///< null: no walk has reached the end yet
  std::uint64_t rows{};   ///< rows before it
};

/// Complete rows, in place in the receive buffer.
/// @par Lifetime  views the buffer: valid until its next read
struct row_batch {
  const std::byte* begin{};  ///< a complete, well-formed row, or null for no rows at all
  const std::byte* end{};    ///< the end of what has arrived; the rows may stop before it
  row_shape shape{};
  walk_end* walked{};  ///< where the end of the walk is recorded; may be null
};

/// Whether the fields fill a row's body exactly, for any number of columns.
SLUICE_API bool fields_fill(const std::byte* body, std::size_t size, std::uint16_t columns) noexcept;

/// The frame size of the complete, well-formed row at `at`; 0 if there is none.
[[nodiscard]] inline std::size_t row_at(const std::byte* at, const std::byte* end, const row_shape& shape) noexcept {
  constexpr std::size_t smallest = header_size + 2;  // the column count
  const auto arrived = static_cast<std::size_t>(end - at);
  if (arrived < smallest || at[0] != shape.type) return 0;
  const auto length = load_big<std::uint32_t>(at + 1);
  const std::size_t size = std::size_t{length} + 1;
  if (size > arrived || length < length_size + 2 || length - length_size > shape.max_body) return 0;
  if (load_big<std::uint16_t>(at + header_size) != shape.columns) return 0;

  if (shape.columns == 1) {  // one field: either it fills the rest of the body, or it is NULL and nothing follows
    constexpr std::uint32_t overhead = length_size + 2 + 4;
    if (length < overhead) return 0;
    const auto field = load_big<std::uint32_t>(at + header_size + 2);
    const bool whole = field == length - overhead && field <= 0x7fffffffU;
    return whole || (field == null_length && length == overhead) ? size : 0;
  }
  return fields_fill(at + header_size, length - length_size, shape.columns) ? size : 0;
}

}  // namespace sluice::proto
