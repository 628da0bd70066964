// Arbitrary bytes as a field of any type: a value or an error, and no read past the field. The first byte chooses the
// type.
#include <array>
#include <sluice/stream/columns.hpp>
#include <sluice/wire/error.hpp>

#include "fuzzing.hpp"

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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::array types{oid::boolean, oid::bytea,  oid::int2,       oid::int4,       oid::int8,
                             oid::text,    oid::jsonb,  oid::float4,     oid::float8,     oid::date,
                             oid::time,    oid::timetz, oid::timestamp,  oid::interval,   oid::timestamptz,
                             oid::numeric, oid::uuid,   oid::int4_array, oid::text_array, std::uint32_t{99'999}};
  if (size == 0) return 0;
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
  return 0;
}
