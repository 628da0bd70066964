#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>
#include "messages/frontend.hpp"

#include "backend.hpp"
#include "bytes.hpp"

namespace frontend_test {
namespace {

using namespace sluice::proto;
using sluice::proto::bind;  // not that of sockets
using sluice::test::as_bytes;
using sluice::test::as_text;
using sluice::test::be16;
using sluice::test::be32;
using sluice::test::raw;

template <class Message>
std::string encoded(const Message& message) {
  output out;
  EXPECT_FALSE(encode(message, out));
  return std::string{as_text(out)};
}

/// A message with its length filled in; type 0 means a start-up message, which has no type byte.
std::string framed(char type, const std::string& body) {
  return (type == 0 ? "" : std::string{type}) + be32(static_cast<std::uint32_t>(body.size() + 4)) + body;
}

TEST(Encode, WritesTheMessagesOfTheStartUp) {
  EXPECT_EQ(encoded(ssl_request{}), framed(0, be16(1234) + be16(5679)));
  EXPECT_EQ(encoded(gss_request{}), framed(0, be16(1234) + be16(5680)));
  const std::array<startup_parameter, 2> parameters{{{"user", "me"}, {"database", "app"}}};
  EXPECT_EQ(encoded(startup_message{.major = 3, .minor = 2, .parameters = parameters}),
            framed(0, be16(3) + be16(2) + raw("user\0me\0database\0app\0\0")));
  const std::string key = "1234567";
  EXPECT_EQ(encoded(cancel_request{4711, as_bytes(key)}), framed(0, be16(1234) + be16(5678) + be32(4711) + key));
  EXPECT_EQ(encoded(password_message{"secret"}), framed('p', raw("secret\0")));
  EXPECT_EQ(encoded(sasl_initial_response{"SCRAM-SHA-256", "n,,n=,r=x"}),
            framed('p', raw("SCRAM-SHA-256\0") + be32(9) + "n,,n=,r=x"));
  EXPECT_EQ(encoded(sasl_response{"c=biws"}), framed('p', "c=biws"));
  const std::string token = raw("\x60\0token");
  EXPECT_EQ(encoded(gss_response{as_bytes(token)}), framed('p', token));
}

TEST(Encode, WritesTheMessagesOfAQuery) {
  EXPECT_EQ(encoded(query{"select 1"}), framed('Q', raw("select 1\0")));
  const std::array<std::uint32_t, 2> types{20, 0};
  EXPECT_EQ(encoded(parse{"s1", "select $1", types}),
            framed('P', raw("s1\0select $1\0") + be16(2) + be32(20) + be32(0)));
  EXPECT_EQ(encoded(describe{describe::kind::statement, "s1"}), framed('D', raw("Ss1\0")));
  EXPECT_EQ(encoded(describe{describe::kind::portal, ""}), framed('D', raw("P\0")));
  EXPECT_EQ(encoded(execute{"p", 100}), framed('E', raw("p\0") + be32(100)));
  EXPECT_EQ(encoded(sluice::proto::close{describe::kind::portal, "p"}), framed('C', raw("Pp\0")));
  EXPECT_EQ(encoded(sluice::proto::sync{}), framed('S', ""));
  EXPECT_EQ(encoded(flush{}), framed('H', ""));
  EXPECT_EQ(encoded(terminate{}), framed('X', ""));
  EXPECT_EQ(encoded(copy_fail{"no"}), framed('f', raw("no\0")));
}

TEST(EncodeBind, WritesNullAsMinusOneAndFormatsCompactly) {
  const std::array<parameter, 2> text{{{.value = "42"}, {}}};
  EXPECT_EQ(encoded(bind{.portal = "p", .statement = "s", .parameters = text}),
            framed('B', raw("p\0s\0") + be16(0) + be16(2) + be32(2) + "42" + be32(0xffffffff) + be16(0)));
  const std::array<parameter, 2> binary{{{.value = "ab", .binary = true}, {.value = "c", .binary = true}}};
  const std::array all{value_format::binary};
  EXPECT_EQ(
      encoded(bind{.parameters = binary, .result_formats = all}),
      framed('B', raw("\0\0") + be16(1) + be16(1) + be16(2) + be32(2) + "ab" + be32(1) + "c" + be16(1) + be16(1)));
  const std::array<parameter, 2> mixed{{{.value = "a"}, {.value = "b", .binary = true}}};
  EXPECT_EQ(encoded(bind{.parameters = mixed}),
            framed('B', raw("\0\0") + be16(2) + be16(0) + be16(1) + be16(2) + be32(1) + "a" + be32(1) + "b" + be16(0)));
}

TEST(EncodeBind, TakesFormatsOfTheResultThatAreKnownLater) {
  const std::array<parameter, 1> values{{{.value = "42"}}};
  const std::array formats{value_format::binary, value_format::text, value_format::binary};
  output later;
  ASSERT_FALSE(encode(bind{.portal = "p", .parameters = values}, later));
  ASSERT_FALSE(set_result_formats(later, formats));
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(later.data()), later.size()),
            encoded(bind{.portal = "p", .parameters = values, .result_formats = formats}));
  const std::vector<value_format> too_many(0x10000);
  const output before = later;
  EXPECT_TRUE(set_result_formats(later, too_many));
  EXPECT_EQ(later, before);
}

