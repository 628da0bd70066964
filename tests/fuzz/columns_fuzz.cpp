// Arbitrary bytes as a field of any type: a value or an error, and no read past the field. The first byte chooses the
// type.
#include <array>
#include <bitset>
#include <map>
#include <sluice/stream/columns.hpp>
#include <sluice/wire/error.hpp>

#include "fuzzing.hpp"

namespace fuzzed {

/// As deep as the input has it.
struct tree {
  std::int32_t id{};
  std::vector<tree> children{};
};
SLUICE_JSON(tree, id, children)

enum class letter : std::uint8_t { a, b };
SLUICE_JSON_ENUM(letter, a, b)

}  // namespace fuzzed

namespace columns_fuzz {
namespace {

using namespace sluice;
namespace oid = proto::oid;

template <class T>
void read(const binary_field& field) {
  try {
    T value{};
    from_binary(field, value);
  } catch (const error& refused) {
    sluice::test::require(refused.code() == errc::bad_column, "a field is refused as a bad column");
  }
}

void run(const std::uint8_t* data, std::size_t size) {
  constexpr std::array types{
      oid::boolean,        oid::bytea,         oid::int2,          oid::int4,       oid::int8,
      oid::text,           oid::jsonb,         oid::float4,        oid::float8,     oid::date,
      oid::time,           oid::timetz,        oid::timestamp,     oid::interval,   oid::timestamptz,
      oid::numeric,        oid::uuid,          oid::int4_array,    oid::text_array, std::uint32_t{99'999},
      oid::inet,           oid::cidr,          oid::macaddr,       oid::macaddr8,   oid::bit,
      oid::varbit,         oid::money,         oid::tid,           oid::point,      oid::line,
      oid::lseg,           oid::box,           oid::path,          oid::polygon,    oid::circle,
      oid::xid8,           oid::one_char,      oid::int4range,     oid::numrange,   oid::tstzrange,
      oid::int4multirange, oid::nummultirange, std::uint32_t{2249}};
  if (size == 0) return;
  const result_column column{.name = "c", .type = types[*data % types.size()]};
  const binary_field field{.bytes = std::as_bytes(std::span{data + 1, size - 1}),
                           .is_null = false,
                           .type = column.type,
                           .index = 0,
                           .column = &column};
  read<bool>(field);
  read<int>(field);
  read<double>(field);
  read<std::string>(field);
  read<std::vector<std::byte>>(field);
  read<uuid>(field);
  read<std::chrono::sys_days>(field);
  read<std::chrono::year_month_day>(field);
  read<std::chrono::system_clock::time_point>(field);
  read<std::chrono::local_time<std::chrono::microseconds>>(field);
  read<std::chrono::microseconds>(field);
  read<time_with_zone>(field);
  read<interval>(field);
  read<std::vector<std::optional<int>>>(field);
  read<std::vector<std::string>>(field);
  read<std::vector<std::vector<int>>>(field);
  read<std::vector<std::vector<std::optional<std::string>>>>(field);
  read<multi_array<std::string>>(field);
  read<char>(field);
  read<network_address>(field);
  read<mac_address>(field);
  read<mac_address_8>(field);
  read<bit_string>(field);
  read<std::bitset<12>>(field);
  read<std::vector<bool>>(field);
  read<money>(field);
  read<row_place>(field);
  read<ltree>(field);
  read<fuzzed::letter>(field);
  read<fuzzed::tree>(field);
  read<std::tuple<int, std::optional<std::string>, std::vector<int>>>(field);
  read<range<int>>(field);
  read<range<std::string>>(field);
  read<multirange<std::chrono::system_clock::time_point>>(field);
  read<multirange<double>>(field);
  read<std::map<std::string, std::optional<std::string>>>(field);
  read<std::vector<std::pair<std::string_view, std::optional<std::string_view>>>>(field);
}

const sluice::test::fuzz_target target{"columns", run};

}  // namespace
}  // namespace columns_fuzz
