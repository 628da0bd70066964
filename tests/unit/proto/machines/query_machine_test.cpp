#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include "machines/query_machine.hpp"

#include "backend.hpp"
#include "bytes.hpp"

namespace query_machine_test {
namespace {

using namespace sluice::proto;
using sluice::proto::bind;  // not that of sockets
using enum step::kind;

/// A valid body for each type of message.
std::string body_of(char type) {
  using sluice::test::backend;
  switch (type) {
    case 't': return backend{}.parameter_description({}).bytes.substr(5);
    case 'G':
    case 'H': return sluice::test::raw("\0\0\0");
    default: return {};
  }
}

step feed(query_machine& machine, char type) {
  const std::string body = body_of(type);
  return machine.on(frame{.type = type, .body = sluice::test::as_bytes(body)});
}

enum class flight { extended, describe_first, simple, known, beside_others };

query_machine sent(flight kind) {
  query_machine machine;
  switch (kind) {
    case flight::extended:
      machine.sent(parse{});
      machine.sent(bind{});
      machine.sent(describe{});
      machine.sent(execute{});
      machine.sent(sluice::proto::sync{});
      break;
    case flight::describe_first:
      machine.sent(parse{});
      machine.sent(describe{.what = describe::kind::statement, .name = {}});
      machine.sent(flush{});
      break;
    case flight::simple: machine.sent(query{}); break;
    case flight::known:
      machine.known(true);
      machine.sent(bind{});
      machine.sent(execute{});
      machine.sent(sluice::proto::sync{});
      break;
    case flight::beside_others:
      machine.sent(sluice::proto::close{});
      machine.sent_aside(parse{});
      machine.sent(bind{});
      machine.sent_aside(execute{});
      machine.sent(parse{});
      machine.sent(bind{});
      machine.sent(describe{});
      machine.sent(execute{});
      machine.sent_aside(parse{});
      machine.sent(bind{});
      machine.sent_aside(execute{});
      machine.sent(sluice::proto::sync{});
      break;
  }
  return machine;
}

/// Message types in order of arrival, and the machine's step for the last one. Lower-case letters among them stand for
/// what the caller sends: `x` Bind, Execute and Sync; `p` the same after another Parse; `y` Sync; `e` Execute and Sync
/// for another page.
struct transcript {
  const char* name;
  flight kind;
  const char* types;
  step::kind last;

