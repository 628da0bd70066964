// Properties of every decoder of backend messages, tested by damaging a body that it accepts.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>
#include "messages/backend.hpp"
#include "messages/error_fields.hpp"

#include "backend.hpp"
#include "bytes.hpp"
#include "pieces.hpp"

namespace every_decoder_test {
namespace {

using namespace sluice::proto;
using sluice::test::as_bytes;
using sluice::test::backend;
using sluice::test::be16;
using sluice::test::be32;
using sluice::test::raw;

using sluice::test::add;
using sluice::test::lies_within;
using sluice::test::pieces;
using bytes = std::span<const std::byte>;

/// A decoder, with a body that it accepts.
struct decoder {
  const char* name;
  std::string sample;
  std::function<std::optional<pieces>(bytes)> decode;

  /// Decodes a copy whose memory ends with the body, so that a sanitizer detects a read past the end.
  [[nodiscard]] bool takes(const std::string& body) const {
    const std::vector<std::byte> copy(as_bytes(body).begin(), as_bytes(body).end());
    const auto found = decode(copy);
    if (!found) return false;
    EXPECT_TRUE(lies_within(*found, copy)) << name << " points outside its body";
    return true;
  }
};

template <class Message>
decoder make(const char* name, const std::string& sample, std::optional<Message> (*decode)(bytes) noexcept) {
  return {name, sample, [decode](bytes body) {
            std::optional<pieces> found;
            if (const auto message = decode(body)) add(found.emplace(), *message);
            return found;
          }};
}

/// The body of the one message in `built`.
std::string body(const backend& built) { return built.bytes.substr(5); }

/// Decoders of messages whose fields all have a length or a terminator.
std::vector<decoder> decoders() {
  return {
      make("AuthenticationOk", be32(0), decode_authentication),
      make("AuthenticationMD5Password", be32(5) + "salt", decode_authentication),
      make("AuthenticationSASL", be32(10) + raw("SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"), decode_authentication),
      make("NegotiateProtocolVersion", be32(0) + be32(2) + raw("_pq_.a\0_pq_.b\0"), decode_negotiate_protocol_version),
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

/// Decoders of messages whose last field is the rest of the body.
std::vector<decoder> open_ended_decoders() {
  return {
      make("AuthenticationSASLContinue", be32(11) + "r=nonce,s=c2FsdA==,i=4096", decode_authentication),
      make("BackendKeyData", be32(4711) + std::string(32, 'k'), decode_backend_key_data),
  };
}

TEST(EveryDecoder, TakesItsSample) {
  for (const decoder& d : decoders()) EXPECT_TRUE(d.takes(d.sample)) << d.name;
  for (const decoder& d : open_ended_decoders()) EXPECT_TRUE(d.takes(d.sample)) << d.name;
}

TEST(EveryDecoder, RefusesEveryCut) {
  for (const decoder& d : decoders())
    for (std::size_t cut = 0; cut < d.sample.size(); ++cut)
      EXPECT_FALSE(d.takes(d.sample.substr(0, cut))) << d.name << " cut after " << cut;
}

TEST(EveryDecoder, RefusesAByteTooMany) {
  for (const decoder& d : decoders())
    for (const char more : {'\0', 'x'}) EXPECT_FALSE(d.takes(d.sample + more)) << d.name;
}

TEST(EveryDecoder, PointsInsideTheBodyWhateverByteIsWrong) {
  std::vector<decoder> all = decoders();
  for (decoder& d : open_ended_decoders()) all.push_back(std::move(d));
  for (const decoder& d : all)
    for (std::size_t at = 0; at < d.sample.size(); ++at)
      for (unsigned value = 0; value < 256; ++value) {
        std::string wrong = d.sample;
        wrong[at] = static_cast<char>(value);
        for (std::size_t cut = at; cut <= wrong.size(); cut += 1 + wrong.size() / 4)
          (void)d.takes(wrong.substr(0, cut));  // takes() checks every body that is accepted
        (void)d.takes(wrong);
      }
}

struct counted {
  const char* name;
  std::size_t at;    // where the count is in the sample
  std::size_t size;  // of the count, in bytes
};

TEST(EveryDecoder, RefusesACountThatIsNotTheNumberOfFields) {
  const counted table[] = {{"NegotiateProtocolVersion", 4, 4},
                           {"RowDescription", 0, 2},
                           {"ParameterDescription", 0, 2},
                           {"DataRow", 0, 2},
                           {"CopyOutResponse", 1, 2}};
  for (const counted& c : table) {
    const std::vector<decoder> all = decoders();
    const auto d =
        std::find_if(all.begin(), all.end(), [&](const decoder& one) { return std::string_view{one.name} == c.name; });
    ASSERT_NE(d, all.end()) << c.name;
    const std::uint32_t right = static_cast<unsigned char>(d->sample[c.at + c.size - 1]);
    for (const std::uint32_t wrong : {0U, right - 1, right + 1, 0x7fffU, 0x8000U, 0xffffU, 0x7fffffffU, 0xffffffffU}) {
      const std::string count = c.size == 2 ? be16(wrong) : be32(wrong);
      std::string sample = d->sample;
      EXPECT_FALSE(d->takes(sample.replace(c.at, c.size, count))) << c.name << " with " << wrong;
    }
  }
}

}  // namespace
}  // namespace every_decoder_test
