// Malformed fields, which no server should send: each is refused, and nothing is read past its end or allocated for it.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <sluice/stream/columns.hpp>
#include <sluice/wire/error.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backend.hpp"

namespace columns_test {
namespace {

using sluice::test::be16;
using sluice::test::be32;
namespace oid = sluice::proto::oid;

/// Reads a field whose memory ends with these bytes, so that a sanitizer detects a read past the end.
template <class T>
std::string refusal(std::uint32_t type, const std::string& bytes) {
  const auto exact = std::make_unique<std::byte[]>(bytes.size());
  std::memcpy(exact.get(), bytes.data(), bytes.size());
  const sluice::result_column column{.name = "c", .type = type};
  const sluice::binary_field field{
      .bytes = {exact.get(), bytes.size()}, .is_null = false, .type = type, .index = 0, .column = &column};
  try {
    T value{};
    from_binary(field, value);
    return "accepted";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), sluice::errc::bad_column);
    return e.what();
  }
}

const std::string not_as_long = "column 0 (c): it is not as long as its type";

TEST(BinaryFields, AreAsLongAsTheirTypes) {
  EXPECT_EQ(refusal<int>(oid::int4, "abc"), not_as_long);
  EXPECT_EQ(refusal<int>(oid::int4, "abcde"), not_as_long);
  EXPECT_EQ(refusal<int>(oid::int2, ""), not_as_long);
  EXPECT_EQ(refusal<std::int64_t>(oid::int8, "abcd"), not_as_long);
  EXPECT_EQ(refusal<double>(oid::float8, "abcd"), not_as_long);
  EXPECT_EQ(refusal<bool>(oid::boolean, ""), not_as_long);
  EXPECT_EQ(refusal<sluice::uuid>(oid::uuid, "abcd"), not_as_long);
  EXPECT_EQ(refusal<std::chrono::sys_days>(oid::date, "abcde"), not_as_long);
  EXPECT_EQ(refusal<std::chrono::microseconds>(oid::time, "abcde"), not_as_long);
  EXPECT_EQ(refusal<sluice::time_with_zone>(oid::timetz, "abcdefgh"), not_as_long);
  EXPECT_EQ(refusal<sluice::interval>(oid::interval, std::string(17, 'x')), not_as_long);
  EXPECT_EQ(refusal<std::chrono::sys_seconds>(oid::timestamptz, "abc"), not_as_long);
}

TEST(BinaryFields, AreOfAKnownVersionOfJsonb) {
  EXPECT_EQ(refusal<std::string>(oid::jsonb, "\2{}"), "column 0 (c): its version of jsonb is not known");
  EXPECT_EQ(refusal<std::string>(oid::jsonb, ""), "column 0 (c): its version of jsonb is not known");
}

TEST(BinaryFields, HoldMomentsThatCanBe) {
  const std::string out_of_range = "column 0 (c): it is out of the range of the C++ type";
  EXPECT_EQ(
      refusal<std::chrono::sys_time<std::chrono::microseconds>>(oid::timestamptz, be32(0x7fffffff) + be32(0xfffffffe)),
      out_of_range);
  EXPECT_EQ(refusal<std::chrono::sys_days>(oid::date, be32(0x7ffffffe)), out_of_range);
  EXPECT_EQ(refusal<std::chrono::year_month_day>(oid::date, be32(0x7fffffff)), out_of_range);
}

TEST(BinaryFields, HoldNumbersWithAllTheirDigits) {
  const std::string malformed = "column 0 (c): its digits are malformed";
  EXPECT_EQ(refusal<std::string>(oid::numeric, ""), malformed);
  EXPECT_EQ(refusal<std::string>(oid::numeric, be16(2) + be16(0) + be16(0) + be16(0) + be16(1)), malformed);
  EXPECT_EQ(refusal<std::string>(oid::numeric, be16(0xffff) + be16(0) + be16(0) + be16(0)), malformed);
}

TEST(BinaryFields, HoldArraysWithAllTheirElements) {
  const auto array = [](std::uint32_t dimensions, std::uint32_t count, const std::string& elements) {
    return be32(dimensions) + be32(0) + be32(oid::int4) + be32(count) + be32(1) + elements;
  };
  const auto read = [](const std::string& bytes) { return refusal<std::vector<int>>(oid::int4_array, bytes); };
  EXPECT_EQ(read(array(1, 1, be32(4) + be32(7))), "accepted");
  EXPECT_NE(read(array(1, 2, be32(4) + be32(7))).find("cut off"), std::string::npos);
  EXPECT_NE(read(array(1, 1, be32(8) + be32(7))).find("cut off"), std::string::npos);
  EXPECT_NE(read(array(1, 1, be32(0xfffffffe) + be32(7))).find("cut off"), std::string::npos);
  EXPECT_NE(read(array(1, 0x7fffffff, "")).find("one dimension"), std::string::npos);
  EXPECT_NE(read(array(0xffffffff, 1, "")).find("one dimension"), std::string::npos);
  EXPECT_NE(read("").find("one dimension"), std::string::npos);
  EXPECT_NE(read(array(1, 1, be32(3) + "abc")).find("not as long"), std::string::npos);
}

TEST(BinaryFields, HoldAnHstoreWithAllItsPairs) {
  constexpr std::uint32_t hstore = 20'000;  // of an extension: any OID above the built-in ones
  using pairs = std::vector<std::pair<std::string_view, std::optional<std::string_view>>>;
  const auto text = [](const std::string& of) { return be32(static_cast<std::uint32_t>(of.size())) + of; };
  const std::string null = be32(0xffffffff);
  const std::string good = be32(2) + text("a") + text("1") + text("b") + null;
  EXPECT_EQ(refusal<pairs>(hstore, good), "accepted");
  EXPECT_EQ(refusal<pairs>(hstore, be32(0)), "accepted");
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_NE(refusal<pairs>(hstore, good.substr(0, size)), "accepted");
  EXPECT_NE(refusal<pairs>(hstore, good + '\0'), "accepted");
  EXPECT_NE(refusal<pairs>(hstore, be32(0) + '\0'), "accepted");
  EXPECT_NE(refusal<pairs>(hstore, be32(1) + null + text("1")), "accepted") << "a key is never NULL";
  EXPECT_NE(refusal<pairs>(hstore, be32(0xffffffff) + good.substr(4)), "accepted") << "more pairs than bytes";
  EXPECT_NE(refusal<pairs>(hstore, be32(1) + be32(0x7fffffff) + "a" + text("1")), "accepted");
  EXPECT_NE(refusal<pairs>(oid::text, good), "accepted");
}

}  // namespace
}  // namespace columns_test
