#pragma once
// Base64 as SCRAM uses it: RFC 4648, section 4, with padding. Anything that the encoder would not produce is rejected.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::proto {

[[nodiscard]] std::string encode_base64(std::span<const std::byte> bytes);
[[nodiscard]] std::optional<std::vector<std::byte>> decode_base64(std::string_view text);

}  // namespace sluice::proto
