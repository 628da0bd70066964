// One query as a transcript: what it sends, and its action after each of the server's messages.
#include <gtest/gtest.h>

#include <memory>
#include <sluice/proto/byte_order.hpp>
#include <sluice/proto/frame.hpp>
#include <string>
#include <string_view>
#include <vector>
#include "engine/query_conversation.hpp"

#include "backend.hpp"
#include "bytes.hpp"

namespace query_conversation_test {
namespace {

using sluice::errc;
using sluice::proto::value_format;
using sluice::test::as_bytes;
using sluice::test::as_text;
using sluice::test::backend;
using sluice::test::raw;
using sluice::wire::action;
using sluice::wire::connection_engine;
using sluice::wire::decider;
using sluice::wire::decision;
using sluice::wire::failed;
using sluice::wire::query_conversation;
using sluice::wire::statement;
using kind = action::kind;
using proto_fault = sluice::proto::fault;
using actions = std::vector<action>;

const action go_on{};
const action aside{.is = kind::aside};
const action end_turn{.is = kind::end_turn};

/// A connection's state, without a socket.
class transcript : public testing::Test {
 protected:
  /// The types of the messages sent since the last call.
  std::string sent() {
    std::string types;
    for (std::size_t at = 0; at < out_.size();) {
      types += std::to_integer<char>(out_[at]);
      at += 1 + sluice::proto::load_big<std::uint32_t>(out_.data() + at + 1);
    }
    last_.assign(as_text(out_));
    out_.clear();
    return types;
  }
  /// Whether the messages of the last call to `sent` contain this text.
  [[nodiscard]] bool has_sent(std::string_view text) const { return last_.find(text) != std::string::npos; }

  /// The conversation's actions after each of these messages.
  static actions feed(query_conversation& to, const backend& says, bool skips_rows = false) {
    actions all;
    std::span<const std::byte> left = as_bytes(says.bytes);
    while (!left.empty()) {
      const sluice::proto::framing next = sluice::proto::next_frame(left, {});
      all.push_back(to.on(next.message, skips_rows));
      left = left.subspan(next.size);
    }
    return all;
  }

  sluice::proto::output out_;
  connection_engine engine_{out_};

