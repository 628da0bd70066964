// Arbitrary bytes as a row with one column of any type, in binary and in text: an object or an error, and no read past
// the row. The first byte chooses the type.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <sluice/proto/byte_order.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include <simdjson.h>

#include "fuzzing.hpp"
#include "json/object_writer.hpp"

namespace objects_fuzz {
namespace {

using namespace sluice::detail;

constexpr std::uint32_t of_everything = 20'000;  // a composite
constexpr std::uint32_t array_of_it = 20'001;
constexpr std::uint32_t in_text_only = 20'002;

type_catalog a_database() {
  using enum type_facts::kind;
  type_catalog types;
  types.add(of_everything,
            {.what = composite, .fields = {{"a", 23}, {"b", 25}, {"c", 1700}, {"d", 1007}, {"e", 1184}, {"f", 701}}});
  types.add(array_of_it, {.what = array, .inner = of_everything});
  types.add(in_text_only, {.what = composite, .fields = {{"a", 869}, {"b", array_of_it}, {"c", 1184}}});
  return types;
}

using sluice::proto::value_format;

/// Types whose values become valid JSON whatever their bytes are. The others contain text, which the real server has
/// validated.
bool is_always_json(std::uint32_t type, value_format format) {
  if (format == value_format::text) return type == 16;
  constexpr std::array always{16U,   17U,   20U,   21U,   22U,   23U,   26U,   30U,   700U,  701U,
                              1000U, 1001U, 1005U, 1007U, 1016U, 1021U, 1022U, 1082U, 1083U, 1114U,
                              1115U, 1182U, 1184U, 1185U, 1231U, 1700U, 2950U, 2951U};
  return std::find(always.begin(), always.end(), type) != always.end();
}

void write(std::uint32_t type, value_plan plan, const std::vector<std::byte>& body) {
  const value_format format = plan.format;
  object_writer objects;
  objects.add_column("v", std::move(plan));
  text_buffer to;
  to.add("before");
  const bool is_good = objects.write(to, body);
  sluice::test::require(to.text().starts_with("before"), "what was written before is kept");
  const std::string_view object = to.text().substr(6);
  if (!is_good) {
    sluice::test::require(object.empty(), "nothing is left of a malformed row");
    return;
  }
  sluice::test::require(object.starts_with("{\"v\":") && object.ends_with('}'), "a row becomes an object");
  if (!is_always_json(type, format)) return;
  simdjson::dom::parser parser;
  const simdjson::error_code failed = parser.parse(object.data(), object.size()).error();
  // numeric has values outside the range of simdjson's numbers.
  sluice::test::require(failed == simdjson::SUCCESS || failed == simdjson::NUMBER_ERROR, "it is JSON");
}

void run(const std::uint8_t* data, std::size_t size) {
  constexpr std::array types{16U,   17U,   20U,   21U,           22U,         23U,         25U,   26U,   30U,
                             114U,  700U,  701U,  869U,          1000U,       1001U,       1005U, 1007U, 1009U,
                             1016U, 1020U, 1021U, 1022U,         1041U,       1082U,       1083U, 1114U, 1115U,
                             1182U, 1184U, 1185U, 1231U,         1700U,       2249U,       2277U, 2950U, 2951U,
                             3802U, 3807U, 3904U, of_everything, array_of_it, in_text_only};
  if (size == 0) return;
  const std::uint32_t type = types[*data % types.size()];
  const std::size_t length = size - 1;
  std::vector<std::byte> body(6 + length);
  sluice::proto::store_big<std::uint16_t>(body.data(), 1);
  sluice::proto::store_big(body.data() + 2, static_cast<std::uint32_t>(length));
  if (length != 0) std::memcpy(body.data() + 6, data + 1, length);
  const type_catalog known = a_database();
  write(type, plan_values(type, known, {}), body);
  write(type, plan_text_values(type, known, {.is_in_utc = false}), body);
}

const sluice::test::fuzz_target target{"objects", run};

}  // namespace
}  // namespace objects_fuzz
