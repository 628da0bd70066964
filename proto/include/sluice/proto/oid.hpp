#pragma once
/// @file
/// The OIDs of the built-in types that this library names. They never change (src/include/catalog/pg_type.dat).

#include <cstdint>

namespace sluice::proto::oid {

inline constexpr std::uint32_t boolean = 16;
inline constexpr std::uint32_t int8 = 20;
inline constexpr std::uint32_t json = 114;
inline constexpr std::uint32_t float8 = 701;
inline constexpr std::uint32_t numeric = 1700;
inline constexpr std::uint32_t jsonb = 3802;

}  // namespace sluice::proto::oid