 private:
  std::string last_;
};
using QueryConversation = transcript;

TEST_F(QueryConversation, OfDocumentsIsOneFlight) {
  query_conversation query{engine_};
  ASSERT_FALSE(query.begin({.text = "select data from t"}));
  EXPECT_EQ(sent(), "PBDES");
  EXPECT_EQ(engine_.queue.first(), &query);
  EXPECT_EQ(feed(query, backend{}.parse_complete().bind_complete().notice().row_description()),
            (actions{go_on, go_on, aside, go_on}));
  EXPECT_TRUE(query.may_have_rows());
  EXPECT_EQ(query.shape().columns, 1);
  EXPECT_EQ(feed(query, backend{}.command_complete("SELECT 0").ready_for_query()), (actions{go_on, end_turn}));
  EXPECT_TRUE(query.is_over());
  EXPECT_EQ(query.tag(), "SELECT 0");
  EXPECT_TRUE(engine_.queue.empty());
  EXPECT_EQ(sent(), "");
}

TEST_F(QueryConversation, RefusesAResultOfTheWrongShapeButReadsItToItsEnd) {
  query_conversation query{engine_};
  ASSERT_FALSE(query.begin({.text = "select 1, 2", .refuses = [](const sluice::proto::row_description& columns) {
                              return columns.size() == 1 ? std::string{} : std::string{"too many"};
                            }}));
  EXPECT_EQ(feed(query, backend{}.parse_complete().bind_complete().row_description({{"a", 23}, {"b", 23}})),
            (actions{go_on, go_on, go_on}));
  ASSERT_TRUE(query.unsuitable());
  EXPECT_EQ(query.unsuitable()->why, "too many");
  EXPECT_EQ(query.unsuitable()->code, errc::unsupported_result);
  EXPECT_EQ(feed(query, backend{}.data_row({"1", "2"}).command_complete("SELECT 1").ready_for_query()),
            (actions{go_on, go_on, end_turn}));
}

TEST_F(QueryConversation, SaysWhichRowIsBroken) {
  query_conversation query{engine_};
  ASSERT_FALSE(query.begin({.text = "select data from t"}));
  (void)feed(query, backend{}.parse_complete().bind_complete().row_description());
  const backend row = backend{}.data_row({"1", "2"});
  EXPECT_EQ(feed(query, row),
            (actions{failed({.what = proto_fault::kind::malformed,
                             .type = 'D',
                             .rule = "the fields do not match the columns or do not fill the body exactly"})}));
  EXPECT_EQ(feed(query, row, true), actions{go_on}) << "nobody wants it";
}

TEST_F(QueryConversation, KeepsTheServersErrorUntilItIsTaken) {
  query_conversation query{engine_};
  ASSERT_FALSE(query.begin({.text = "select 1/0"}));
  EXPECT_EQ(feed(query, backend{}.parse_complete().error("22012", "division by zero").ready_for_query()),
            (actions{go_on, go_on, end_turn}));
  EXPECT_TRUE(query.is_over());
  ASSERT_TRUE(query.said());
  EXPECT_EQ(query.take_said()->sqlstate, "22012");
  EXPECT_FALSE(query.said());
}

TEST_F(QueryConversation, GivesUpWhenTheServerEndsTheSession) {
  query_conversation query{engine_};
  ASSERT_FALSE(query.begin({.text = "select data from t"}));
  EXPECT_EQ(feed(query, backend{}.error("57P01", "terminating", "FATAL")), actions{{.is = kind::give_up}});
  EXPECT_EQ(query.said()->sqlstate, "57P01");
}

TEST_F(QueryConversation, ThatCannotBeEncodedLeavesNothingBehind) {
  query_conversation query{engine_};
  const std::string zero{"select '\0'", 10};
  EXPECT_EQ(query.begin({.text = zero, .page_rows = 10}).what, proto_fault::kind::unencodable);
  EXPECT_EQ(sent(), "");
  EXPECT_TRUE(engine_.queue.empty());
  EXPECT_FALSE(engine_.scope.has_portals());
  EXPECT_TRUE(query.is_over());
}

TEST_F(QueryConversation, InPagesBeginsATransactionAndEndsIt) {
  query_conversation query{engine_};
  ASSERT_FALSE(query.begin({.text = "select data from t", .page_rows = 2}));
  EXPECT_EQ(sent(), "PBEPBDES");
  EXPECT_TRUE(has_sent("begin"));
  (void)feed(query, backend{}.parse_complete().bind_complete().command_complete("BEGIN"));
  EXPECT_EQ(feed(query, backend{}.parse_complete().bind_complete().row_description()), (actions{go_on, go_on, go_on}));
  EXPECT_TRUE(query.wants_page_ahead(1));
  query.note_row();
  EXPECT_EQ(feed(query, backend{}.portal_suspended().ready_for_query('T')), (actions{go_on, end_turn}));
  EXPECT_FALSE(query.is_over());
  EXPECT_TRUE(engine_.queue.empty()) << "between two pages others may be sent";

  query.request_page();
  EXPECT_EQ(sent(), "ES");
  query.note_row();
  EXPECT_EQ(feed(query, backend{}.command_complete("SELECT 1")), actions{go_on});
  EXPECT_EQ(sent(), "PBES");
  EXPECT_TRUE(has_sent("commit"));
  EXPECT_EQ(feed(query, backend{}.ready_for_query('T').parse_complete().bind_complete().command_complete("COMMIT")),
            (actions{end_turn, go_on, go_on, go_on}));
  EXPECT_EQ(feed(query, backend{}.ready_for_query()), actions{end_turn});
  EXPECT_TRUE(query.is_over());
  EXPECT_EQ(query.pages(), 2U);
  EXPECT_EQ(query.tag(), "SELECT 1");
  EXPECT_TRUE(engine_.scope.is_idle());
}

TEST_F(QueryConversation, InPagesIsClosedWhenItIsNotWantedAnyMore) {
  engine_.scope.ready('T');
  query_conversation query{engine_};
  ASSERT_FALSE(query.begin({.text = "select data from t", .page_rows = 2}));
  EXPECT_EQ(sent(), "PBDES") << "in the caller's block";
  query.let_go(false);
  EXPECT_EQ(sent(), "CS");
  EXPECT_EQ(query.turns(), 2U);
  EXPECT_EQ(
      feed(query, backend{}.parse_complete().bind_complete().row_description().data_row("1").portal_suspended(), true),
      (actions{go_on, go_on, go_on, go_on, go_on}));
  EXPECT_EQ(feed(query, backend{}.ready_for_query('T').message('3', {}).ready_for_query('T')),
            (actions{end_turn, go_on, end_turn}));
  EXPECT_TRUE(query.is_over());
}

/// The request may hit COMMIT although it was meant for the previous page.
TEST_F(QueryConversation, RollsBackAfterACancelledCommitAndOnlyOnce) {
  query_conversation query{engine_};
  ASSERT_FALSE(query.begin({.text = "select data from t", .page_rows = 2}));
  (void)feed(query, backend{}.parse_complete().bind_complete().command_complete("BEGIN"));
  (void)feed(query, backend{}.parse_complete().bind_complete().row_description().command_complete("SELECT 0"));
  (void)sent();
  EXPECT_EQ(feed(query, backend{}.ready_for_query('T').error("57014", "canceling").ready_for_query('E')),
            (actions{end_turn, go_on, end_turn}));
  EXPECT_EQ(sent(), "PBES");
  EXPECT_TRUE(has_sent("rollback"));
  (void)feed(query, backend{}.parse_complete().bind_complete().command_complete("ROLLBACK"));
  EXPECT_EQ(
      feed(query, backend{}.ready_for_query('E')),
      (actions{failed({.what = proto_fault::kind::unexpected, .type = 'Z', .rule = "the transaction does not end"})}));
}

TEST_F(QueryConversation, AnswersACopyInWhenToldTo) {
  query_conversation query{engine_};
  ASSERT_FALSE(query.begin("copy t from stdin"));
  EXPECT_EQ(sent(), "Q");
  EXPECT_EQ(feed(query, backend{}.message('G', sluice::test::raw("\0\0\0"))), actions{{.is = kind::refuse_copy}});
  query.refuse_copy_in();
  EXPECT_EQ(sent(), "f");
  EXPECT_EQ(feed(query, backend{}.error("57014", "COPY failed").ready_for_query()), (actions{go_on, end_turn}));
}

/// Makes the given decision, whatever the columns are.
class other_sql final : public decider {
 public:
  explicit other_sql(decision how) : how_{std::move(how)} {}
  decision described(const sluice::wire::description& /*what*/) override { return how_; }
  bool told(const sluice::proto::data_row& /*row*/) override { return false; }

