#include "cache/recording.hpp"

#include <algorithm>

namespace sluice::detail {

bool recording::take(const chunk& rows, store& room, store::fill& of) {
  const proto::row_batch& batch = rows.rows_;
  if (batch.begin == nullptr) return true;
  if (count_ != 0 && (batch.shape.columns != shape_.columns || batch.shape.type != shape_.type)) return false;
  shape_ = batch.shape;
  const std::byte* end = batch.begin;
  while (const std::size_t size = proto::row_at(end, batch.end, batch.shape)) {
    end += size;
    ++count_;
  }
  const std::size_t needed = bytes_.size() + static_cast<std::size_t>(end - batch.begin);
  if (needed > bytes_.capacity()) {
    const bool is_first = bytes_.empty();  // most results have one chunk
    const std::size_t most = room.most().each;
    const std::size_t capacity = is_first ? needed : std::max(needed, std::min(bytes_.capacity() * 2, most));
    if (!room.reserve(of, capacity - bytes_.capacity())) return false;
    bytes_.reserve(capacity);
  }
  bytes_.insert(bytes_.end(), batch.begin, end);
  return true;
}

}  // namespace sluice::detail