  friend std::ostream& operator<<(std::ostream& out, const transcript& each) { return out << each.name; }
};

step play(query_machine& machine, const char* types) {
  step last;
  for (const char* type = types; *type != '\0'; ++type) {
    const std::string_view ours{"xpye"};
    if (ours.find(*type) == std::string_view::npos) {
      last = feed(machine, *type);
      continue;
    }
    if (*type == 'p') machine.sent(parse{});
    if (*type == 'x' || *type == 'p') machine.sent(bind{});
    if (*type != 'y') machine.sent(execute{});
    machine.sent(sluice::proto::sync{});
  }
  return last;
}

class QueryMachine : public testing::TestWithParam<transcript> {};

TEST_P(QueryMachine, MakesOfTheLastMessage) {
  query_machine machine = sent(GetParam().kind);
  const step last = play(machine, GetParam().types);
  EXPECT_EQ(last.is, GetParam().last) << last;
  if (last.is == ready) {
    EXPECT_TRUE(machine.is_idle());
  }
}

constexpr auto extended = flight::extended;
constexpr auto describe_first = flight::describe_first;
constexpr auto simple = flight::simple;
constexpr auto known = flight::known;
constexpr auto beside_others = flight::beside_others;

INSTANTIATE_TEST_SUITE_P(Transcripts, QueryMachine,
                         testing::Values(transcript{"Described", extended, "12T", described},                      //
                                         transcript{"Row", extended, "12TD", row},                                 //
                                         transcript{"Complete", extended, "12TDDC", complete},                     //
                                         transcript{"Ready", extended, "12TDDCZ", ready},                          //
                                         transcript{"NoRows", extended, "12n", no_rows},                           //
                                         transcript{"StatementWithoutRows", extended, "12nCZ", ready},             //
                                         transcript{"EmptyQuery", extended, "12nIZ", ready},                       //
                                         transcript{"Suspended", extended, "12TDs", suspended},                    //
                                         transcript{"NoticeAnywhere", extended, "1N", aside},                      //
                                         transcript{"ParameterAmongRows", extended, "12TDSD", row},                //
                                         transcript{"NotificationAfterTheEnd", extended, "12TCA", aside},          //
                                         transcript{"ErrorAtOnce", extended, "E", refused},                        //
                                         transcript{"ErrorAmongRows", extended, "12TDE", refused},                 //
                                         transcript{"ErrorAfterComplete", extended, "12TCE", refused},             //
                                         transcript{"ReadyAfterAnError", extended, "12TDEZ", ready},               //
                                         transcript{"CopyOut", extended, "12nH", copy_out},                        //
                                         transcript{"CopyOutToItsEnd", extended, "12nHddcCZ", ready},              //
                                         transcript{"CopyIn", extended, "12nGE", refused},                         //
                                         transcript{"RowBeforeDescription", extended, "12D", violation},           //
                                         transcript{"RowWithoutColumns", extended, "12nD", violation},             //
                                         transcript{"RowAfterTheEnd", extended, "12TCZD", violation},              //
                                         transcript{"ReadyBeforeComplete", extended, "12TDZ", violation},          //
                                         transcript{"TwoResults", extended, "12TCT", violation},                   //
                                         transcript{"AuthenticationAfterStartUp", extended, "R", violation},       //
                                         transcript{"KeyAfterStartUp", extended, "12K", violation},                //
                                         transcript{"CopyBoth", extended, "12nW", violation},                      //
                                         transcript{"Types", describe_first, "1t", nothing},                       //
                                         transcript{"Decides", describe_first, "1tT", described},                  //
                                         transcript{"NothingWhileDeciding", describe_first, "1tTD", violation},    //
                                         transcript{"Executes", describe_first, "1tTx2D", row},                    //
                                         transcript{"ExecutesAnother", describe_first, "1tTp12DCZ", ready},        //
                                         transcript{"ExecutesWithoutRows", describe_first, "1tnx2CZ", ready},      //
                                         transcript{"RefusedFirst", describe_first, "1Ey", refused},               //
                                         transcript{"RefusedFirstReady", describe_first, "EyZ", ready},            //
                                         transcript{"GivesUp", describe_first, "1tTyZ", ready},                    //
                                         transcript{"KnownStatement", known, "2D", row},                           //
                                         transcript{"KnownStatementReady", known, "2DCZ", ready},                  //
                                         transcript{"OthersBefore", beside_others, "312DC", nothing},              //
                                         transcript{"OwnBesideOthers", beside_others, "312DC12TD", row},           //
                                         transcript{"OthersBehind", beside_others, "312DC12TDC12DC", nothing},     //
                                         transcript{"ReadyBesideOthers", beside_others, "3E", refused},            //
                                         transcript{"ErrorSkipsTheOthers", beside_others, "312EZ", ready},         //
                                         transcript{"CopyInFrontOfOthers", beside_others, "312C12nG", violation},  //
                                         transcript{"AnotherPage", extended, "12TDsZeD", row},                     //
                                         transcript{"PageAhead", extended, "12TDesZD", row},                       //
                                         transcript{"PagesToTheEnd", extended, "12TDesZCZ", ready},                //
                                         transcript{"ErrorKeepsThePageAhead", extended, "12TDeEZE", refused},      //
                                         transcript{"ErrorOfBothPages", extended, "12TDeEZEZ", ready},             //
                                         transcript{"SimpleResults", simple, "TDCTDDCCZ", ready},                  //
                                         transcript{"SimpleEmpty", simple, "IZ", ready},                           //
                                         transcript{"SimpleErrorEndsTheRest", simple, "TDCEZ", ready},             //
                                         transcript{"SimpleNothingAfterAnError", simple, "ET", violation},         //
                                         transcript{"SimpleReadyAtOnce", simple, "Z", violation}),
                         [](const auto& tested) { return tested.param.name; });

TEST(QueryMachine, NeedsASyncOnlyWhileNoneIsUnderWay) {
  query_machine machine = sent(describe_first);
  EXPECT_TRUE(machine.needs_sync());
  (void)play(machine, "1tT");
  EXPECT_TRUE(machine.is_idle());
  (void)play(machine, "x");
  EXPECT_FALSE(machine.needs_sync());

  query_machine copying = sent(extended);
  (void)play(copying, "12nG");
  EXPECT_TRUE(copying.needs_sync()) << "the server skips the Sync that came before CopyFail";
}

TEST(QueryMachine, TellsAnAnswerFromTheRowsOfOthers) {
  query_machine machine;
  for (const bool is_question : {false, true}) {
    machine.sent_aside(parse{});
    machine.sent(bind{});
    if (is_question)
      machine.sent_question(execute{});
    else
      machine.sent_aside(execute{});
  }
  machine.sent(sluice::proto::sync{});
  EXPECT_EQ(play(machine, "12D").is, nothing);
  EXPECT_EQ(play(machine, "C").is, nothing);
  EXPECT_EQ(play(machine, "12D").is, answer);
  EXPECT_EQ(play(machine, "C").is, told);
  EXPECT_EQ(play(machine, "Z").is, ready);
}

TEST(QueryMachine, HoldsAsManyAnswersAsItSays) {
  query_machine machine;
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < query_machine::most_awaited; ++i) machine.sent(sluice::proto::sync{});
    for (std::size_t i = 0; i < query_machine::most_awaited; ++i) EXPECT_EQ(feed(machine, 'Z').is, ready);
    EXPECT_TRUE(machine.is_idle());
  }
}

/// For each phase of an extended query: messages that lead to it, and the messages that are legal in it.
struct phase {
  const char* way;
  const char* legal;
};

TEST(QueryMachine, TakesInEachPhaseOnlyWhatIsLegalThere) {
  for (const phase& p : {phase{"", "1"}, phase{"1", "2"}, phase{"12", "Tn"}, phase{"12T", "DCIs"}, phase{"12n", "CIGH"},
                         phase{"12nH", "dcCI"}, phase{"12TC", "Z"}}) {
    for (int type = 0; type < 256; ++type) {
      query_machine machine = sent(extended);
      (void)play(machine, p.way);
      const char byte = static_cast<char>(type);
      const bool legal = byte != '\0' && (std::string_view{p.legal}.find(byte) != std::string_view::npos ||
                                          std::string_view{"ENSA"}.find(byte) != std::string_view::npos);
      EXPECT_EQ(feed(machine, byte).is != violation, legal) << "after '" << p.way << "': type " << type;
    }
  }
}

TEST(QueryMachine, RefusesABodyWhereThereIsNone) {
  for (const char type : {'1', '2', '3', 'n', 's', 'I'}) {
    query_machine machine = sent(extended);
    const step last = machine.on(frame{.type = type, .body = sluice::test::as_bytes("x")});
    EXPECT_EQ(last.is, violation);
    EXPECT_EQ(last.why.what, fault::kind::malformed) << type;
  }
}

}  // namespace
}  // namespace query_machine_test
