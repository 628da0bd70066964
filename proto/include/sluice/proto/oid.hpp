#pragma once
/// @file
/// The OIDs of the built-in types that this library reads or sends, as used in RowDescription, ParameterDescription and
/// Parse. They never change between releases of Postgres. OIDs of user-defined types do, and they differ between
/// databases.
/// @see src/include/catalog/pg_type.dat in the sources of PostgreSQL

#include <cstdint>
#include <string_view>

#include <sluice/export.hpp>

namespace sluice::proto::oid {

inline constexpr std::uint32_t boolean = 16;  ///< `bool` in SQL
inline constexpr std::uint32_t bytea = 17;
inline constexpr std::uint32_t name = 19;
inline constexpr std::uint32_t int8 = 20;
inline constexpr std::uint32_t int2 = 21;
inline constexpr std::uint32_t int4 = 23;
inline constexpr std::uint32_t text = 25;
inline constexpr std::uint32_t object_id = 26;  ///< `oid` in SQL
inline constexpr std::uint32_t json = 114;
inline constexpr std::uint32_t xml = 142;
inline constexpr std::uint32_t cidr = 650;
inline constexpr std::uint32_t float4 = 700;
inline constexpr std::uint32_t float8 = 701;
inline constexpr std::uint32_t unknown = 705;  ///< a literal whose type is not decided yet
inline constexpr std::uint32_t inet = 869;
inline constexpr std::uint32_t bpchar = 1042;  ///< `char(n)` in SQL
inline constexpr std::uint32_t varchar = 1043;
inline constexpr std::uint32_t date = 1082;
inline constexpr std::uint32_t time = 1083;
inline constexpr std::uint32_t timestamp = 1114;
inline constexpr std::uint32_t timestamptz = 1184;
inline constexpr std::uint32_t interval = 1186;
inline constexpr std::uint32_t timetz = 1266;
inline constexpr std::uint32_t numeric = 1700;
inline constexpr std::uint32_t uuid = 2950;
inline constexpr std::uint32_t jsonb = 3802;
inline constexpr std::uint32_t jsonpath = 4072;

inline constexpr std::uint32_t json_array = 199;
inline constexpr std::uint32_t boolean_array = 1000;
inline constexpr std::uint32_t bytea_array = 1001;
inline constexpr std::uint32_t int2_array = 1005;
inline constexpr std::uint32_t int4_array = 1007;
inline constexpr std::uint32_t text_array = 1009;
inline constexpr std::uint32_t varchar_array = 1015;
inline constexpr std::uint32_t int8_array = 1016;
inline constexpr std::uint32_t float4_array = 1021;
inline constexpr std::uint32_t float8_array = 1022;
inline constexpr std::uint32_t inet_array = 1041;
inline constexpr std::uint32_t timestamp_array = 1115;
inline constexpr std::uint32_t date_array = 1182;
inline constexpr std::uint32_t timestamptz_array = 1185;
inline constexpr std::uint32_t numeric_array = 1231;
inline constexpr std::uint32_t uuid_array = 2951;
inline constexpr std::uint32_t jsonb_array = 3807;

/// The name of any built-in type in the schema pg_catalog, such as `int4` and `int4[]`; empty for another type.
[[nodiscard]] SLUICE_API std::string_view name_of(std::uint32_t type) noexcept;

}  // namespace sluice::proto::oid
