#include <gtest/gtest.h>

#include <string>
#include <vector>
#include "machines/startup_machine.hpp"

#include "backend.hpp"
#include "bytes.hpp"
#include "scram_server.hpp"

namespace startup_machine_test {
namespace {

using namespace sluice::proto;
using kind = startup_step::kind;
using sluice::test::as_bytes;
using sluice::test::as_text;
using sluice::test::backend;
using sluice::test::be32;
using sluice::test::raw;

const login someone{.user = "me", .database = "app", .password = "pencil", .allow_cleartext = true};

/// Feeds every frame of `bytes`, and hashes when the machine asks for it.
/// @return the last step
startup_step feed(startup_machine& machine, const std::string& bytes, output& out) {
  startup_step last;
  for (std::size_t at = 0; at < bytes.size();) {
    const framing next = next_frame(as_bytes(bytes).subspan(at), limits{});
    if (next.found != framing::kind::complete) break;
    last = machine.on(next.message, out);
    while (last.is == kind::hash) last = machine.hash_some(out);
    if (last.is == kind::violation || last.is == kind::refused) return last;
    at += next.size;
  }
  return last;
}

std::string rest_of_login() {
  return backend{}
      .authentication_ok()
      .parameter_status("server_version", "15.4")
      .notice()
      .backend_key_data(4711, "abcd")
      .ready_for_query()
      .bytes;
}

/// The body of the last message in `out`.
std::string last_payload(const output& out, std::size_t from) {
  return std::string{as_text(std::span{out}.subspan(from + 5))};
}

TEST(StartupMachine, StartsWithUserAndDatabase) {
  const std::vector<startup_parameter> parameters{{"client_encoding", "UTF8"}};
  login who = someone;
  who.parameters = parameters;
  startup_machine machine{who};
  output out;
  ASSERT_FALSE(machine.start(out));
  EXPECT_EQ(std::string{as_text(out)}.substr(8), raw("user\0me\0database\0app\0client_encoding\0UTF8\0\0"));
}

TEST(StartupMachine, LogsInWhereNothingIsAsked) {
  startup_machine machine{someone};
  output out;
  EXPECT_EQ(feed(machine, rest_of_login(), out).is, kind::ready);
  EXPECT_TRUE(machine.is_ready());
  EXPECT_EQ(machine.backend_pid(), 4711U);
  EXPECT_EQ(as_text(machine.cancel_key()), "abcd");
  EXPECT_TRUE(out.empty());
}

TEST(StartupMachine, IsNotReadyAfterAnyCut) {
  const std::string whole = rest_of_login();
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    startup_machine machine{someone};
    output out;
    EXPECT_NE(feed(machine, whole.substr(0, cut), out).is, kind::ready) << cut;
    EXPECT_FALSE(machine.is_ready());
  }
}

TEST(StartupMachine, SendsThePasswordInClearTextOnlyWhereThatIsAllowed) {
  output out;
  startup_machine machine{someone};
  EXPECT_EQ(feed(machine, backend{}.authentication(3).bytes, out).is, kind::send);
  EXPECT_EQ(as_text(out), "p" + be32(11) + raw("pencil\0"));
  EXPECT_EQ(feed(machine, rest_of_login(), out).is, kind::ready);

  login elsewhere = someone;
  login forbidden = someone;
  elsewhere.is_exposed = true;
  forbidden.allow_cleartext = false;
  for (const auto& [who, words] : {std::pair{elsewhere, "sent only over TLS"}, {forbidden, "require_auth"}}) {
    startup_machine refusing{who};
    output none;
    const startup_step refused = feed(refusing, backend{}.authentication(3).bytes, none);
    EXPECT_EQ(refused.why.what, fault::kind::auth_refused) << refused;
    EXPECT_NE(refused.why.rule.find(words), std::string_view::npos) << refused;
    EXPECT_TRUE(none.empty());
  }
}

TEST(StartupMachine, AnswersMd5) {
  output out;
  startup_machine machine{someone};
  EXPECT_EQ(feed(machine, backend{}.authentication(5, "salt").bytes, out).is, kind::send);
  EXPECT_EQ(as_text(out).substr(5, 3), "md5");
  EXPECT_EQ(out.size(), 5U + 35U + 1U);

  login strict = someone;
  strict.allow_md5 = false;
  startup_machine refusing{strict};
  EXPECT_EQ(feed(refusing, backend{}.authentication(5, "salt").bytes, out).why.what, fault::kind::auth_refused);
}

TEST(StartupMachine, RefusesMethodsThatAreNotAllowed) {
  login demanding = someone;
  demanding.allow_nothing = false;
  startup_machine open_door{demanding};
  output out;
  EXPECT_EQ(feed(open_door, rest_of_login(), out).why.what, fault::kind::auth_refused);
  startup_machine asked{demanding};
  EXPECT_EQ(feed(asked, backend{}.authentication(3).bytes + rest_of_login(), out).is, kind::ready);

  login plain = someone;
  plain.allow_scram = false;
  startup_machine without_scram{plain};
  EXPECT_EQ(feed(without_scram, backend{}.authentication(10, raw("SCRAM-SHA-256\0\0")).bytes, out).why.what,
            fault::kind::auth_refused);
}

TEST(StartupMachine, RefusesToLogInWithoutThePasswordThatIsAskedFor) {
  login forgetful = someone;
  forgetful.password.reset();
  for (const std::string& request : {backend{}.authentication(3).bytes, backend{}.authentication(5, "salt").bytes,
                                     backend{}.authentication(10, raw("SCRAM-SHA-256\0\0")).bytes}) {
    startup_machine machine{forgetful};
    output out;
    const startup_step last = feed(machine, request, out);
    EXPECT_EQ(last.why.what, fault::kind::auth_refused) << last;
    EXPECT_TRUE(out.empty());
  }
}

TEST(StartupMachine, RefusesMethodsThatItDoesNotKnow) {
  for (const std::uint32_t method : {2U, 7U, 9U, 99U}) {
    startup_machine machine{someone};
    output out;
    EXPECT_EQ(feed(machine, backend{}.authentication(method).bytes, out).why.what, fault::kind::auth_refused) << method;
  }
  startup_machine machine{someone};
  output out;
  EXPECT_EQ(feed(machine, backend{}.authentication(10, raw("OAUTHBEARER\0\0")).bytes, out).why.what,
            fault::kind::auth_refused);
}

login with_gss() {
  login who = someone;
  who.gss = login::gssapi::allowed;
  return who;
}

TEST(GssLogin, PassesTokensBothWaysUntilTheContextIsComplete) {
  startup_machine machine{with_gss()};
  output out;
  ASSERT_EQ(feed(machine, backend{}.authentication(7).bytes, out).is, kind::gss);
  EXPECT_TRUE(machine.gss_token().empty());
  const std::string first = raw("\x60\0first");
  ASSERT_EQ(machine.give_gss(as_bytes(first), false, out).is, kind::send);
  EXPECT_EQ(as_text(out), "p" + be32(11) + first);
  ASSERT_EQ(feed(machine, backend{}.authentication(8, raw("a\0b")).bytes, out).is, kind::gss);
  EXPECT_EQ(as_text(machine.gss_token()), raw("a\0b"));
  const std::size_t before = out.size();
  ASSERT_EQ(machine.give_gss(as_bytes("second"), false, out).is, kind::send);
  EXPECT_EQ(last_payload(out, before), "second");
  ASSERT_EQ(feed(machine, backend{}.authentication(8, "c").bytes, out).is, kind::gss);
  const std::size_t sent = out.size();
  EXPECT_EQ(machine.give_gss({}, true, out).is, kind::nothing);
  EXPECT_EQ(out.size(), sent);
  EXPECT_EQ(feed(machine, rest_of_login(), out).is, kind::ready);
}

TEST(GssLogin, RefusesAServerThatHasNotProvedItself) {
  for (const bool has_answered : {false, true}) {
    startup_machine machine{with_gss()};
    output out;
    ASSERT_EQ(feed(machine, backend{}.authentication(7).bytes, out).is, kind::gss);
    ASSERT_EQ(machine.give_gss(as_bytes("token"), false, out).is, kind::send);
    if (has_answered) {
      ASSERT_EQ(feed(machine, backend{}.authentication(8, "half").bytes, out).is, kind::gss);
      ASSERT_EQ(machine.give_gss(as_bytes("more"), false, out).is, kind::send);
    }
    EXPECT_EQ(feed(machine, rest_of_login(), out).why.what, fault::kind::auth_proof);
  }
  startup_machine silent{with_gss()};
  output out;
  ASSERT_EQ(feed(silent, backend{}.authentication(7).bytes, out).is, kind::gss);
  EXPECT_EQ(silent.give_gss({}, false, out).why.what, fault::kind::auth_proof);
}

TEST(GssLogin, TakesNoMessageOutOfOrder) {
  const std::string gss = backend{}.authentication(7).bytes;
  const std::string more = backend{}.authentication(8, "more").bytes;
  struct order {
    const char* name;
    std::string before;   // fed first
    bool has_sent;        // the client's first token
    bool is_complete;     // with it
    std::string message;  // out of order
  };
  const std::vector<order> orders{
      {"a token before GSSAPI was asked for", "", false, false, more},
      {"a token while the client's context works", gss, false, false, more},
      {"AuthenticationOk while the client's context works", gss, false, false, backend{}.authentication_ok().bytes},
      {"GSSAPI again", gss, true, false, gss},
      {"a password after GSSAPI has begun", gss, true, false, backend{}.authentication(3).bytes},
      {"SCRAM after GSSAPI has begun", gss, true, false, backend{}.authentication(10, raw("SCRAM-SHA-256\0\0")).bytes},
      {"a token after the context is complete", gss, true, true, more},
      {"a token after AuthenticationOk", backend{}.authentication_ok().bytes, false, false, more},
  };
  for (const order& one : orders) {
    startup_machine machine{with_gss()};
    output out;
    (void)feed(machine, one.before, out);
    if (one.has_sent) {
      ASSERT_EQ(machine.give_gss(as_bytes("token"), one.is_complete, out).is, kind::send) << one.name;
    }
    const std::size_t sent = out.size();
    EXPECT_EQ(feed(machine, one.message, out).why.what, fault::kind::unexpected) << one.name;
    EXPECT_EQ(out.size(), sent) << one.name;
  }
  startup_machine unasked{with_gss()};
  output none;
  EXPECT_EQ(unasked.give_gss(as_bytes("token"), false, none).is, kind::violation);
  EXPECT_TRUE(none.empty());
}

TEST(GssLogin, IsRefusedWhereItIsAbsentOrNotAllowed) {
  login absent = someone;
  login forbidden = someone;
  login bound = with_gss();
  forbidden.gss = login::gssapi::forbidden;
  bound.bind = login::binding::always;
  for (const auto& [who, words] :
       {std::pair{absent, "-Dgssapi=enabled"}, {forbidden, "require_auth"}, {bound, "channel_binding"}}) {
    startup_machine machine{who};
    output out;
    const startup_step refused = feed(machine, backend{}.authentication(7).bytes, out);
    EXPECT_EQ(refused.why.what, fault::kind::auth_refused) << refused;
    EXPECT_NE(refused.why.rule.find(words), std::string_view::npos) << refused;
    EXPECT_TRUE(out.empty());
  }
}

/// With GSSAPI encryption the server has nothing left to ask.
TEST(GssLogin, IsDoneWhereGssapiEncrypts) {
  login who = with_gss();
  who.allow_nothing = false;
  for (const bool over_gss : {false, true}) {
    for (const login::gssapi gss : {login::gssapi::forbidden, login::gssapi::allowed}) {
      who.over_gss = over_gss;
      who.gss = gss;
      startup_machine machine{who};
      output out;
      const bool is_in = feed(machine, rest_of_login(), out).is == kind::ready;
      EXPECT_EQ(is_in, over_gss && gss == login::gssapi::allowed);
    }
  }
}

/// A SCRAM login up to the client's proof, against the independent implementation of the server's side.
class ScramLogin : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(feed(machine, backend{}.authentication(10, raw("SCRAM-SHA-256\0\0")).bytes, out).is, kind::send);
    const std::string initial = last_payload(out, 0);
    client_first = initial.substr(initial.find(',') + 2);
    server_first = server.first(client_first.substr(client_first.find("r=") + 2));
    const std::size_t before = out.size();
    ASSERT_EQ(feed(machine, backend{}.authentication(11, server_first).bytes, out).is, kind::send);
    client_final = last_payload(out, before);
    answers = server.expect(client_first, server_first, client_final.substr(0, client_final.find(",p=")));
  }

  sluice::test::scram_server server;
  startup_machine machine{someone};
  output out;
  std::string client_first, server_first, client_final;
  sluice::test::scram_server::answers answers;
};