/// Checks that encoding fails and leaves `out` unchanged.
template <class Message>
void expect_refused(const Message& message, const char* what) {
  output out{std::byte{7}};
  const fault why = encode(message, out);
  EXPECT_EQ(why.what, fault::kind::unencodable) << what;
  EXPECT_FALSE(why.rule.empty()) << what;
  EXPECT_EQ(out, output{std::byte{7}}) << what;
}

TEST(Encode, RefusesAZeroByteInEveryText) {
  const std::string zero = raw("a\0b");
  const std::array<startup_parameter, 1> name{{{zero, "x"}}};
  const std::array<startup_parameter, 1> value{{{"user", zero}}};
  const std::array<startup_parameter, 1> nameless{{{"", "x"}}};
  expect_refused(startup_message{.parameters = name}, "start-up name");
  expect_refused(startup_message{.parameters = value}, "start-up value");
  expect_refused(startup_message{.parameters = nameless}, "no start-up name");
  expect_refused(password_message{zero}, "password");
  expect_refused(query{zero}, "query");
  expect_refused(parse{.statement = zero}, "statement name");
  expect_refused(parse{.sql = zero}, "SQL");
  expect_refused(bind{.portal = zero}, "portal");
  expect_refused(bind{.statement = zero}, "statement");
  expect_refused(describe{describe::kind::portal, zero}, "describe");
  expect_refused(execute{zero}, "execute");
  expect_refused(sluice::proto::close{describe::kind::portal, zero}, "close");
  expect_refused(copy_fail{zero}, "copy_fail");
}

TEST(Encode, AllowsAZeroByteInAValue) {
  const std::string zero = raw("a\0b");
  const std::array<parameter, 1> value{{{.value = zero, .binary = true}}};
  output out;
  EXPECT_FALSE(encode(bind{.parameters = value}, out));
}

TEST(Encode, RefusesMoreParametersThanTheProtocolCounts) {
  std::vector<parameter> parameters(65'535);
  output out;
  EXPECT_FALSE(encode(bind{.parameters = parameters}, out));
  parameters.emplace_back();
  expect_refused(bind{.parameters = parameters}, "values");
  const std::vector<std::uint32_t> types(65'536);
  expect_refused(parse{.parameter_types = types}, "types");
}

TEST(Encode, RefusesSizesThatDoNotFitBeforeItReadsAByte) {
  const char byte = 'x';
  constexpr std::uint64_t one = 1;
  for (const std::uint64_t size : {one << 30U, one << 31U, one << 32U, std::uint64_t{SIZE_MAX}}) {
    const auto at_most = static_cast<std::size_t>(std::min<std::uint64_t>(size, SIZE_MAX));  // on 32 bits
    const std::string_view lie{&byte, at_most};  // a sanitizer would detect a read of it
    const std::array<parameter, 1> value{{{.value = lie}}};
    expect_refused(bind{.parameters = value}, "value");
    expect_refused(query{lie}, "query");
    expect_refused(sasl_response{lie}, "sasl");
  }
}

TEST(Encode, RefusesAStartUpPacketThatTheServerWouldRefuse) {
  const std::size_t around =
      encoded(startup_message{.parameters = std::array{startup_parameter{"options", ""}}}).size();
  const std::string longest(10'000 - around, 'x');
  EXPECT_EQ(encoded(startup_message{.parameters = std::array{startup_parameter{"options", longest}}}).size(), 10'000U);
  const std::string longer = longest + 'x';
  expect_refused(startup_message{.parameters = std::array{startup_parameter{"options", longer}}}, "packet");
}

TEST(Encode, RefusesSizesThatDoNotFitTogetherBeforeItReadsAByte) {
  const char byte = 'x';
  const std::string_view lie{&byte, (std::size_t{1} << 30U) - 100};
  const std::array<parameter, 2> two{{{.value = lie}, {.value = lie}}};
  expect_refused(bind{.parameters = two}, "two values");
  const std::array<parameter, 2> wrapping{
      {{.value = lie}, {.value = std::string_view{&byte, SIZE_MAX - lie.size() + 1}}}};
  expect_refused(bind{.parameters = wrapping}, "values whose sizes wrap");
}

}  // namespace
}  // namespace frontend_test
