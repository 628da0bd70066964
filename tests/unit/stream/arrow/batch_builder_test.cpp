// Rows become batches: every type from its bytes, bitmaps, bounds, and what is refused.
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <sluice/proto/byte_order.hpp>
#include <sluice/proto/oid.hpp>
#include <sluice/wire/error.hpp>
#include <string>
#include <utility>
#include <vector>

#include "arrow/batch_builder.hpp"
#include "arrow_values.hpp"

namespace batch_builder_test {
namespace {

using namespace sluice;
using detail::batch_builder;
using sluice::test::text_at;
namespace oid = proto::oid;
using kind = result_column::kind;
using field = std::optional<std::string>;

template <class Unsigned>
std::string big(Unsigned value) {
  std::string bytes(sizeof value, '\0');
  proto::store_big(reinterpret_cast<std::byte*>(bytes.data()), value);
  return bytes;
}
std::string big16(int value) { return big(static_cast<std::uint16_t>(value)); }
std::string big32(std::int64_t value) { return big(static_cast<std::uint32_t>(value)); }
std::string big64(std::int64_t value) { return big(static_cast<std::uint64_t>(value)); }

std::string part(const field& value) {
  return value ? big32(static_cast<std::int64_t>(value->size())) + *value : big32(-1);
}
std::string body(const std::vector<field>& fields) {
  std::string bytes = big16(static_cast<int>(fields.size()));
  for (const field& each : fields) bytes += part(each);
  return bytes;
}
/// Digits in base 10000.
std::string numeric(const std::vector<int>& digits, int weight, int sign, int scale) {
  std::string bytes = big16(static_cast<int>(digits.size())) + big16(weight) + big16(sign) + big16(scale);
  for (const int each : digits) bytes += big16(each);
  return bytes;
}
std::string array(std::uint32_t type, const std::vector<field>& elements) {
  std::string bytes = big32(elements.empty() ? 0 : 1) + big32(0) + big32(type);
  if (!elements.empty()) bytes += big32(static_cast<std::int64_t>(elements.size())) + big32(1);
  for (const field& each : elements) bytes += part(each);
  return bytes;
}

result_column scalar(std::uint32_t type, std::int32_t modifier = -1) {
  return {.name = "c", .type = type, .modifier = modifier, .what = kind::scalar, .base = type};
}
constexpr std::int32_t modifier_of(int precision, int scale) { return ((precision << 16) | (scale & 0x7ff)) + 4; }
result_column list_of(std::uint32_t type, result_column element) {
  result_column made{.name = "c", .type = type, .what = kind::array, .base = type};
  element.name = "item";
  made.parts.push_back(std::move(element));
  return made;
}

/// A builder of one column.
class one_column {
 public:
  explicit one_column(const result_column& column, const arrow_options& how = {}) : made_{std::vector{column}, how} {}
  bool add(const field& value) {
    const std::string bytes = body({value});
    return made_.add(row{reinterpret_cast<const std::byte*>(bytes.data())});
  }
  /// The values of the batch, and another batch is begun.
  std::vector<std::string> finish() {
    const arrow_schema schema = made_.schema();
    const arrow_batch batch = made_.finish();
    null_count = batch.array().children[0]->null_count;
    has_bitmap = batch.array().children[0]->buffers[0] != nullptr;
    std::vector<std::string> values;
    for (std::int64_t i = 0; i < batch.array().length; ++i)
      values.push_back(text_at(*schema.schema().children[0], *batch.array().children[0], i));
    return values;
  }
  [[nodiscard]] batch_builder& made() { return made_; }
  [[nodiscard]] std::string format() const { return made_.schema().schema().children[0]->format; }

  std::int64_t null_count{};
  bool has_bitmap{};

