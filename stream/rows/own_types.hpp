#pragma once
#include <cstdint>

namespace sluice::detail {

/// Types with this OID or a greater one have been made by users or extensions (FirstNormalObjectId).
inline constexpr std::uint32_t first_own_type = 16384;

}  // namespace sluice::detail
