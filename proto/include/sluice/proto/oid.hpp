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

inline constexpr std::uint32_t one_char = 18;  ///< `"char"` in SQL
inline constexpr std::uint32_t regproc = 24;
inline constexpr std::uint32_t tid = 27;
inline constexpr std::uint32_t xid = 28;
inline constexpr std::uint32_t cid = 29;
inline constexpr std::uint32_t point = 600;
inline constexpr std::uint32_t lseg = 601;
inline constexpr std::uint32_t path = 602;
inline constexpr std::uint32_t box = 603;
inline constexpr std::uint32_t polygon = 604;
inline constexpr std::uint32_t line = 628;
inline constexpr std::uint32_t circle = 718;
inline constexpr std::uint32_t macaddr8 = 774;
inline constexpr std::uint32_t money = 790;
inline constexpr std::uint32_t macaddr = 829;
inline constexpr std::uint32_t bit = 1560;
inline constexpr std::uint32_t varbit = 1562;
inline constexpr std::uint32_t regprocedure = 2202;
inline constexpr std::uint32_t regoper = 2203;
inline constexpr std::uint32_t regoperator = 2204;
inline constexpr std::uint32_t regclass = 2205;
inline constexpr std::uint32_t regtype = 2206;
inline constexpr std::uint32_t pg_lsn = 3220;
inline constexpr std::uint32_t regconfig = 3734;
inline constexpr std::uint32_t regdictionary = 3769;
inline constexpr std::uint32_t int4range = 3904;
inline constexpr std::uint32_t numrange = 3906;
inline constexpr std::uint32_t tsrange = 3908;
inline constexpr std::uint32_t tstzrange = 3910;
inline constexpr std::uint32_t daterange = 3912;
inline constexpr std::uint32_t int8range = 3926;
inline constexpr std::uint32_t regnamespace = 4089;
inline constexpr std::uint32_t regrole = 4096;
inline constexpr std::uint32_t regcollation = 4191;
inline constexpr std::uint32_t int4multirange = 4451;
inline constexpr std::uint32_t nummultirange = 4532;
inline constexpr std::uint32_t tsmultirange = 4533;
inline constexpr std::uint32_t tstzmultirange = 4534;
inline constexpr std::uint32_t datemultirange = 4535;
inline constexpr std::uint32_t int8multirange = 4536;
inline constexpr std::uint32_t xid8 = 5069;

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
