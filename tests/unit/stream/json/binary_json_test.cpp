// Which writer the binary format of a type has, and the values that are copied or written in hexadecimal digits.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include <sluice/proto/oid.hpp>

#include "bytes.hpp"
#include "json/value_writers.hpp"
#include "json_written.hpp"

namespace binary_json_test {
namespace {

using namespace sluice::detail;
namespace oid = sluice::proto::oid;
using sluice::test::raw;
using sluice::test::written_by;

TEST(BinaryWriter, IsThatOfTheType) {
  EXPECT_EQ(binary_writer_of(oid::boolean), write_bool);
  EXPECT_EQ(binary_writer_of(oid::int2), write_int2);
  EXPECT_EQ(binary_writer_of(oid::int8), write_int8);
  EXPECT_EQ(binary_writer_of(oid::float4), write_float4);
  EXPECT_EQ(binary_writer_of(oid::object_id), write_object_id);
  EXPECT_EQ(binary_writer_of(oid::timestamp), write_timestamp);
  EXPECT_EQ(binary_writer_of(oid::timestamptz), write_timestamptz);
  EXPECT_EQ(binary_writer_of(oid::json), write_as_it_is) << "as it was stored";
  EXPECT_EQ(binary_writer_of(oid::jsonb), write_jsonb);
  for (const std::uint32_t type : {oid::text, oid::varchar, oid::bpchar, oid::name})
    EXPECT_EQ(binary_writer_of(type), write_as_string) << type;
}

TEST(BinaryWriter, IsMissingWhereTheTextHasToBeAskedFor) {
  for (const std::uint32_t type : {0U, oid::interval, oid::timetz, oid::inet, oid::xml, oid::money, oid::point,
                                   oid::int4_array, oid::one_char, 16'384U, 0xffffffffU})
    EXPECT_EQ(binary_writer_of(type), nullptr) << type;
}

TEST(JsonbInBinary, IsItsTextAfterTheVersion) {
  EXPECT_EQ(written_by(write_jsonb, "\1{\"a\": [1, null]}"), R"({"a": [1, null]})");
  EXPECT_EQ(written_by(write_jsonb, "\1"), "");
  EXPECT_EQ(written_by(write_jsonb, "\1\"\xc3\xa9\""), "\"\xc3\xa9\"");
}

TEST(JsonbInBinary, IsRefusedInAnotherVersionAndInAnotherEncoding) {
  for (const std::string& bad : {std::string{}, raw("\0{}"), std::string{"\2{}"}, std::string{"{}"}, raw("\1\"\xff\"")})
    EXPECT_EQ(written_by(write_jsonb, bad), "refused");
}

TEST(UuidInBinary, IsWrittenInFiveGroups) {
  const std::string bytes = raw("\x01\x23\x45\x67\x89\xab\xcd\xef\xfe\xdc\xba\x98\x76\x54\x32\x10");
  EXPECT_EQ(written_by(write_uuid, bytes), R"("01234567-89ab-cdef-fedc-ba9876543210")");
  EXPECT_EQ(written_by(write_uuid, std::string(16, '\0')), R"("00000000-0000-0000-0000-000000000000")");
  EXPECT_EQ(written_by(write_uuid, std::string(16, '\xff')), R"("ffffffff-ffff-ffff-ffff-ffffffffffff")");
  for (const std::size_t size : {0U, 15U, 17U, 36U})
    EXPECT_EQ(written_by(write_uuid, std::string(size, 'a')), "refused") << size;
}

TEST(ByteaInBinary, IsWrittenInHexadecimalDigits) {
  EXPECT_EQ(written_by(write_bytea, ""), R"("\\x")");
  EXPECT_EQ(written_by(write_bytea, raw("\x00\x7f\x80\xff\"")), R"("\\x007f80ff22")");
  const std::string large(100'000, '\xa5');
  const std::string text = written_by(write_bytea, large);
  EXPECT_EQ(text.size(), 2 * large.size() + 5);
  EXPECT_EQ(text.find_first_not_of("a5", 4), text.size() - 1);
}

}  // namespace
}  // namespace binary_json_test