TEST_F(ScramLogin, ProvesThePasswordAndChecksTheServersProof) {
  EXPECT_EQ(client_final.substr(client_final.find(",p=") + 3), answers.proof);
  EXPECT_EQ(feed(machine, backend{}.authentication(12, answers.server_final).bytes, out).is, kind::nothing);
  EXPECT_EQ(feed(machine, rest_of_login(), out).is, kind::ready);
}

TEST_F(ScramLogin, RefusesAServerThatCannotProveIt) {
  std::string wrong = answers.server_final;
  wrong[4] = wrong[4] == 'A' ? 'B' : 'A';
  EXPECT_EQ(feed(machine, backend{}.authentication(12, wrong).bytes, out).why.what, fault::kind::auth_proof);
}

TEST_F(ScramLogin, RefusesAServerThatSkipsItsProof) {
  EXPECT_EQ(feed(machine, rest_of_login(), out).why.what, fault::kind::auth_proof);
  EXPECT_FALSE(machine.is_ready());
}

TEST(StartupMachine, RefusesTooManyIterationsBeforeHashing) {
  startup_machine machine{someone};
  output out;
  ASSERT_EQ(feed(machine, backend{}.authentication(10, raw("SCRAM-SHA-256\0\0")).bytes, out).is, kind::send);
  const std::string initial = last_payload(out, 0);
  sluice::test::scram_server slow;
  slow.iterations = 100'001;
  const std::string challenge = backend{}.authentication(11, slow.first(initial.substr(initial.find("r=") + 2))).bytes;
  const framing next = next_frame(as_bytes(challenge), limits{});
  EXPECT_EQ(machine.on(next.message, out).why.what, fault::kind::auth_parameters);
}