 private:
  batch_builder made_;
};

/// What the single value becomes, and its format.
std::string becomes(const result_column& column, const std::string& bytes, const arrow_options& how = {}) {
  one_column made{column, how};
  EXPECT_TRUE(made.add(bytes));
  return made.format() + ' ' + made.finish().at(0);
}
/// Why a value is refused.
std::string refusal(const result_column& column, const std::string& bytes, const arrow_options& how = {}) {
  one_column made{column, how};
  try {
    (void)made.add(bytes);
    return "accepted as " + made.finish().at(0);
  } catch (const error& why) {
    EXPECT_EQ(why.code(), errc::bad_column);
    EXPECT_EQ(made.made().rows(), 0U);
    return why.what();
  }
}

TEST(ArrowBatch, HasEveryScalarTypeAsItsBytesSay) {
  EXPECT_EQ(becomes(scalar(oid::boolean), "\1"), "b t");
  EXPECT_EQ(becomes(scalar(oid::int2), big16(-32768)), "s -32768");
  EXPECT_EQ(becomes(scalar(oid::int4), big32(-7)), "i -7");
  EXPECT_EQ(becomes(scalar(oid::int8), big64(std::numeric_limits<std::int64_t>::min())), "l -9223372036854775808");
  EXPECT_EQ(becomes(scalar(oid::object_id), big32(4294967295)), "I 4294967295");
  EXPECT_EQ(becomes(scalar(oid::float4), big32(0x3fc00000)), "f 1.5");
  EXPECT_EQ(becomes(scalar(oid::float8), big64(0x3ff8000000000000)), "g 1.5");
  EXPECT_EQ(becomes(scalar(oid::text), "Gr\xc3\xbc\xc3\x9f"), "u Gr\xc3\xbc\xc3\x9f");
  EXPECT_EQ(becomes(scalar(oid::json), "{\"a\": 1}"), "u {\"a\": 1}");
  EXPECT_EQ(becomes(scalar(oid::jsonb), "\1{}"), "u {}");
  EXPECT_EQ(becomes(scalar(oid::bytea), std::string{"\0\xff", 2}), (std::string{"z \0\xff", 4}));
  EXPECT_EQ(becomes(scalar(oid::uuid), "0123456789abcdef"), "w:16 30313233-3435-3637-3839-616263646566");
  EXPECT_EQ(becomes(scalar(oid::time), big64(86'400'000'000)), "ttu 86400000000");
  EXPECT_EQ(becomes(scalar(oid::interval), big64(3) + big32(2) + big32(-1)), "tin -1 2 3000");
}

TEST(ArrowBatch, CountsDatesAndTimesFromTheEpochOfUnix) {
  EXPECT_EQ(becomes(scalar(oid::date), big32(0)), "tdD 10957");
  EXPECT_EQ(becomes(scalar(oid::date), big32(-10957)), "tdD 0");
  EXPECT_EQ(becomes(scalar(oid::timestamp), big64(0)), "tsu: 946684800000000");
  EXPECT_EQ(becomes(scalar(oid::timestamptz), big64(-946684800000001)), "tsu:UTC -1");
}

TEST(ArrowBatch, RefusesWhatLiesBeyondTheShiftOfTheEpoch) {
  EXPECT_NE(refusal(scalar(oid::timestamp), big64(9'223'371'331'199'999'999)).find("too far away"), std::string::npos);
  EXPECT_NE(refusal(scalar(oid::date), big32(2'147'483'646)).find("too far away"), std::string::npos);
  EXPECT_NE(refusal(scalar(oid::interval), big64(9'223'372'036'854'776) + big32(0) + big32(0)).find("too far away"),
            std::string::npos);
}

TEST(ArrowBatch, TreatsInfinitiesAsTheOptionsSay) {
  const std::string endless = big64(std::numeric_limits<std::int64_t>::max());
  const std::string never = big32(std::numeric_limits<std::int32_t>::min());
  EXPECT_NE(refusal(scalar(oid::timestamptz), endless).find("infinity has no Arrow value"), std::string::npos);
  const arrow_options saturates{.infinities = arrow_options::special::saturate};
  EXPECT_EQ(becomes(scalar(oid::timestamptz), endless, saturates), "tsu:UTC 9223372036854775807");
  EXPECT_EQ(becomes(scalar(oid::date), never, saturates), "tdD -2147483648");
  const arrow_options nulls{.infinities = arrow_options::special::null};
  EXPECT_EQ(becomes(scalar(oid::timestamp), endless, nulls), "tsu: NULL");
  EXPECT_EQ(becomes(scalar(oid::date), never, nulls), "tdD NULL");
  const std::string for_ever = endless + big32(2'147'483'647) + big32(2'147'483'647);  // since Postgres 17
  EXPECT_NE(refusal(scalar(oid::interval), for_ever).find("infinity has no Arrow value"), std::string::npos);
  EXPECT_EQ(becomes(scalar(oid::interval), for_ever, nulls), "tin NULL");
  EXPECT_EQ(becomes(scalar(oid::interval), for_ever, saturates), "tin 2147483647 2147483647 9223372036854775807");
}

TEST(ArrowBatch, HasDecimalsOfThePrecisionThatTheModifierSays) {
  EXPECT_EQ(becomes(scalar(oid::numeric, modifier_of(10, 2)), numeric({12, 3400}, 0, 0, 2)), "d:10,2 12.34");
  EXPECT_EQ(becomes(scalar(oid::numeric, modifier_of(10, 2)), numeric({12, 3400}, 0, 0x4000, 2)), "d:10,2 -12.34");
  EXPECT_EQ(becomes(scalar(oid::numeric, modifier_of(12, 0)), numeric({1}, 2, 0, 0)), "d:12,0 100000000");
  EXPECT_EQ(becomes(scalar(oid::numeric, modifier_of(3, -2)), numeric({1, 2300}, 1, 0, 0)), "d:5,0 12300");
  EXPECT_EQ(becomes(scalar(oid::numeric, modifier_of(2, 4)), numeric({12}, -1, 0, 4)), "d:4,4 0.0012");
  EXPECT_EQ(becomes(scalar(oid::numeric, modifier_of(38, 0)),
                    numeric(std::vector<int>{99, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999}, 9, 0, 0)),
            "d:38,0 " + std::string(38, '9'));
  EXPECT_EQ(becomes(scalar(oid::numeric, modifier_of(5, 5)), numeric({}, 0, 0, 5)), "d:5,5 0.00000");
}

TEST(ArrowBatch, RefusesDigitsThatADecimalHasNoPlaceFor) {
  const arrow_options decimals{.numeric = arrow_options::numerics::decimal, .precision = 6, .scale = 3};
  EXPECT_EQ(becomes(scalar(oid::numeric), numeric({1, 5000}, 0, 0, 1), decimals), "d:6,3 1.500");
  EXPECT_NE(refusal(scalar(oid::numeric), numeric({1000}, 0, 0, 0), decimals).find("too many digits for"),
            std::string::npos);
  EXPECT_NE(refusal(scalar(oid::numeric), numeric({1, 5001}, 0, 0, 4), decimals).find("after the point"),
            std::string::npos);
  EXPECT_NE(refusal(scalar(oid::numeric), numeric({}, 0, 0xc000, 0), decimals).find("NaN is not a decimal"),
            std::string::npos);
  arrow_options nulls = decimals;
  nulls.not_a_number = arrow_options::special::null;
  EXPECT_EQ(becomes(scalar(oid::numeric), numeric({}, 0, 0xd000, 0), nulls), "d:6,3 NULL");
}

TEST(ArrowBatch, HasOtherNumericsAsTheOptionsSay) {
  const std::string value = numeric({1, 5000}, 0, 0x4000, 3);
  EXPECT_EQ(becomes(scalar(oid::numeric), value), "u -1.500");
  EXPECT_EQ(becomes(scalar(oid::numeric), numeric({}, 0, 0xc000, 0)), "u NaN");
  const arrow_options doubles{.numeric = arrow_options::numerics::float64};
  EXPECT_EQ(becomes(scalar(oid::numeric), value, doubles), "g -1.5");
  EXPECT_EQ(becomes(scalar(oid::numeric), numeric({}, 0, 0xf000, 0), doubles), "g -inf");
  EXPECT_EQ(becomes(scalar(oid::numeric, modifier_of(39, 0)), numeric({7}, 0, 0, 0)), "u 7");
}

TEST(ArrowBatch, HasABitmapOnlyWhereThereAreNulls) {
  one_column made{scalar(oid::int4)};
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(made.add(big32(i)));
  EXPECT_EQ(made.finish().size(), 20U);
  EXPECT_FALSE(made.has_bitmap);
  std::vector<std::string> expected;
  for (int i = 0; i < 20; ++i) {
    const bool is_null = i == 11 || i == 19;
    EXPECT_TRUE(made.add(is_null ? field{} : field{big32(i)}));
    expected.push_back(is_null ? "NULL" : std::to_string(i));
  }
  EXPECT_EQ(made.finish(), expected);
  EXPECT_TRUE(made.has_bitmap);
  EXPECT_EQ(made.null_count, 2);
  EXPECT_TRUE(made.add(big32(1)));
  EXPECT_EQ(made.finish(), std::vector<std::string>{"1"});
  EXPECT_FALSE(made.has_bitmap) << "the nulls of the batch before are not this one's";
}

TEST(ArrowBatch, HasArraysAsLists) {
  one_column made{list_of(oid::int4_array, scalar(oid::int4))};
  EXPECT_TRUE(made.add(array(oid::int4, {big32(1), field{}, big32(3)})));
  EXPECT_TRUE(made.add(field{}));
  EXPECT_TRUE(made.add(array(oid::int4, {})));
  EXPECT_EQ(made.format(), "+l");
  EXPECT_EQ(made.finish(), (std::vector<std::string>{"{1,NULL,3}", "NULL", "{}"}));
}

TEST(ArrowBatch, RefusesAnArrayOfTwoDimensions) {
  const std::string square =
      big32(2) + big32(0) + big32(oid::int4) + big32(1) + big32(1) + big32(1) + big32(1) + part(big32(5));
  EXPECT_NE(refusal(list_of(oid::int4_array, scalar(oid::int4)), square).find("2 dimensions"), std::string::npos);
}

TEST(ArrowBatch, HasCompositesAsStructs) {
  result_column pair{.name = "c", .type = 20'000, .what = kind::composite, .base = 20'000};
  pair.parts.push_back(scalar(oid::int4));
  pair.parts.push_back(scalar(oid::text));
  one_column made{pair};
  EXPECT_TRUE(made.add(big32(2) + big32(oid::int4) + part(big32(7)) + big32(oid::text) + part("x")));
  EXPECT_TRUE(made.add(big32(2) + big32(oid::int4) + part(field{}) + big32(oid::text) + part(field{})));
  EXPECT_TRUE(made.add(field{}));
  EXPECT_EQ(made.finish(), (std::vector<std::string>{"(7,x)", "(NULL,NULL)", "NULL"}));
  EXPECT_NE(refusal(pair, big32(1) + big32(oid::int4) + part(big32(7))).find("not a value of its type"),
            std::string::npos);
}

TEST(ArrowBatch, HasEnumerationsAsADictionaryOnRequest) {
  const result_column mood{.name = "c", .type = 20'001, .what = kind::enumeration, .base = 20'001};
  EXPECT_EQ(becomes(mood, "happy"), "u happy");
  one_column made{mood, {.dictionaries = true}};
  for (const char* each : {"sad", "happy", "sad"}) EXPECT_TRUE(made.add(each));
  EXPECT_TRUE(made.add(field{}));
  EXPECT_EQ(made.format(), "i");
  EXPECT_EQ(made.finish(), (std::vector<std::string>{"sad", "happy", "sad", "NULL"}));
}

TEST(ArrowBatch, IsAsBeforeWhenARowIsRefusedInTheMiddle) {
  batch_builder made{std::vector{scalar(oid::int4), scalar(oid::text), list_of(oid::int4_array, scalar(oid::int4))},
                     {}};
  const auto add = [&](const std::vector<field>& fields) {
    const std::string bytes = body(fields);
    return made.add(row{reinterpret_cast<const std::byte*>(bytes.data())});
  };
  const std::string good = array(oid::int4, {big32(1)});
  EXPECT_TRUE(add({big32(1), "a", good}));
  EXPECT_THROW((void)add({field{}, "bb", array(oid::int4, {big32(2), "x"})}), error);
  EXPECT_TRUE(add({big32(2), field{}, good}));
  EXPECT_EQ(made.rows(), 2U);
  const arrow_schema schema = made.schema();
  const arrow_batch batch = made.finish();
  EXPECT_EQ(text_at(schema.schema(), batch.array(), 0), "(1,a,{1})");
  EXPECT_EQ(text_at(schema.schema(), batch.array(), 1), "(2,NULL,{1})");
  EXPECT_EQ(batch.array().children[0]->null_count, 0);
  EXPECT_EQ(batch.array().children[2]->children[0]->length, 2);
}

TEST(ArrowBatch, IsFullAtEitherBound) {
  one_column rows{scalar(oid::int4), {.max_rows = 2}};
  EXPECT_TRUE(rows.add(big32(1)));
  EXPECT_FALSE(rows.made().is_full());
  EXPECT_TRUE(rows.add(big32(1)));
  EXPECT_TRUE(rows.made().is_full());
  one_column bytes{scalar(oid::text), {.max_bytes = 1'000}};
  EXPECT_TRUE(bytes.add(std::string(990, 'x')));
  EXPECT_FALSE(bytes.made().is_full());
  EXPECT_TRUE(bytes.add("0123456789"));
  EXPECT_TRUE(bytes.made().is_full());
}

TEST(ArrowBatch, RefusesTextThatIsNotUtf8) {
  one_column made{scalar(oid::text)};
  EXPECT_TRUE(made.add("\xc3"));  // together with the next value it would be a character
  EXPECT_TRUE(made.add("\xbc"));
  EXPECT_THROW((void)made.finish(), error);
}

TEST(ArrowBatch, RefusesBytesThatAreNotAValueOfTheType) {
  for (const std::uint32_t type : {oid::boolean, oid::int2, oid::int4, oid::int8, oid::object_id, oid::float4,
                                   oid::float8, oid::uuid, oid::date, oid::time, oid::timestamp, oid::interval})
    EXPECT_NE(refusal(scalar(type), "abc").find("not a value of its type"), std::string::npos) << type;
  EXPECT_NE(refusal(scalar(oid::numeric), "abc").find("malformed"), std::string::npos);
  EXPECT_NE(refusal(scalar(oid::jsonb), "\2{}").find("version"), std::string::npos);
  EXPECT_NE(refusal(scalar(oid::time), big64(-1)).find("not a value of its type"), std::string::npos);
}

TEST(ArrowOptions, RefuseTheImpossible) {
  const auto refused = [](const arrow_options& how) { EXPECT_THROW(detail::check_options(how), error); };
  refused({.max_rows = 0});
  refused({.max_bytes = 0});
  refused({.max_bytes = std::size_t{2} << 30U});
  refused({.precision = 39});
  refused({.precision = 5, .scale = 6});
  refused({.not_a_number = arrow_options::special::saturate});
}

}  // namespace
}  // namespace batch_builder_test
