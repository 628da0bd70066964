#include <gtest/gtest.h>

#include <ostream>
#include <sluice/proto/query_machine.hpp>
#include <string>

#include "backend.hpp"
#include "bytes.hpp"

namespace {

using namespace sluice::proto;
using enum step::kind;
using flight = query_machine::flight;

/// A well-formed body for each type of message.
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

/// Types of messages in their order of arrival, and what the machine makes of the last one. In a describe_first flight
/// `x` stands for the caller's Bind and Execute, `p` for the same with another Parse, `y` for a Sync that gives up.
struct transcript {
  const char* name;
  flight kind;
  const char* types;
  step::kind last;
};

step play(query_machine& machine, const char* types) {
  step last;
  for (const char* type = types; *type != '\0'; ++type) {
    if (*type == 'x' || *type == 'p')
      machine.executing(*type == 'p');
    else if (*type == 'y')
      machine.synced();
    else
      last = feed(machine, *type);
  }
  return last;
}

class QueryMachine : public testing::TestWithParam<transcript> {};

TEST_P(QueryMachine, MakesOfTheLastMessage) {
  query_machine machine{GetParam().kind};
  const step last = play(machine, GetParam().types);
  EXPECT_EQ(last.is, GetParam().last) << last;
  if (last.is == ready) {
    EXPECT_TRUE(machine.is_idle());
  }
}

constexpr auto extended = flight::extended;
constexpr auto describe_first = flight::describe_first;
constexpr auto simple = flight::simple;

INSTANTIATE_TEST_SUITE_P(Transcripts, QueryMachine,
                         testing::Values(transcript{"Described", extended, "12T", described},                    //
                                         transcript{"Row", extended, "12TD", row},                               //
                                         transcript{"Complete", extended, "12TDDC", complete},                   //
                                         transcript{"Ready", extended, "12TDDCZ", ready},                        //
                                         transcript{"NoRows", extended, "12n", no_rows},                         //
                                         transcript{"StatementWithoutRows", extended, "12nCZ", ready},           //
                                         transcript{"EmptyQuery", extended, "12nIZ", ready},                     //
                                         transcript{"Suspended", extended, "12TDs", suspended},                  //
                                         transcript{"NoticeAnywhere", extended, "1N", aside},                    //
                                         transcript{"ParameterAmongRows", extended, "12TDSD", row},              //
                                         transcript{"NotificationAfterTheEnd", extended, "12TCA", aside},        //
                                         transcript{"ErrorAtOnce", extended, "E", refused},                      //
                                         transcript{"ErrorAmongRows", extended, "12TDE", refused},               //
                                         transcript{"ErrorAfterComplete", extended, "12TCE", refused},           //
                                         transcript{"ReadyAfterAnError", extended, "12TDEZ", ready},             //
                                         transcript{"CopyOut", extended, "12nH", copy_out},                      //
                                         transcript{"CopyOutToItsEnd", extended, "12nHddcCZ", ready},            //
                                         transcript{"CopyIn", extended, "12nGE", refused},                       //
                                         transcript{"RowBeforeDescription", extended, "12D", violation},         //
                                         transcript{"RowWithoutColumns", extended, "12nD", violation},           //
                                         transcript{"RowAfterTheEnd", extended, "12TCZD", violation},            //
                                         transcript{"ReadyBeforeComplete", extended, "12TDZ", violation},        //
                                         transcript{"TwoResults", extended, "12TCT", violation},                 //
                                         transcript{"AuthenticationAfterStartUp", extended, "R", violation},     //
                                         transcript{"KeyAfterStartUp", extended, "12K", violation},              //
                                         transcript{"CopyBoth", extended, "12nW", violation},                    //
                                         transcript{"Types", describe_first, "1t", nothing},                     //
                                         transcript{"Decides", describe_first, "1tT", described},                //
                                         transcript{"NothingWhileDeciding", describe_first, "1tTD", violation},  //
                                         transcript{"Executes", describe_first, "1tTx2D", row},                  //
                                         transcript{"ExecutesAnother", describe_first, "1tTp12DCZ", ready},      //
                                         transcript{"ExecutesWithoutRows", describe_first, "1tnx2CZ", ready},    //
                                         transcript{"RefusedFirst", describe_first, "1Ey", refused},             //
                                         transcript{"RefusedFirstReady", describe_first, "EyZ", ready},          //
                                         transcript{"GivesUp", describe_first, "1tTyZ", ready},                  //
                                         transcript{"SimpleResults", simple, "TDCTDDCCZ", ready},                //
                                         transcript{"SimpleEmpty", simple, "IZ", ready},                         //
                                         transcript{"SimpleErrorEndsTheRest", simple, "TDCEZ", ready},           //
                                         transcript{"SimpleNothingAfterAnError", simple, "ET", violation},       //
                                         transcript{"SimpleReadyAtOnce", simple, "Z", violation}),
                         [](const auto& tested) { return tested.param.name; });

TEST(QueryMachine, NeedsASyncOnlyWhileNoneIsUnderWay) {
  query_machine machine{describe_first};
  EXPECT_TRUE(machine.needs_sync());
  (void)play(machine, "1tT");
  EXPECT_TRUE(machine.is_deciding());
  machine.executing(false);
  EXPECT_FALSE(machine.needs_sync());

  query_machine copying{extended};
  (void)play(copying, "12nG");
  EXPECT_TRUE(copying.needs_sync()) << "the server skips the Sync that came before CopyFail";
}

/// For each phase of an extended flight: how to get there, and which messages are legal in it.
struct phase {
  const char* way;
  const char* legal;
};

TEST(QueryMachine, TakesInEachPhaseOnlyWhatIsLegalThere) {
  for (const phase& p : {phase{"", "1"}, phase{"1", "2"}, phase{"12", "Tn"}, phase{"12T", "DCIs"}, phase{"12n", "CIGH"},
                         phase{"12nH", "dcCI"}, phase{"12TC", "Z"}}) {
    for (int type = 0; type < 256; ++type) {
      query_machine machine{extended};
      (void)play(machine, p.way);
      const char byte = static_cast<char>(type);
      const bool legal = byte != '\0' && (std::string_view{p.legal}.find(byte) != std::string_view::npos ||
                                          std::string_view{"ENSA"}.find(byte) != std::string_view::npos);
      EXPECT_EQ(feed(machine, byte).is != violation, legal) << "after '" << p.way << "': type " << type;
    }
  }
}

TEST(QueryMachine, RefusesABodyWhereThereIsNone) {
  for (const char type : {'1', '2', 'n', 's', 'I'}) {
    query_machine machine{extended};
    const step last = machine.on(frame{.type = type, .body = sluice::test::as_bytes("x")});
    EXPECT_EQ(last.is, violation);
    EXPECT_EQ(last.why.what, fault::kind::malformed) << type;
  }
}

}  // namespace
