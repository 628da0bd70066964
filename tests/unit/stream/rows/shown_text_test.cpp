// Texts of values that the server sends in a form of their own.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include <sluice/proto/oid.hpp>
#include <sluice/stream/columns.hpp>
#include <sluice/wire/error.hpp>

#include "backend.hpp"
#include "bytes.hpp"
#include "rows/shown_text.hpp"

namespace shown_text_test {
namespace {

namespace oid = sluice::proto::oid;
using sluice::test::as_bytes;
using sluice::test::be32;
using sluice::test::be64;
using sluice::test::raw;

/// What is shown of a value whose memory ends with it, so that a sanitizer detects a read past the end; or the error.
std::string shown(std::uint32_t type, std::string_view value) {
  const auto exact = std::make_unique<std::byte[]>(value.size());
  std::ranges::copy(as_bytes(value), exact.get());
  const sluice::result_column column{.name = "c", .type = type};
  const sluice::binary_field field{.bytes = {exact.get(), value.size()}, .type = type, .column = &column};
  std::string text{"before"};
  try {
    return sluice::detail::show(field, text) ? text : "another type";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), sluice::errc::bad_column);
    return e.what();
  }
}
std::string number(double value) { return be64(std::bit_cast<std::uint64_t>(value)); }
std::string point(double x, double y) { return number(x) + number(y); }

constexpr const char* too_short = "column 0 (c): it is not as long as its type";

TEST(ShownText, IsOnlyOfTypesThatNeedIt) {
  for (const std::uint32_t type : {0U, oid::text, oid::int4, oid::numeric, oid::bytea, oid::interval, 20'000U})
    EXPECT_EQ(shown(type, "abcd"), "another type") << type;
}

TEST(ShownText, OfAnAddressHasAPrefixWhereOneIsShown) {
  EXPECT_EQ(shown(oid::inet, raw("\2\x20\0\4\x0a\0\0\1")), "10.0.0.1");
  EXPECT_EQ(shown(oid::inet, raw("\2\x08\0\4\x0a\0\0\1")), "10.0.0.1/8");
  EXPECT_EQ(shown(oid::cidr, raw("\2\x20\1\4\x0a\0\0\1")), "10.0.0.1/32");
  EXPECT_EQ(shown(oid::inet, raw("\2\0\0\4\0\0\0\0")), "0.0.0.0/0");
  EXPECT_EQ(shown(oid::inet, raw("\3\x80\0\x10") + std::string(15, '\0') + '\1'), "::1");
  EXPECT_EQ(shown(oid::cidr, raw("\3\x20\1\x10\x20\1\x0d\xb8") + std::string(12, '\0')), "2001:db8::/32");
  EXPECT_EQ(shown(oid::inet, raw("\3\x80\0\x10") + std::string(10, '\0') + raw("\xff\xff\x0a\0\0\1")),
            "::ffff:10.0.0.1");
}

TEST(ShownText, OfAnAddressNeedsAFamilyAndASize) {
  for (const std::string& bad :
       {std::string{}, raw("\2\x20\0\4\x0a\0\0"), raw("\2\x20\0\4\x0a\0\0\1\1"), raw("\2\x21\0\4\x0a\0\0\1"),
        raw("\4\x20\0\4\x0a\0\0\1"), raw("\3\x20\0\4\x0a\0\0\1"), raw("\2\x20\0\x10") + std::string(16, '\0')})
    EXPECT_EQ(shown(oid::inet, bad), "column 0 (c): it is not an address");
}

TEST(ShownText, OfHardwareIsInHexadecimalDigits) {
  EXPECT_EQ(shown(oid::macaddr, raw("\x08\0\x2b\1\2\xff")), "08:00:2b:01:02:ff");
  EXPECT_EQ(shown(oid::macaddr8, raw("\x08\0\x2b\1\2\3\4\xff")), "08:00:2b:01:02:03:04:ff");
  EXPECT_EQ(shown(oid::macaddr, raw("\x08\0\x2b\1\2")), too_short);
  EXPECT_EQ(shown(oid::macaddr8, raw("\x08\0\x2b\1\2\3")), too_short);
}

TEST(ShownText, OfBitsBeginsWithTheHighest) {
  EXPECT_EQ(shown(oid::varbit, be32(0)), "");
  EXPECT_EQ(shown(oid::bit, be32(3) + "\xa0"), "101");
  EXPECT_EQ(shown(oid::bit, be32(9) + raw("\x01\x80")), "000000011");
  EXPECT_EQ(shown(oid::bit, be32(9) + "\x01"), too_short);
  EXPECT_EQ(shown(oid::bit, be32(8) + raw("\1\1")), too_short);
  EXPECT_EQ(shown(oid::bit, be32(0xffffffff)), too_short);
  EXPECT_EQ(shown(oid::bit, "abc"), too_short);
}

TEST(ShownText, OfGeometryIsWhatTheServerPrints) {
  EXPECT_EQ(shown(oid::point, point(1, -2.5)), "(1,-2.5)");
  EXPECT_EQ(shown(oid::lseg, point(0, 0) + point(1, 1e20)), "[(0,0),(1,1e+20)]");
  EXPECT_EQ(shown(oid::box, point(3, 4) + point(1, 2)), "(3,4),(1,2)");
  EXPECT_EQ(shown(oid::line, number(1) + number(-1) + number(0)), "{1,-1,0}");
  EXPECT_EQ(shown(oid::circle, point(1, 2) + number(0.5)), "<(1,2),0.5>");
  EXPECT_EQ(shown(oid::polygon, be32(2) + point(0, 0) + point(1, 1)), "((0,0),(1,1))");
  EXPECT_EQ(shown(oid::path, '\1' + be32(1) + point(0, 0)), "((0,0))");
  EXPECT_EQ(shown(oid::path, '\0' + be32(2) + point(0, 0) + point(1, 1)), "[(0,0),(1,1)]");
}

TEST(ShownText, OfGeometryNamesWhatIsNotFinite) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(shown(oid::point, point(infinity, -infinity)), "(Infinity,-Infinity)");
  EXPECT_EQ(shown(oid::point, point(std::numeric_limits<double>::quiet_NaN(), -0.0)), "(NaN,-0)");
}

TEST(ShownText, OfGeometryHasAllItsNumbers) {
  EXPECT_EQ(shown(oid::point, ""), too_short);
  EXPECT_EQ(shown(oid::point, point(1, 2).substr(1)), too_short);
  EXPECT_EQ(shown(oid::point, point(1, 2) + "x"), too_short);
  EXPECT_EQ(shown(oid::box, point(1, 2)), too_short);
  EXPECT_EQ(shown(oid::polygon, be32(3) + point(0, 0) + point(1, 1)), too_short);
  EXPECT_EQ(shown(oid::polygon, be32(0xffffffff)), too_short);
  EXPECT_EQ(shown(oid::polygon, be32(1) + point(0, 0) + point(1, 1)), too_short);
  EXPECT_EQ(shown(oid::path, "\1"), too_short);
}

}  // namespace
}  // namespace shown_text_test
