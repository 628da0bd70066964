// Paged queries on a session, alone and beside others, over a real socket pair.
#include <gtest/gtest.h>

#include <string>
#include <vector>
#include "engine/query_reader.hpp"

#include "backend.hpp"
#include "bytes.hpp"
#include "session_pair.hpp"

namespace pages_test {
namespace {

using sluice::errc;
using sluice::error;
using sluice::test::backend;
using sluice::test::session_pair;
using sluice::test::take;
using sluice::wire::query_reader;
using sluice::wire::session;
using sluice::wire::statement;
using rows = std::vector<std::string>;

const statement by_two{.text = "select data from t", .page_rows = 2, .page_bytes = 1'000};

/// The types of the messages that the client has sent.
std::string sent_types(session_pair& on) {
  on->io.flush();
  const std::string heard = on.heard();
  std::string types;
  for (std::size_t at = 0; at < heard.size();) {
    types += heard[at];
    at += 1 + sluice::proto::load_big<std::uint32_t>(sluice::test::as_bytes(heard).data() + at + 1);
  }
  return types;
}

/// Checks for a violation in answers that could go on forever.
void expect_violation(query_reader& query, rows& got) {
  try {
    (void)take(query, got);
    ADD_FAILURE() << "it could go on like this for ever";
  } catch (const error& e) {
    EXPECT_EQ(e.code(), errc::protocol_violation);
  }
}

backend begun() {
  backend says;
  says.parse_complete().bind_complete().command_complete("BEGIN");
  says.parse_complete().bind_complete().row_description();
  return says;
}
backend committed() {
  backend says;
  says.parse_complete().bind_complete().command_complete("COMMIT").ready_for_query('I');
  return says;
}

/// Three rows in pages of two. The client requests the second page with the first row, and the third with the second
/// page.
std::string conversation() {
  return begun().data_row("1").data_row("2").portal_suspended().ready_for_query('T').bytes +
         backend{}.data_row("3").command_complete("SELECT 1").ready_for_query('T').bytes +
         backend{}.command_complete("SELECT 0").ready_for_query('T').bytes + committed().bytes;
}

TEST(Pages, GiveTheSameRowsWhereverTheConversationIsSplit) {
  const std::string all = conversation();
  for (std::size_t cut = 0; cut < all.size(); ++cut) {
    SCOPED_TRACE("split after " + std::to_string(cut));
    session_pair on;
    query_reader query{*on, by_two};
    rows got;
    on.say(std::string_view{all}.substr(0, cut));
    EXPECT_FALSE(take(query, got));
    on.say(std::string_view{all}.substr(cut));
    EXPECT_TRUE(take(query, got));
    EXPECT_EQ(got, (rows{"1", "2", "3"}));
    EXPECT_EQ(query.pages(), 2U);
    EXPECT_TRUE(on->is_unused());
    EXPECT_FALSE(on->engine.scope.in_block());
    EXPECT_EQ(sent_types(on), "PBEPBDESESESPBES");
  }
}

TEST(Pages, AreSetAsideForAnotherQuery) {
  session_pair on;
  query_reader first{*on, by_two};
  on.say(begun().data_row("1").bytes);
  rows got;
  EXPECT_FALSE(take(first, got));
  query_reader second{*on, statement{.text = "select 1"}};
  on.say(backend{}.data_row("2").portal_suspended().ready_for_query('T').bytes);
  on.say(backend{}.data_row("3").data_row("4").portal_suspended().ready_for_query('T').bytes);
  on.say(backend{}.parse_complete().bind_complete().row_description().data_row("x").command_complete("SELECT 1").bytes);
  on.say(backend{}.ready_for_query('T').bytes);
  rows others;
  EXPECT_TRUE(take(second, others));
  EXPECT_EQ(others, rows{"x"});
  EXPECT_GT(first.aside_bytes(), 0U);
  EXPECT_EQ(on->is(), session::state::idle);

  EXPECT_FALSE(take(first, got));
  EXPECT_EQ(got, (rows{"1", "2", "3", "4"}));
  EXPECT_EQ(first.aside_bytes(), 0U);
  on.say(backend{}.command_complete("SELECT 0").ready_for_query('T').bytes + committed().bytes);
  EXPECT_TRUE(take(first, got));
  EXPECT_TRUE(on->is_unused());
}

TEST(Pages, HaveToBeReadInTheOrderOfTheirFlights) {
  session_pair on;
  query_reader first{*on, by_two};
  query_reader second{*on, statement{.text = "select 1"}};
  const query_reader third{second, statement{.text = "select 2"}};
  on.say(begun().bytes);
  rows got;
  EXPECT_FALSE(take(second, got));
  EXPECT_THROW((void)const_cast<query_reader&>(third).advance(), error);
  EXPECT_THROW((query_reader{*on, statement{.text = "select 3"}}), error) << "there is a plain one under way";
}

TEST(Pages, ShareATransactionThatTheLastOneEnds) {
  session_pair on;
  query_reader first{*on, by_two};
  query_reader second{*on, by_two};
  EXPECT_EQ(sent_types(on), "PBEPBDESPBDES") << "one BEGIN";
  on.say(begun().data_row("1").command_complete("SELECT 1").ready_for_query('T').bytes);
  rows got;
  EXPECT_FALSE(take(first, got));
  EXPECT_EQ(sent_types(on), "CS") << "its portal is closed, and no page is asked for in front of another's answers";
  on.say(backend{}.parse_complete().bind_complete().row_description().command_complete("SELECT 0").bytes);
  on.say(backend{}.ready_for_query('T').message('3', "").ready_for_query('T').bytes);
  EXPECT_TRUE(on->engine.scope.in_block());
  EXPECT_TRUE(take(first, got)) << "it has seen the end of the second on its way";
  EXPECT_EQ(sent_types(on), "PBES");
  EXPECT_FALSE(on->engine.scope.in_block()) << "what is sent now comes after the COMMIT";
  EXPECT_FALSE(take(second, got));
  on.say(committed().bytes);
  EXPECT_TRUE(take(second, got));
  EXPECT_TRUE(on->is_unused());
}

TEST(Pages, RollBackWhenTheirCommitIsHitByALateSignal) {
  session_pair on;
  query_reader query{*on, by_two};
  on.say(begun().command_complete("SELECT 0").ready_for_query('T').bytes);
  on.say(backend{}.error("57014", "canceling statement due to user request").ready_for_query('E').bytes);
  rows got;
  query.abandon();
  EXPECT_FALSE(take(query, got));
  EXPECT_EQ(sent_types(on), "PBEPBDESPBESPBES");
  on.say(backend{}.parse_complete().bind_complete().command_complete("ROLLBACK").ready_for_query('I').bytes);
  EXPECT_TRUE(take(query, got));
  EXPECT_TRUE(on->is_unused());
}

TEST(Pages, GiveUpATransactionThatDoesNotEnd) {
  session_pair on;
  query_reader query{*on, by_two};
  on.say(begun().command_complete("SELECT 0").ready_for_query('T').bytes);
  for (int i = 0; i < 2; ++i)
    on.say(backend{}.parse_complete().bind_complete().command_complete("COMMIT").ready_for_query('T').bytes);
  rows got;
  expect_violation(query, got);
}

TEST(Pages, WithoutRowsAreAnError) {
  session_pair on;
  query_reader query{*on, by_two};
  on.say(begun().data_row("1").data_row("2").portal_suspended().ready_for_query('T').bytes);
  on.say(backend{}.portal_suspended().ready_for_query('T').bytes);
  rows got;
  expect_violation(query, got);
  EXPECT_EQ(got, (rows{"1", "2"}));
}

TEST(Pages, TakeNoMoreMemoryAsideThanTheyMay) {
  session_pair on;
  query_reader first{*on, by_two};
  on.say(begun().data_row("1").bytes);
  rows got;
  EXPECT_FALSE(take(first, got));
  query_reader second{*on, statement{.text = "select 1"}};
  rows others;
  for (int i = 0; i < 100; ++i) {  // also more rows than requested
    on.say(backend{}.data_row(std::string(100, 'x')).bytes);
    EXPECT_FALSE(take(second, others));
    EXPECT_LE(first.aside_bytes(), 1'000U);
  }
  on.say(backend{}.command_complete("SELECT 100").ready_for_query('T').bytes);
  on.say(backend{}.command_complete("SELECT 0").ready_for_query('T').bytes);
  on.say(backend{}.parse_complete().bind_complete().row_description().command_complete("SELECT 0").bytes);
  on.say(backend{}.ready_for_query('T').bytes + committed().bytes);
  EXPECT_TRUE(take(second, others));
  try {
    (void)take(first, got);
    ADD_FAILURE() << "rows were dropped";
  } catch (const error& e) {
    EXPECT_EQ(e.code(), errc::stream_too_large);
    EXPECT_TRUE(e.kind() == sluice::condition::limit);
  }
  EXPECT_TRUE(on->is_unused());
}

TEST(PreparedStatements, AreNeitherParsedNorDescribedASecondTime) {
  session_pair on;
  on->engine.statements = sluice::wire::statement_cache{1};
  const auto ask = [&](const statement& what, const std::string& answers) {
    query_reader query{*on, what};
    on.say(answers);
    rows got;
    EXPECT_TRUE(take(query, got));
    EXPECT_EQ(got, rows{"{}"});
    return sent_types(on);
  };
  const statement one{.text = "select 1"};
  const statement two{.text = "select 2"};
  const std::string tail = backend{}.data_row("{}").command_complete("SELECT 1").ready_for_query().bytes;
  const std::string parsed = backend{}.parse_complete().bind_complete().row_description().bytes + tail;
  EXPECT_EQ(ask(one, parsed), "PBDES");
  EXPECT_EQ(ask(one, backend{}.bind_complete().bytes + tail), "BES");
  EXPECT_EQ(ask(two, backend{}.message('3', "").bytes + parsed), "CPBDES") << "the first one is closed for it";
  EXPECT_EQ(ask(two, backend{}.bind_complete().bytes + tail), "BES");
}

TEST(Pages, DroppedInTheMiddleLeaveTheSessionBroken) {
  session_pair on;
  {
    const query_reader query{*on, by_two};
  }
  EXPECT_EQ(on->is(), session::state::broken);
}

}  // namespace
}  // namespace pages_test
