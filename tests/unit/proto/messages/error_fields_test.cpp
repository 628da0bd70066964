// The fields of ErrorResponse and NoticeResponse.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "bytes.hpp"
#include "messages/error_fields.hpp"

namespace error_fields_test {
namespace {

using sluice::proto::decode_error_fields;
using sluice::test::as_bytes;
using sluice::test::raw;

TEST(DecodeErrorFields, GivesEveryField) {
  const std::string text = raw(
      "SFEHLER\0VERROR\0C42P01\0Mno\0Ddetail\0Hhint\0P7\0p8\0qselect\0Wwhere\0sapp\0tt\0cc\0dd\0nn\0Ff.c\0L12\0Rr\0zx\0"
      "\0");
  const auto fields = decode_error_fields(as_bytes(text));
  ASSERT_TRUE(fields);
  EXPECT_EQ(fields->localized_severity, "FEHLER");
  EXPECT_EQ(fields->severity, "ERROR");
  EXPECT_EQ(fields->sqlstate, "42P01");
  EXPECT_EQ(fields->message, "no");
  EXPECT_EQ(fields->detail, "detail");
  EXPECT_EQ(fields->hint, "hint");
  EXPECT_EQ(fields->position, 7U);
  EXPECT_EQ(fields->internal_position, 8U);
  EXPECT_EQ(fields->internal_query, "select");
  EXPECT_EQ(fields->where, "where");
  EXPECT_EQ(fields->schema, "app");
  EXPECT_EQ(fields->table, "t");
  EXPECT_EQ(fields->column, "c");
  EXPECT_EQ(fields->data_type, "d");
  EXPECT_EQ(fields->constraint, "n");
  EXPECT_EQ(fields->file, "f.c");
  EXPECT_EQ(fields->line, "12");
  EXPECT_EQ(fields->routine, "r");
}

TEST(DecodeErrorFields, DoesWithoutASqlstate) {
  const std::string text = raw("Mno\0\0");
  const auto fields = decode_error_fields(as_bytes(text));
  ASSERT_TRUE(fields);
  EXPECT_EQ(fields->sqlstate, "");
  EXPECT_EQ(fields->message, "no");
}

TEST(DecodeErrorFields, TakesAPositionThatIsNoNumberForNone) {
  for (const std::string position : {"", "x", "7x", "-1", "4294967296"}) {
    const std::string text = "P" + position + raw("\0p") + position + raw("\0\0");
    const auto fields = decode_error_fields(as_bytes(text));
    ASSERT_TRUE(fields) << position;
    EXPECT_EQ(fields->position, std::nullopt) << position;
    EXPECT_EQ(fields->internal_position, std::nullopt) << position;
  }
}

TEST(DecodeErrorFields, TakesTheLargestPosition) {
  const std::string text = raw("P4294967295\0p0\0\0");
  const auto fields = decode_error_fields(as_bytes(text));
  ASSERT_TRUE(fields);
  EXPECT_EQ(fields->position, 4'294'967'295U);
  EXPECT_EQ(fields->internal_position, 0U);
}

TEST(DecodeErrorFields, MayHaveNoneOrOneTwice) {
  const std::string none = raw("\0");
  ASSERT_TRUE(decode_error_fields(as_bytes(none)));
  EXPECT_EQ(decode_error_fields(as_bytes(none))->message, "");
  const std::string twice = raw("Mfirst\0Mlast\0\0");
  EXPECT_EQ(decode_error_fields(as_bytes(twice))->message, "last");
}

TEST(DecodeErrorFields, PassesOverFieldsThatItDoesNotKnow) {
  const std::string text = raw("zx\0\xffy\0Mno\0\0");
  const auto fields = decode_error_fields(as_bytes(text));
  ASSERT_TRUE(fields);
  EXPECT_EQ(fields->message, "no");
}

TEST(DecodeErrorFields, RefusesAListThatDoesNotEndWithTheBody) {
  for (const std::string& bad :
       {raw(""), raw("Mno\0"), raw("Mno"), raw("M"), raw("Mno\0\0x"), raw("\0\0"), raw("\0Mno\0\0")})
    EXPECT_FALSE(decode_error_fields(as_bytes(bad))) << bad;
}

}  // namespace
}  // namespace error_fields_test
