#include <sluice/proto/row_walk.hpp>

namespace sluice::proto {

/// This runs per field of each row, so it is a walk of its own rather than one by a body_reader.
bool fields_fill(const std::byte* body, std::size_t size, std::uint16_t columns) noexcept {
  constexpr std::size_t count_size = 2;
  constexpr std::size_t field_length_size = 4;
  if (size < count_size || load_big<std::uint16_t>(body) != columns) return false;
  const std::byte* at = body + count_size;
  const std::byte* const end = body + size;
  for (std::uint16_t i = 0; i < columns; ++i) {
    if (static_cast<std::size_t>(end - at) < field_length_size) return false;
    const auto length = load_big<std::uint32_t>(at);
    at += field_length_size;
    if (length == null_length) continue;
    if (length > static_cast<std::size_t>(end - at)) return false;
    at += length;
  }
  return at == end;
}

}  // namespace sluice::proto