 private:
  decision how_;
};

constexpr std::uint32_t json = 114;

statement decided_by(const decision& how) {
  return {.text = "select 1, 2", .by_columns = true, .decides = [how] { return std::make_unique<other_sql>(how); }};
}

TEST_F(QueryConversation, GoesOnInTheSameTurnOnceItIsDecided) {
  query_conversation query{engine_};
  ASSERT_FALSE(query.begin(decided_by({.is = decision::kind::instead,
                                       .sql = "select row_to_json(s) from (...) s",
                                       .columns = {{"row_to_json", json}}})));
  EXPECT_EQ(sent(), "PDH");
  EXPECT_TRUE(query.is_undecided());
  EXPECT_EQ(feed(query, backend{}.parse_complete().parameter_description({}).row_description({{"a", 23}, {"b", 23}})),
            (actions{go_on, go_on, go_on}));
  EXPECT_FALSE(query.is_undecided());
  EXPECT_EQ(sent(), "PBES");
  EXPECT_TRUE(has_sent("row_to_json"));
  EXPECT_EQ(feed(query, backend{}.parse_complete().bind_complete().command_complete("SELECT 0").ready_for_query()),
            (actions{go_on, go_on, go_on, end_turn}));
  EXPECT_TRUE(query.is_over());
}

const decision in_two_formats{.formats = {value_format::binary, value_format::text}};
const backend two_columns = backend{}.row_description({{"a", 23}, {"b", 25}});
const backend rest_of_it = backend{}.command_complete("SELECT 0").ready_for_query();

/// A statement of two columns, which was described once.
class KnownResult : public transcript {
 protected:
  KnownResult() { describe(); }

  void describe() {
    query_conversation first{engine_};
    ASSERT_FALSE(first.begin(what_));
    (void)feed(first, backend{}.parse_complete().parameter_description({}));
    (void)feed(first, two_columns);
    EXPECT_EQ(sent(), "PDHBES");
    (void)feed(first, backend{}.bind_complete());
    (void)feed(first, rest_of_it);
    ASSERT_TRUE(first.is_over());
  }

