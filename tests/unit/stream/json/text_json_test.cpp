// Values in text as JSON.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>

#include <sluice/proto/oid.hpp>

#include "json/value_writers.hpp"
#include "json_written.hpp"

namespace text_json_test {
namespace {

using namespace sluice::detail;
namespace oid = sluice::proto::oid;
using sluice::test::written_by;

TEST(TextWriter, IsThatOfTheType) {
  for (const std::uint32_t type : {oid::int2, oid::int4, oid::int8, oid::float4, oid::float8, oid::numeric})
    EXPECT_EQ(text_writer_of(type), write_number_text) << type;
  for (const std::uint32_t type : {oid::json, oid::jsonb}) EXPECT_EQ(text_writer_of(type), write_as_it_is) << type;
  EXPECT_EQ(text_writer_of(oid::boolean), write_bool_text);
  EXPECT_EQ(text_writer_of(oid::timestamp), write_timestamp_text);
  EXPECT_EQ(text_writer_of(oid::timestamptz), write_timestamptz_text);
}

TEST(TextWriter, MakesAStringOfAnyOtherType) {
  for (const std::uint32_t type : {0U, oid::text, oid::date, oid::time, oid::object_id, oid::money, oid::int4_array,
                                   oid::inet, 16'384U, 0xffffffffU})
    EXPECT_EQ(text_writer_of(type), write_as_string) << type;
}

TEST(BooleanText, IsALetter) {
  EXPECT_EQ(written_by(write_bool_text, "t"), "true");
  EXPECT_EQ(written_by(write_bool_text, "f"), "false");
  for (const char* const bad : {"", "T", "true", "1", "tt", " t"})
    EXPECT_EQ(written_by(write_bool_text, bad), "refused") << bad;
}

TEST(NumberText, IsANumberUnlessItIsNotFinite) {
  for (const char* const number : {"0", "-0", "12.50", "-1e-07", "1e+100", "99999999999999999999999999.0"})
    EXPECT_EQ(written_by(write_number_text, number), number);
  EXPECT_EQ(written_by(write_number_text, "NaN"), R"("NaN")");
  EXPECT_EQ(written_by(write_number_text, "Infinity"), R"("Infinity")");
  EXPECT_EQ(written_by(write_number_text, "-Infinity"), R"("-Infinity")");
  EXPECT_EQ(written_by(write_number_text, "-"), R"("-")");
  EXPECT_EQ(written_by(write_number_text, ""), R"("")");
}

TEST(DocumentText, IsNotChanged) {
  for (const std::string_view document : {R"({"a" :1})", "", "\"\xc3\xa9\"", "not even json"})
    EXPECT_EQ(written_by(write_as_it_is, document), document);
  EXPECT_EQ(written_by(write_as_it_is, "\"\xff\""), "refused");
}

TEST(StringText, IsEscaped) {
  EXPECT_EQ(written_by(write_as_string, "a \"b\"\t\\"), R"("a \"b\"\t\\")");
  EXPECT_EQ(written_by(write_as_string, "\xc3"), "refused");
}

std::string timestamp(std::string_view text) { return written_by(write_timestamp_text, text); }
std::string timestamptz(std::string_view text) { return written_by(write_timestamptz_text, text); }

TEST(TimestampText, HasATInsteadOfTheSpace) {
  EXPECT_EQ(timestamp("2024-07-01 12:00:00.5"), R"("2024-07-01T12:00:00.5")");
  EXPECT_EQ(timestamp("0001-12-31 00:00:00 BC"), R"("0001-12-31T00:00:00 BC")");
  EXPECT_EQ(timestamp("294276-12-31 23:59:59.999999"), R"("294276-12-31T23:59:59.999999")");
  EXPECT_EQ(timestamp("2024-07-01"), R"("2024-07-01")");
  EXPECT_EQ(timestamp("2024-07-01 "), R"("2024-07-01")");
  EXPECT_EQ(timestamp("2024-07-01 \xff"), "refused");
  EXPECT_EQ(timestamp("2024-\xff"), "refused");
}

TEST(TimestampWithZoneText, HasMinutesInItsZone) {
  EXPECT_EQ(timestamptz("2024-07-01 12:00:00+00"), R"("2024-07-01T12:00:00+00:00")");
  EXPECT_EQ(timestamptz("2024-07-01 12:00:00-11"), R"("2024-07-01T12:00:00-11:00")");
  EXPECT_EQ(timestamptz("2024-07-01 12:00:00.25+05:45"), R"("2024-07-01T12:00:00.25+05:45")");
  EXPECT_EQ(timestamptz("1800-01-01 00:00:00-04:56:02"), R"("1800-01-01T00:00:00-04:56:02")");
  EXPECT_EQ(timestamptz("0044-03-15 12:00:00+00 BC"), R"("0044-03-15T12:00:00+00:00 BC")");
  EXPECT_EQ(timestamptz("2024-07-01 12:00:00"), R"("2024-07-01T12:00:00")");
  EXPECT_EQ(timestamptz("2024-07-01 12:00:00+00 \xff"), "refused");
}

TEST(MomentText, IsLeftAsItIsWhenItIsNotInIso8601) {
  for (const char* const other :
       {"infinity", "-infinity", "01.07.2024 12:00:00", "Mon Jul 01 12:00:00 2024", "2024", "", "202-07-01 12:00:00"}) {
    const std::string expected = '"' + std::string{other} + '"';
    EXPECT_EQ(timestamp(other), expected);
    EXPECT_EQ(timestamptz(other), expected);
  }
}

}  // namespace
}  // namespace text_json_test
