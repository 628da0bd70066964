#include "auth/base64.hpp"

#include <cstdint>

namespace sluice::proto {

namespace {
constexpr std::string_view alphabet{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"};
}  // namespace

std::string encode_base64(std::span<const std::byte> bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  std::uint32_t pending = 0;
  unsigned bits = 0;
  for (const std::byte next : bytes) {
    pending = (pending << 8U) | std::to_integer<std::uint32_t>(next);
    for (bits += 8; bits >= 6;) {
      bits -= 6;
      out += alphabet[(pending >> bits) & 0x3fU];
    }
  }
  if (bits > 0) out += alphabet[(pending << (6 - bits)) & 0x3fU];
  while (out.size() % 4 != 0) out += '=';
  return out;
}

std::optional<std::vector<std::byte>> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return {};
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);

  std::vector<std::byte> out;
  out.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t pending = 0;
  unsigned bits = 0;
  for (const char next : text) {
    const std::size_t value = alphabet.find(next);
    if (value == std::string_view::npos) return {};
    pending = (pending << 6U) | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out.push_back(static_cast<std::byte>((pending >> bits) & 0xffU));
  }
  // The leftover bits must be zero, otherwise two texts would decode to the same bytes.
  if ((pending & ((1U << bits) - 1U)) != 0) return {};
  return out;
}

}  // namespace sluice::proto
