#include <gtest/gtest.h>

#include <functional>
#include <sluice/proto/backend.hpp>
#include <sluice/proto/error_fields.hpp>
#include <string>
#include <vector>

#include "backend.hpp"
#include "bytes.hpp"

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
  EXPECT_EQ(offer->unknown_options.size(), 2U);
  EXPECT_FALSE(decode_negotiate_protocol_version(as_bytes(be32(0) + be32(0xffffffff) + raw("a\0"))));
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
  const auto fields = decode_error_fields(as_bytes(raw("Mno\0\0")));
  ASSERT_TRUE(fields);
  EXPECT_EQ(fields->sqlstate, "");
}

/// Every decoder, with a body that it takes.
struct decoder {
  const char* name;
  std::string sample;
  std::function<bool(std::span<const std::byte>)> takes;
};

template <class Decode>
decoder make(const char* name, const std::string& sample, Decode decode) {
  return {name, sample, [decode](std::span<const std::byte> bytes) {
            const auto message = decode(bytes);
            if constexpr (requires { message->begin(); }) {
              if (message)
                for (const auto& field : *message) (void)field;
            }
            return message.has_value();
          }};
}

std::vector<decoder> decoders() {
  return {
      make("AuthenticationMD5Password", be32(5) + "salt", decode_authentication),
      make("AuthenticationSASL", be32(10) + raw("SCRAM-SHA-256\0\0"), decode_authentication),
      make("NegotiateProtocolVersion", be32(0) + be32(1) + raw("_pq_.a\0"), decode_negotiate_protocol_version),
      make("ParameterStatus", body(backend{}.parameter_status("TimeZone", "UTC")), decode_parameter_status),
      make("ReadyForQuery", "I", decode_ready_for_query),
      make("RowDescription", body(backend{}.row_description({{"id", 20}, {"data", 114}})), decode_row_description),
      make("ParameterDescription", body(backend{}.parameter_description({20, 25})), decode_parameter_description),
      make("DataRow", body(backend{}.data_row({"a", std::nullopt, "bc"})), decode_data_row),
      make("CommandComplete", raw("SELECT 1\0"), decode_command_complete),
      make("CopyOutResponse", raw("\1\0\2\0\1\0\1"), decode_copy_response),
      make("NotificationResponse", body(backend{}.notification("channel", "payload")), decode_notification_response),
      make("ErrorResponse", body(backend{}.error("57014", "canceling statement")), decode_error_fields),
  };
}

TEST(EveryDecoder, TakesItsSample) {
  for (const decoder& d : decoders()) EXPECT_TRUE(d.takes(as_bytes(d.sample))) << d.name;
}

TEST(EveryDecoder, RefusesEveryCut) {
  for (const decoder& d : decoders())
    for (std::size_t cut = 0; cut < d.sample.size(); ++cut) {
      const std::string part = d.sample.substr(0, cut);  // a copy of its own: reading past it is a sanitizer's finding
      EXPECT_FALSE(d.takes(as_bytes(part))) << d.name << " cut after " << cut;
    }
}

TEST(EveryDecoder, RefusesAByteTooMany) {
  for (const decoder& d : decoders()) EXPECT_FALSE(d.takes(as_bytes(d.sample + "x"))) << d.name;
}

TEST(EveryDecoder, StaysInsideTheBodyWhateverByteIsWrong) {
  std::size_t refused = 0;
  for (const decoder& d : decoders())
    for (std::size_t at = 0; at < d.sample.size(); ++at)
      for (const unsigned flip : {0x01U, 0x80U, 0xffU}) {
        std::string wrong = d.sample;
        wrong[at] = static_cast<char>(static_cast<unsigned char>(wrong[at]) ^ flip);
        if (!d.takes(as_bytes(wrong))) ++refused;
      }
  EXPECT_GT(refused, 0U);
}

}  // namespace
