#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>
#include "messages/frontend.hpp"

#include "backend.hpp"
#include "bytes.hpp"
#include "transport/message_trace.hpp"
#include "watching.hpp"

namespace message_trace_test {
namespace {

using sluice::test::as_bytes;
using sluice::test::backend;
using sluice::test::recorder;
using sluice::wire::message_trace;
namespace proto = sluice::proto;

proto::output frontend_side() {
  proto::output all;
  const std::array parameters{proto::startup_parameter{"user", "me"},
                              proto::startup_parameter{"options", "-c x=secret"}};
  (void)encode(proto::startup_message{.parameters = parameters}, all);
  (void)encode(proto::password_message{"secret"}, all);
  (void)encode(proto::sasl_initial_response{"SCRAM-SHA-256", "n,,n=,r=secret"}, all);
  (void)encode(proto::parse{"s", "select \"a\"\n, $1", {}}, all);
  const std::array values{proto::parameter{.value = "secret"}};
  (void)encode(proto::bind{.portal = "p", .statement = "s", .parameters = values}, all);
  (void)encode(proto::execute{"p", 5}, all);
  (void)encode(proto::query{std::string(2'000, 'x')}, all);
  (void)encode(proto::sync{}, all);
  return all;
}

std::string backend_side() {
  return backend{}
      .authentication(11, "r=secret")
      .authentication_ok()
      .parameter_status("TimeZone", "UTC")
      .backend_key_data(7, "secret")
      .ready_for_query()
      .data_row(std::string(5'000, 'x') + "secret")
      .error("42P01", "no \"t\"\x1b")
      .message('y', "what is this")
      .bytes;
}

/// The trace of both sides when the bytes arrive in pieces of this size.
std::vector<std::string> lines_by(std::size_t piece) {
  recorder seen;
  message_trace trace{seen};
  const proto::output ours = frontend_side();
  for (std::size_t at = 0; at < ours.size(); at += piece)
    trace.sent(std::span{ours}.subspan(at, std::min(piece, ours.size() - at)));
  const std::string theirs = backend_side();
  for (std::size_t at = 0; at < theirs.size(); at += piece) trace.received(as_bytes(theirs.substr(at, piece)));
  return seen.lines;
}

TEST(MessageTrace, TellsEachMessageWithoutSecrets) {
  const std::vector<std::string> lines = lines_by(1U << 20U);
  const std::vector<std::string> starts{"F 37 StartupMessage 3.0 \"user\"=\"me\" \"options\"",
                                        "F 12 Authentication answer, left out",
                                        "F 37 Authentication answer, left out",
                                        "F 25 Parse \"s\" \"select \\\"a\\\"\\x0a, $1\"",
                                        "F 25 Bind \"p\" \"s\"",
                                        "F 11 Execute \"p\" 5",
                                        "F 2006 Query \"xxx",
                                        "F 5 Sync",
                                        "B 17 Authentication 11",
                                        "B 9 Authentication 0",
                                        "B 18 ParameterStatus \"TimeZone\" \"UTC\"",
                                        "B 15 BackendKeyData 7",
                                        "B 6 ReadyForQuery I",
                                        "B 5017 DataRow 1",
                                        "B 36 ErrorResponse ERROR 42P01 \"no \\\"t\\\"\\x1b\"",
                                        "B 17 Unknown"};
  ASSERT_EQ(lines.size(), starts.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_TRUE(lines[i].starts_with(starts[i])) << lines[i];
    EXPECT_EQ(lines[i].find("secret"), std::string::npos) << lines[i];
  }
}

TEST(MessageTrace, TellsTheSameHoweverTheBytesCome) {
  const std::vector<std::string> whole = lines_by(1U << 20U);
  for (const std::size_t piece : {1U, 2U, 3U, 7U, 100U}) EXPECT_EQ(lines_by(piece), whole) << piece;
}

TEST(MessageTrace, TellsAMessageOnOneLineWhateverIsInIt) {
  recorder seen;
  message_trace trace{seen};
  const backend forged = backend{}
                             .error("42\nB 5 Z", "no\xc2\x9b\xe2\x80\xae", "ERROR\n\x1b[1m")
                             .ready_for_query('\n')
                             .parameter_status("a\r", "b\xc2\x85");
  trace.received(as_bytes(forged.bytes));
  proto::output startup;
  (void)encode(proto::ssl_request{}, startup);
  message_trace other{seen};
  other.sent(startup);
  other.received(as_bytes(std::string_view{"\n"}));
  ASSERT_EQ(seen.lines.size(), 5U);
  for (const std::string& line : seen.lines)
    EXPECT_TRUE(std::ranges::all_of(line, [](char c) { return c >= ' ' && c < 0x7f; })) << line;
  EXPECT_NE(seen.lines[0].find(R"( ERROR\x0a\x1b[1m 42\x0aB\ 5\ Z "no\xc2\x9b\xe2\x80\xae")"), std::string::npos)
      << seen.lines[0];
}

TEST(MessageTrace, KnowsTheAnswerToARequestForTls) {
  recorder seen;
  message_trace trace{seen};
  proto::output ours;
  (void)encode(proto::ssl_request{}, ours);
  trace.sent(ours);
  trace.received(as_bytes("N"));
  ours.clear();
  (void)encode(proto::startup_message{}, ours);
  trace.sent(ours);
  trace.received(as_bytes(backend{}.authentication_ok().bytes));
  EXPECT_EQ(seen.lines, (std::vector<std::string>{"F 8 SSLRequest", "B 1 SSLResponse N", "F 9 StartupMessage 3.0",
                                                  "B 9 Authentication 0"}));
}

TEST(MessageTrace, KnowsTheAnswerToARequestForGssapiEncryption) {
  recorder seen;
  message_trace trace{seen};
  proto::output ours;
  (void)encode(proto::gss_request{}, ours);
  trace.sent(ours);
  trace.received(as_bytes("G"));
  ours.clear();
  (void)encode(proto::startup_message{}, ours);
  trace.sent(ours);
  trace.received(as_bytes(backend{}.authentication_ok().bytes));
  EXPECT_EQ(seen.lines, (std::vector<std::string>{"F 8 GSSENCRequest", "B 1 GSSENCResponse G", "F 9 StartupMessage 3.0",
                                                  "B 9 Authentication 0"}));
}

}  // namespace
}  // namespace message_trace_test
