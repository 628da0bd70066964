#include "cache/entry.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include <sluice/proto/frame.hpp>
#include "transport/receive_buffer.hpp"

namespace sluice::detail {

namespace {
constexpr std::size_t padding = wire::receive_buffer::padding;
// Smaller blocks are kept apart by glibc when they are freed, and merged later, all at once: a pause of 10 ms for a
// hundred thousand.
constexpr std::size_t smallest_block = 128;
}  // namespace

std::size_t entry::size_of(std::size_t rows, std::size_t values) noexcept {
  return std::max({before_entry(rows) + sizeof(entry) + values, rows + padding, smallest_block});
}

entry::entry(const identity& known_by, const stored_rows& rows) noexcept
    : of_{known_by.of},
      version_{known_by.version},
      began_{known_by.began},
      hash_{known_by.hash},
      rows_size_{static_cast<std::uint32_t>(rows.bytes.size())},
      values_size_{static_cast<std::uint32_t>(known_by.values.size())},
      row_count_{rows.count},
      columns_{rows.shape.columns},
      type_{rows.shape.type} {}

entry* entry::make(const identity& known_by, const stored_rows& rows) {
  const std::size_t size = size_of(rows.bytes.size(), known_by.values.size());
  const std::size_t before = before_entry(rows.bytes.size());
  auto* const block = static_cast<std::byte*>(::operator new(size));
  if (!rows.bytes.empty()) std::memcpy(block, rows.bytes.data(), rows.bytes.size());
  std::memset(block + rows.bytes.size(), 0, size - rows.bytes.size());
  auto* const made = ::new (block + before) entry{known_by, rows};
  if (!known_by.values.empty())
    std::memcpy(block + before + sizeof(entry), known_by.values.data(), known_by.values.size());
  return made;
}

void entry::destroy(entry* which) noexcept {
  auto* const block = const_cast<std::byte*>(which->block());
  which->~entry();
  ::operator delete(block);
}

std::size_t entry::document_bytes() const noexcept {
  const std::size_t per_row = proto::header_size + 2 + std::size_t{columns_} * 4;
  return rows_size_ - row_count_ * per_row;
}

}  // namespace sluice::detail