  statement what_ = decided_by(in_two_formats);
};

TEST_F(QueryConversation, AsksForTheFormatsThatWereDecided) {
  query_conversation query{engine_};
  ASSERT_FALSE(query.begin(decided_by(in_two_formats)));
  (void)sent();
  (void)feed(query, backend{}.parse_complete().parameter_description({}));
  (void)feed(query, two_columns);
  EXPECT_EQ(sent(), "BES");
  EXPECT_TRUE(has_sent(raw("\0\2\0\1\0\0E")));  // the end of Bind
}

TEST_F(KnownResult, IsNotDescribedAgain) {
  query_conversation query{engine_};
  ASSERT_FALSE(query.begin(what_));
  EXPECT_FALSE(query.is_undecided());
  EXPECT_EQ(sent(), "PBDES");
  EXPECT_TRUE(has_sent(raw("\0\2\0\1\0\0D")));
  (void)feed(query, backend{}.parse_complete().bind_complete());
  (void)feed(query, two_columns);
  EXPECT_FALSE(query.unsuitable());
  EXPECT_EQ(query.columns()->size(), 2U);
}

TEST_F(KnownResult, IsNotReadWhenItIsNotThatOfTheLastTime) {
  for (const backend& now : {backend{}.row_description({{"a", 20}, {"b", 25}}), backend{}.row_description({{"a", 23}}),
                             backend{}.row_description({{"x", 23}, {"b", 25}}), backend{}.no_data()}) {
    query_conversation query{engine_};
    ASSERT_FALSE(query.begin(what_));
    (void)feed(query, backend{}.parse_complete().bind_complete());
    (void)feed(query, now);
    ASSERT_TRUE(query.unsuitable());
    EXPECT_EQ(query.unsuitable()->code, errc::result_changed);
    (void)feed(query, rest_of_it);
    EXPECT_TRUE(query.is_over());
    (void)sent();
    describe();
  }
}

TEST_F(KnownResult, HasChangedWhenTheNumberOfFormatsIsWrong) {
  query_conversation query{engine_};
  ASSERT_FALSE(query.begin(what_));
  (void)feed(query, backend{}.parse_complete().error("08P01", "bind message has 2 result formats but ..."));
  ASSERT_TRUE(query.unsuitable());
  EXPECT_EQ(query.unsuitable()->code, errc::result_changed);
}

TEST_F(QueryConversation, RunsUndescribedWhatNeedNotWait) {
  statement what = decided_by(in_two_formats);
  what.runs_undescribed = true;
  query_conversation query{engine_};
  ASSERT_FALSE(query.begin(what));
  EXPECT_EQ(sent(), "PBDES");
  EXPECT_TRUE(has_sent(raw("\0\0D"))) << "all columns in text";
  (void)feed(query, backend{}.parse_complete().bind_complete());
  (void)feed(query, two_columns);
  (void)feed(query, rest_of_it);
  query_conversation again{engine_};
  ASSERT_FALSE(again.begin(what));
  EXPECT_EQ(sent(), "PBDES");
  EXPECT_TRUE(has_sent(raw("\0\2\0\1\0\0D"))) << "its columns are known now";
}

TEST_F(QueryConversation, EndsUnbegunWhenTheDecisionIsToRefuse) {
  query_conversation query{engine_};
  ASSERT_FALSE(query.begin(decided_by({.is = decision::kind::refuse, .sql = "no", .code = errc::bad_query})));
  (void)sent();
  (void)feed(query, backend{}.parse_complete().parameter_description({}).row_description());
  EXPECT_EQ(sent(), "S");
  EXPECT_EQ(query.unsuitable()->code, errc::bad_query);
}

TEST_F(QueryConversation, LetGoBeforeTheDecisionRunsOnlyForItsEffects) {
  for (const bool runs_on : {false, true}) {
    engine_.results = {};
    query_conversation query{engine_};
    ASSERT_FALSE(query.begin(decided_by({.is = decision::kind::as_it_is})));
    query.let_go(runs_on);
    (void)sent();
    (void)feed(query, backend{}.parse_complete().parameter_description({}).row_description(), true);
    EXPECT_EQ(sent(), runs_on ? "BES" : "S");
    if (runs_on) (void)feed(query, backend{}.bind_complete().command_complete("SELECT 1"), true);
    EXPECT_EQ(feed(query, backend{}.ready_for_query(), true), actions{end_turn});
  }
}

}  // namespace
}  // namespace query_conversation_test
