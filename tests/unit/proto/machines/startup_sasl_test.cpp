// Which SASL mechanism the client chooses, what it binds the channel to, and what it refuses: every choice that a
// server, or an impostor, can offer.
#include <gtest/gtest.h>

#include <optional>
#include <ostream>
#include <string>
#include "machines/startup_machine.hpp"

#include "backend.hpp"
#include "bytes.hpp"
#include "scram_server.hpp"

namespace startup_sasl_test {
namespace {

using namespace sluice::proto;
using binding = login::binding;
using kind = startup_step::kind;
using sluice::test::as_bytes;
using sluice::test::as_text;
using sluice::test::backend;
using sluice::test::raw;

const std::string plain_offer = backend{}.authentication(10, raw("SCRAM-SHA-256\0\0")).bytes;
const std::string both_offer = backend{}.authentication(10, raw("SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0")).bytes;
const std::string bound_offer = backend{}.authentication(10, raw("SCRAM-SHA-256-PLUS\0\0")).bytes;
const std::string token_offer = backend{}.authentication(10, raw("OAUTHBEARER\0\0")).bytes;

startup_step give(startup_machine& machine, const std::string& bytes, output& out) {
  return machine.on(next_frame(as_bytes(bytes), limits{}).message, out);
}

struct choice {
  const char* name;
  binding bind;
  bool over_tls;
  const char* hash;
  const std::string& offer;
  const char* begins;  // how the sent message begins, with '.' for zero bytes; null: refused
  fault::kind why{};
};
std::ostream& operator<<(std::ostream& out, const choice& one) { return out << one.name; }
class Choice : public testing::TestWithParam<choice> {};

TEST_P(Choice, IsTheStrongestThatIsAllowed) {
  const choice& one = GetParam();
  startup_machine machine{
      {.user = "me", .password = "pencil", .bind = one.bind, .over_tls = one.over_tls, .certificate_hash = one.hash}};
  output out;
  const startup_step step = give(machine, one.offer, out);
  if (one.begins == nullptr) {
    EXPECT_EQ(step.why.what, one.why) << step;
    EXPECT_TRUE(out.empty());
    return;
  }
  EXPECT_EQ(step.is, kind::send) << step;
  std::string sent{as_text(out)};
  sent = sent.substr(5, sent.find(",n=") - 5);
  const std::size_t name = sent.find('\0');
  EXPECT_EQ(sent.substr(0, name) + ' ' + sent.substr(name + 5), one.begins);
}

constexpr const char* bound = "SCRAM-SHA-256-PLUS p=tls-server-end-point,";
INSTANTIATE_TEST_SUITE_P(
    Sasl, Choice,
    testing::Values(
        choice{"PlainWithoutTls", binding::if_offered, false, "", plain_offer, "SCRAM-SHA-256 n,"},
        choice{"PlainOverTlsSaysThatItCouldBind", binding::if_offered, true, "hash", plain_offer, "SCRAM-SHA-256 y,"},
        choice{"BoundWhereOffered", binding::if_offered, true, "hash", both_offer, bound},
        choice{"BoundWhereRequired", binding::always, true, "hash", both_offer, bound},
        choice{"BoundAlone", binding::if_offered, true, "hash", bound_offer, bound},
        choice{"NeverBound", binding::never, true, "hash", both_offer, "SCRAM-SHA-256 n,"},
        choice{"NeverBoundAndNothingElse", binding::never, true, "hash", bound_offer, nullptr,
               fault::kind::auth_refused},
        choice{"Stripped", binding::always, true, "hash", plain_offer, nullptr, fault::kind::auth_refused},
        choice{"RequiredWithoutTls", binding::always, false, "", plain_offer, nullptr, fault::kind::auth_refused},
        choice{"OfferedWithoutTls", binding::if_offered, false, "", both_offer, nullptr, fault::kind::unexpected},
        choice{"NoHash", binding::if_offered, true, "", both_offer, nullptr, fault::kind::auth_refused},
        choice{"RequiredAndNoHash", binding::always, true, "", both_offer, nullptr, fault::kind::auth_refused},
        choice{"RequiredAndTokens", binding::always, true, "hash", token_offer, nullptr, fault::kind::auth_refused}),
    [](const auto& one) { return std::string{one.param.name}; });

TEST(RequiredBinding, LetsNoOtherMethodIn) {
  for (const std::string& request : {backend{}.authentication_ok().bytes, backend{}.authentication(3).bytes,
                                     backend{}.authentication(5, "salt").bytes}) {
    startup_machine machine{{.user = "me",
                             .password = "pencil",
                             .allow_cleartext = true,
                             .bind = binding::always,
                             .over_tls = true,
                             .certificate_hash = "hash"}};
    output out;
    EXPECT_EQ(give(machine, request, out).why.what, fault::kind::auth_refused);
    EXPECT_TRUE(out.empty()) << "no password";
  }
}

class Token : public testing::Test {
 protected:
  startup_machine machine{{.user = "me", .allow_bearer = true}};
  output out;
};

TEST_F(Token, IsAskedForAndSent) {
  ASSERT_EQ(give(machine, token_offer, out).is, kind::token);
  EXPECT_TRUE(out.empty());
  ASSERT_EQ(machine.give_token("abc.DEF-_~+/=", out).is, kind::send);
  EXPECT_EQ(std::string{as_text(out)}.substr(5), raw("OAUTHBEARER\0") + sluice::test::be32(31) +
                                                     "n,,\x01"
                                                     "auth=Bearer abc.DEF-_~+/=\x01\x01");
  EXPECT_EQ(give(machine, backend{}.authentication_ok().bytes, out).is, kind::nothing);
  EXPECT_EQ(give(machine, backend{}.ready_for_query().bytes, out).is, kind::ready);
}

TEST_F(Token, ThatIsRefusedEndsTheMechanismAsItMust) {
  ASSERT_EQ(give(machine, token_offer, out).is, kind::token);
  ASSERT_EQ(machine.give_token("abc", out).is, kind::send);
  out.clear();
  ASSERT_EQ(give(machine, backend{}.authentication(11, R"({"status":"invalid_token"})").bytes, out).is, kind::send);
  EXPECT_EQ(as_text(out), "p" + sluice::test::be32(5) + "\x01");
  EXPECT_EQ(give(machine, backend{}.error("28000", "no").bytes, out).is, kind::refused);
}

TEST_F(Token, ThatIsRefusedIsNotLetInAfterAll) {
  ASSERT_EQ(give(machine, token_offer, out).is, kind::token);
  ASSERT_EQ(machine.give_token("abc", out).is, kind::send);
  ASSERT_EQ(give(machine, backend{}.authentication(11, "{}").bytes, out).is, kind::send);
  EXPECT_EQ(give(machine, backend{}.authentication_ok().bytes, out).is, kind::violation);
}

TEST_F(Token, HoldsNothingThatCouldEndItEarly) {
  for (const std::string& bad :
       {std::string{}, std::string{"a b"}, std::string{"a\x01host=x"}, raw("a\0"), std::string{"\n"}}) {
    startup_machine one{{.user = "me", .allow_bearer = true}};
    ASSERT_EQ(give(one, token_offer, out).is, kind::token);
    EXPECT_EQ(one.give_token(bad, out).why.what, fault::kind::auth_refused);
    EXPECT_TRUE(out.empty());
  }
}

TEST_F(Token, IsWaitedForBeforeAnythingElse) {
  ASSERT_EQ(give(machine, token_offer, out).is, kind::token);
  EXPECT_EQ(give(machine, backend{}.authentication_ok().bytes, out).is, kind::violation);
}

TEST(KnownKeys, TakeThePlaceOfTheHashing) {
  const sluice::test::scram_server server;
  std::optional<scram_keys> keys;
  for (const bool known : {false, true}) {
    startup_machine machine{{.user = "me", .password = "pencil", .known_keys = known ? &*keys : nullptr}};
    output out;
    ASSERT_EQ(give(machine, plain_offer, out).is, kind::send);
    const std::string sent{as_text(out)};
    const std::string client_first = sent.substr(sent.find("n=,r="));
    const std::string server_first = server.first(client_first.substr(5));
    out.clear();
    startup_step step = give(machine, backend{}.authentication(11, server_first).bytes, out);
    EXPECT_EQ(step.is, known ? kind::send : kind::hash);
    while (step.is == kind::hash) step = machine.hash_some(out);
    const std::string last = std::string{as_text(out)}.substr(5);
    EXPECT_EQ(machine.proved_keys(), nullptr) << "not before the server's proof";
    const auto expected = server.expect(client_first, server_first, last.substr(0, last.find(",p=")));
    EXPECT_EQ(last.substr(last.find(",p=") + 3), expected.proof);
    ASSERT_EQ(give(machine, backend{}.authentication(12, expected.server_final).bytes, out).is, kind::nothing);
    ASSERT_NE(machine.proved_keys(), nullptr);
    keys = *machine.proved_keys();
  }
}

TEST(KnownKeys, OfAnotherSaltAreHashedAnew) {
  scram_keys old;
  old.iterations = 4096;
  startup_machine machine{{.user = "me", .password = "pencil", .known_keys = &old}};
  output out;
  ASSERT_EQ(give(machine, plain_offer, out).is, kind::send);
  const std::string sent{as_text(out)};
  const sluice::test::scram_server server;
  const std::string first = server.first(sent.substr(sent.find("r=") + 2));
  EXPECT_EQ(give(machine, backend{}.authentication(11, first).bytes, out).is, kind::hash);
}

}  // namespace
}  // namespace startup_sasl_test
