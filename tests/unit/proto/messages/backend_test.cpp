#include <gtest/gtest.h>

#include <string>
#include <vector>
#include "messages/backend.hpp"

#include "backend.hpp"
#include "bytes.hpp"

namespace backend_test {
namespace {

using namespace sluice::proto;
using sluice::test::as_bytes;
using sluice::test::as_text;
using sluice::test::backend;
using sluice::test::be16;
using sluice::test::be32;
using sluice::test::raw;

/// The body of the one message in `built`.
std::string body(const backend& built) { return built.bytes.substr(5); }

TEST(DecodeAuthentication, TellsTheMethods) {
  using kind = authentication::kind;
  EXPECT_EQ(decode_authentication(as_bytes(be32(0)))->what, kind::ok);
  EXPECT_EQ(decode_authentication(as_bytes(be32(3)))->what, kind::cleartext_password);
  const std::string md5 = be32(5) + "salt";
  EXPECT_EQ(as_text(decode_authentication(as_bytes(md5))->salt), "salt");
  const std::string final = be32(12) + "v=abc";
  EXPECT_EQ(decode_authentication(as_bytes(final))->text(), "v=abc");
}

TEST(DecodeAuthentication, ListsMechanisms) {
  const std::string text = be32(10) + raw("SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0");
  const auto request = decode_authentication(as_bytes(text));
  ASSERT_TRUE(request);
  const std::vector<std::string_view> names(request->mechanisms.begin(), request->mechanisms.end());
  EXPECT_EQ(names, (std::vector<std::string_view>{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"}));
}

TEST(DecodeAuthentication, KeepsTheDataOfAnExchangeAsItIs) {
  using kind = authentication::kind;
  for (const kind what : {kind::gss_continue, kind::sasl_continue, kind::sasl_final}) {
    const std::string text = be32(static_cast<std::uint32_t>(what)) + raw("r=a\0b");
    const auto request = decode_authentication(as_bytes(text));
    ASSERT_TRUE(request);
    EXPECT_EQ(request->what, what);
    EXPECT_EQ(as_text(request->data), raw("r=a\0b"));
  }
}

TEST(DecodeAuthentication, RefusesDataWhereNoneBelongs) {
  for (const std::uint32_t code : {0U, 2U, 3U, 7U, 9U}) EXPECT_FALSE(decode_authentication(as_bytes(be32(code) + "x")));
}

TEST(DecodeBackendKeyData, TakesKeysOf4To256Bytes) {
  for (const std::size_t size : {4U, 32U, 256U}) {
    const std::string text = be32(4711) + std::string(size, 'k');
    const auto key = decode_backend_key_data(as_bytes(text));
    ASSERT_TRUE(key) << size;
    EXPECT_EQ(key->pid, 4711U);
    EXPECT_EQ(key->key.size(), size);
  }
  for (const std::size_t size : {0U, 3U, 257U})
    EXPECT_FALSE(decode_backend_key_data(as_bytes(be32(4711) + std::string(size, 'k')))) << size;
}

TEST(DecodeNegotiateProtocolVersion, ListsWhatTheServerDoesNotKnow) {
  const std::string text = be32(0x30000) + be32(2) + raw("_pq_.a\0_pq_.b\0");
  const auto offer = decode_negotiate_protocol_version(as_bytes(text));
  ASSERT_TRUE(offer);
  EXPECT_EQ(offer->newest_minor, 0U);
  const std::vector<std::string_view> names(offer->unknown_options.begin(), offer->unknown_options.end());
  EXPECT_EQ(names, (std::vector<std::string_view>{"_pq_.a", "_pq_.b"}));
}

TEST(DecodeNegotiateProtocolVersion, TakesTheMinorVersionAloneOrTheWholeOfVersion3) {
  EXPECT_EQ(decode_negotiate_protocol_version(as_bytes(be32(2) + be32(0)))->newest_minor, 2U);
  EXPECT_EQ(decode_negotiate_protocol_version(as_bytes(be32(0x30002) + be32(0)))->newest_minor, 2U);
  for (const std::uint32_t version : {0x20000U, 0x40000U, 0xffffffffU})
    EXPECT_FALSE(decode_negotiate_protocol_version(as_bytes(be32(version) + be32(0)))) << version;
}

TEST(DecodeParameterStatus, GivesNameAndValue) {
  const std::string text = body(backend{}.parameter_status("TimeZone", "UTC"));
  const auto status = decode_parameter_status(as_bytes(text));
  ASSERT_TRUE(status);
  EXPECT_EQ(status->name, "TimeZone");
  EXPECT_EQ(status->value, "UTC");
}

TEST(DecodeReadyForQuery, TakesTheThreeStatesOnly) {
  for (const char status : {'I', 'T', 'E'}) EXPECT_EQ(decode_ready_for_query(as_bytes({&status, 1}))->status, status);
  EXPECT_FALSE(decode_ready_for_query(as_bytes("X")));
}

TEST(DecodeRowDescription, GivesEveryFieldOfEveryColumn) {
  const std::string text = be16(2) + raw("id\0") + be32(16384) + be16(3) + be32(20) + be16(8) + be32(0xffffffff) +
                           be16(0) + raw("d\0") + be32(0) + be16(0) + be32(3802) + be16(0xffff) + be32(7) + be16(1);
  const auto columns = decode_row_description(as_bytes(text));
  ASSERT_TRUE(columns);
  ASSERT_EQ(columns->size(), 2U);
  auto it = columns->begin();
  EXPECT_EQ(it->name, "id");
  EXPECT_EQ(it->table, 16384U);
  EXPECT_EQ(it->attribute, 3);
  EXPECT_EQ(it->type, 20U);
  EXPECT_EQ(it->type_size, 8);
  EXPECT_EQ(it->modifier, -1);
  ++it;
  EXPECT_EQ(it->name, "d");
  EXPECT_EQ(it->type_size, -1);
  EXPECT_EQ(it->format, 1);
  EXPECT_EQ(++it, columns->end());
}

TEST(DecodeRowDescription, RefusesAnUnknownFormat) {
  const std::string text = be16(1) + raw("id\0") + be32(0) + be16(0) + be32(20) + be16(8) + be32(0) + be16(2);
  EXPECT_FALSE(decode_row_description(as_bytes(text)));
}

TEST(DecodeParameterDescription, ListsTheTypes) {
  const std::string text = body(backend{}.parameter_description({20, 0xfffffffe}));
  const auto types = decode_parameter_description(as_bytes(text));
  ASSERT_TRUE(types);
  EXPECT_EQ((std::vector<std::uint32_t>(types->begin(), types->end())), (std::vector<std::uint32_t>{20, 0xfffffffe}));
}

TEST(DecodeCopyResponse, GivesTheFormats) {
  const std::string text = raw("\1\0\2\0\1\0\0");
  const auto copy = decode_copy_response(as_bytes(text));
  ASSERT_TRUE(copy);
  EXPECT_TRUE(copy->binary);
  EXPECT_EQ((std::vector<int>(copy->formats.begin(), copy->formats.end())), (std::vector<int>{1, 0}));
  EXPECT_FALSE(decode_copy_response(as_bytes(raw("\0\0\0")))->binary);
}

TEST(DecodeCopyResponse, RefusesUnknownFormats) {
  EXPECT_FALSE(decode_copy_response(as_bytes(raw("\2\0\0")))) << "of the whole";
  EXPECT_FALSE(decode_copy_response(as_bytes(raw("\1\0\2\0\1\0\2")))) << "of a column";
}

TEST(DecodeNotificationResponse, GivesWhoSaidWhatWhere) {
  const std::string text = body(backend{}.notification("channel", "payload"));
  const auto said = decode_notification_response(as_bytes(text));
  ASSERT_TRUE(said);
  EXPECT_EQ(said->pid, 4711U);
  EXPECT_EQ(said->channel, "channel");
  EXPECT_EQ(said->payload, "payload");
}

TEST(IsEmptyBody, LetsNothingPass) {
  EXPECT_TRUE(is_empty_body({}));
  EXPECT_FALSE(is_empty_body(as_bytes(raw("\0"))));
}

TEST(DecodeDataRow, TellsNullFromEmpty) {
  const std::string text = body(backend{}.data_row({"abc", std::nullopt, ""}));
  const auto row = decode_data_row(as_bytes(text));
  ASSERT_TRUE(row);
  auto it = row->begin();
  EXPECT_EQ(as_text(**it), "abc");
  EXPECT_FALSE((*++it).has_value());
  EXPECT_TRUE((*++it).has_value());
  EXPECT_TRUE((*it)->empty());
}

TEST(DecodeDataRow, RefusesLengthsThatLie) {
  EXPECT_FALSE(decode_data_row(as_bytes(be16(1) + be32(0xfffffffe))));
  EXPECT_FALSE(decode_data_row(as_bytes(be16(1) + be32(0x7fffffff) + "abc")));
  EXPECT_FALSE(decode_data_row(as_bytes(be16(2) + be32(3) + "abc")));
}

TEST(CommandComplete, ReadsTheNumberOfRows) {
  const auto rows = [](std::string_view tag) { return command_complete{tag}.rows(); };
  EXPECT_EQ(rows("SELECT 42"), 42U);
  EXPECT_EQ(rows("INSERT 0 7"), 7U);
  EXPECT_EQ(rows("BEGIN"), std::nullopt);
  EXPECT_EQ(rows(""), std::nullopt);
  EXPECT_EQ(rows("SELECT 99999999999999999999999"), std::nullopt);
}

}  // namespace
}  // namespace backend_test
