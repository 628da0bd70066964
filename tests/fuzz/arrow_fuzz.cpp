// Arbitrary bytes as rows of columns of every type that has an Arrow form: batches whose offsets lie inside their
// buffers, or an error, and no read past a field. The first byte chooses the options, the second the type.
#include <algorithm>
#include <cstring>
#include <sluice/proto/oid.hpp>
#include <sluice/wire/error.hpp>
#include <string>
#include <vector>

#include "arrow/batch_builder.hpp"
#include "arrow_values.hpp"
#include "fuzzing.hpp"

namespace arrow_fuzz {
namespace {

using namespace sluice;
namespace oid = proto::oid;
using kind = result_column::kind;

std::vector<result_column> every_column() {
  constexpr std::int32_t ten_and_two = ((10 << 16) | 2) + 4;
  std::vector<result_column> all;
  for (const std::uint32_t type : {oid::boolean, oid::int2, oid::int4, oid::int8, oid::object_id, oid::float4,
                                   oid::float8, oid::numeric, oid::text, oid::jsonb, oid::uuid, oid::bytea, oid::date,
                                   oid::time, oid::timestamp, oid::timestamptz, oid::interval})
    all.push_back({.name = "c", .type = type, .what = kind::scalar, .base = type});
  all.push_back(
      {.name = "c", .type = oid::numeric, .modifier = ten_and_two, .what = kind::scalar, .base = oid::numeric});
  all.push_back({.name = "c", .type = 20'000, .what = kind::enumeration, .base = 20'000});
  const std::vector<result_column> scalars = all;
  for (const result_column& each : scalars) {
    result_column list{.name = "c", .type = 20'001, .what = kind::array, .base = 20'001};
    list.parts.push_back(each);
    all.push_back(list);
    result_column both{.name = "c", .type = 20'002, .what = kind::composite, .base = 20'002};
    both.parts.push_back(each);
    both.parts.push_back(list);
    all.push_back(both);
  }
  return all;
}

void run(const std::uint8_t* data, std::size_t size) {
  static const std::vector<result_column> columns = every_column();
  if (size < 2) return;
  arrow_options how{.max_rows = 8};
  if ((data[0] & 1) != 0) how.infinities = arrow_options::special::null;
  if ((data[0] & 2) != 0) how.infinities = arrow_options::special::saturate;
  if ((data[0] & 4) != 0) how.not_a_number = arrow_options::special::null;
  if ((data[0] & 8) != 0) how.dictionaries = true;
  if ((data[0] & 16) != 0) how.numeric = arrow_options::numerics::decimal;
  if ((data[0] & 32) != 0) how.numeric = arrow_options::numerics::float64;
  const std::vector<result_column> one{columns[data[1] % columns.size()]};
  const arrow_schema schema = detail::batch_builder{one, how}.schema();
  detail::batch_builder made{one, how};
  std::size_t rows = 0;
  // Each value after its length in a byte; 255 is NULL. A row ends where its memory does, which sanitizers watch.
  for (std::size_t at = 2; at < size && !made.is_full();) {
    const bool is_null = data[at] == 255;
    const std::size_t length = is_null ? 0 : std::min<std::size_t>(data[at], size - at - 1);
    std::vector<std::byte> body(6 + length);
    proto::store_big(body.data(), std::uint16_t{1});
    proto::store_big(body.data() + 2, is_null ? proto::null_length : static_cast<std::uint32_t>(length));
    if (length != 0) std::memcpy(body.data() + 6, data + at + 1, length);
    at += 1 + length;
    try {
      if (made.add(row{body.data()})) ++rows;
    } catch (const error& refused) {
      sluice::test::require(refused.code() == errc::bad_column, "a value is refused as a bad column");
    }
    sluice::test::require(made.rows() == rows, "a refused row leaves nothing");
  }
  try {
    const arrow_batch batch = made.finish();
    sluice::test::require(batch.rows() == rows, "a batch has the rows that were added");
    for (std::int64_t i = 0; i < batch.array().length; ++i)
      (void)sluice::test::text_at(schema.schema(), batch.array(), i);
  } catch (const error& refused) {
    sluice::test::require(refused.code() == errc::bad_column, "text that is not UTF-8 is a bad column");
  }
}

const sluice::test::fuzz_target target{"arrow", run};

}  // namespace
}  // namespace arrow_fuzz
