#include <sluice/stream/chunk.hpp>

#include <cstring>

#include "transport/receive_buffer.hpp"

namespace sluice {

namespace {
constexpr std::size_t padding = wire::receive_buffer::padding;  // the last document is parsed in place, too
}

owned_chunk chunk::detach() const { return rows_.begin == nullptr ? owned_chunk{} : owned_chunk{rows_, columns_}; }

owned_chunk::owned_chunk(const proto::row_batch& rows, const result_columns* columns)
    : columns_{columns == nullptr ? nullptr : std::make_unique<const result_columns>(*columns)}, rows_{rows} {
  const std::byte* end = rows.begin;
  while (const std::size_t size = proto::row_at(end, rows.end, rows.shape)) end += size;
  const auto size = static_cast<std::size_t>(end - rows.begin);
  bytes_ = std::make_unique_for_overwrite<std::byte[]>(size + padding);
  std::memcpy(bytes_.get(), rows.begin, size);
  std::memset(bytes_.get() + size, 0, padding);
  rows_.begin = bytes_.get();
  rows_.end = bytes_.get() + size;
  rows_.walked = nullptr;
}

}  // namespace sluice