TEST(StartupMachine, NeverAnswersARequestAfterAuthenticationOk) {
  for (const std::uint32_t method : {0U, 3U, 5U, 10U}) {
    startup_machine machine{someone};
    output out;
    const std::string data = method == 5 ? "salt" : method == 10 ? raw("SCRAM-SHA-256\0\0") : std::string{};
    const startup_step last = feed(machine, backend{}.authentication_ok().authentication(method, data).bytes, out);
    EXPECT_EQ(last.why.what, fault::kind::unexpected) << last;
    EXPECT_TRUE(out.empty());
  }
}

TEST(StartupMachine, TakesNoticesAndErrorsWhereverTheyStand) {
  startup_machine machine{someone};
  output out;
  EXPECT_EQ(feed(machine, backend{}.notice().bytes, out).is, kind::aside);
  EXPECT_EQ(feed(machine, backend{}.authentication(3).notice().bytes, out).is, kind::aside);
  EXPECT_EQ(feed(machine, backend{}.error("28P01", "no").bytes, out).is, kind::refused);
}

TEST(StartupMachine, RefusesWhatBelongsLater) {
  for (const std::string& early :
       {backend{}.ready_for_query().bytes, backend{}.backend_key_data(1, "abcd").bytes, backend{}.data_row("{}").bytes,
        backend{}.parameter_status("a", "b").bytes, backend{}.authentication(11, "r=x").bytes}) {
    startup_machine machine{someone};
    output out;
    EXPECT_EQ(feed(machine, early, out).why.what, fault::kind::unexpected);
  }
}

TEST(StartupMachine, NegotiatesTheMinorVersionDownAndNothingElse) {
  login newer = someone;
  newer.minor_version = 2;
  const auto offer = [](std::uint32_t minor) { return backend{}.message('v', be32(minor) + be32(0)).bytes; };
  {
    startup_machine machine{newer};
    output out;
    EXPECT_EQ(feed(machine, offer(0) + rest_of_login(), out).is, kind::ready);
    EXPECT_EQ(machine.minor_version(), 0);
  }
  for (const std::uint32_t minor : {1U, 2U, 3U}) {
    startup_machine machine{newer};
    output out;
    EXPECT_EQ(feed(machine, offer(minor), out).is, kind::violation) << minor;
  }
  startup_machine machine{someone};
  output out;
  EXPECT_EQ(feed(machine, offer(0), out).is, kind::violation) << "nothing was asked for";
}

}  // namespace
}  // namespace startup_machine_test
