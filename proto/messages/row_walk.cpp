#include <sluice/proto/row_walk.hpp>

#include "messages/body_reader.hpp"

namespace sluice::proto {

bool fields_fill(const std::byte* body, std::size_t size, std::uint16_t columns) noexcept {
  body_reader in{{body, size}};
  if (in.u16() != columns) return false;
  for (std::uint16_t i = 0; i < columns && in.ok(); ++i) {
    const std::int32_t length = in.i32();
    if (length < -1) return false;
    if (length > 0) (void)in.bytes(static_cast<std::size_t>(length));
  }
  return in.exhausted();
}

}  // namespace sluice::proto
