#include <sluice/proto/row_walk.hpp>

#include "messages/body_reader.hpp"

namespace sluice::proto {

bool fields_fill(const std::byte* body, std::size_t size, std::uint16_t columns) noexcept {
  body_reader in{{body, size}};
  if (in.u16() != columns) return false;
  for (std::uint16_t i = 0; i < columns && in.ok(); ++i) {
    const std::uint32_t length = in.u32();
    if (length != null_length) (void)in.bytes(length);
  }
  return in.exhausted();
}

}  // namespace sluice::proto
