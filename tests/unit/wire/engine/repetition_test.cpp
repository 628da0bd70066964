// One statement for several rows of values as a transcript: what is sent, and which row each answer belongs to.
#include <gtest/gtest.h>

#include <array>
#include <sluice/proto/byte_order.hpp>
#include <sluice/proto/frame.hpp>
#include <string>
#include <string_view>
#include "engine/query_conversation.hpp"

#include "backend.hpp"
#include "bytes.hpp"

namespace repetition_test {
namespace {

using sluice::proto::parameter;
using sluice::test::as_bytes;
using sluice::test::backend;
using sluice::wire::action;
using sluice::wire::connection_engine;
using sluice::wire::query_conversation;
using kind = action::kind;

constexpr std::array<parameter, 3> values{parameter{"a"}, parameter{"b"}, parameter{"c"}};

class Repetition : public testing::Test {
 protected:
  /// Three rows of one value.
  void begin(bool by_itself, std::size_t rows = 3) {
    ASSERT_FALSE(query_.begin({.text = "insert into t values ($1)",
                               .values = std::span{values}.first(rows),
                               .rows = rows,
                               .each_by_itself = by_itself,
                               .discards_rows = true}));
  }
  std::string sent() {
    std::string types;
    for (std::size_t at = 0; at < out_.size();) {
      types += std::to_integer<char>(out_[at]);
      at += 1 + sluice::proto::load_big<std::uint32_t>(out_.data() + at + 1);
    }
    out_.clear();
    return types;
  }
  /// The kind of the last action.
  kind feed(const backend& says) {
    action last;
    std::span<const std::byte> left = as_bytes(says.bytes);
    while (!left.empty()) {
      const sluice::proto::framing next = sluice::proto::next_frame(left, {});
      last = query_.on(next.message, true);
      left = left.subspan(next.size);
    }
    return last.is;
  }

  sluice::proto::output out_;
  connection_engine engine_{out_};
  query_conversation query_{engine_};
};

TEST_F(Repetition, InOneTransactionHasOneSync) {
  begin(false);
  EXPECT_EQ(sent(), "PDBEBEBES");
  EXPECT_EQ(feed(backend{}.parse_complete().parameter_description({25}).no_data()), kind::go_on);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(query_.repeated()->answered(), static_cast<std::size_t>(i));
    EXPECT_EQ(feed(backend{}.bind_complete().command_complete("INSERT 0 2")), kind::go_on);
  }
  EXPECT_FALSE(query_.is_over());
  EXPECT_EQ(feed(backend{}.ready_for_query()), kind::end_turn);
  EXPECT_TRUE(query_.is_over());
  EXPECT_EQ(query_.repeated()->answered(), 3U);
  EXPECT_EQ(query_.repeated()->affected_rows(), 6U);
}

TEST_F(Repetition, InOneTransactionEndsAtItsFirstError) {
  begin(false);
  EXPECT_EQ(feed(backend{}.parse_complete().parameter_description({25}).no_data()), kind::go_on);
  EXPECT_EQ(feed(backend{}.bind_complete().command_complete("INSERT 0 1").bind_complete().error("23505", "double")),
            kind::go_on);
  EXPECT_EQ(feed(backend{}.ready_for_query('E')), kind::end_turn);
  EXPECT_EQ(query_.said()->sqlstate, "23505");
  EXPECT_EQ(query_.repeated()->ended_at(), 1U);
  EXPECT_EQ(query_.repeated()->answered(), 1U);
  EXPECT_EQ(sent(), "PDBEBEBES") << "no further Sync";
}

TEST_F(Repetition, ThatIsRefusedBeforeItsFirstRowEndsAtNone) {
  begin(false);
  EXPECT_EQ(feed(backend{}.error("42P01", "no such table").ready_for_query('E')), kind::end_turn);
  EXPECT_EQ(query_.said()->sqlstate, "42P01");
  EXPECT_FALSE(query_.repeated()->ended_at());
}

TEST_F(Repetition, ByItselfBringsItsParseWhenNothingIsKept) {
  begin(true);
  EXPECT_EQ(sent(), "PBDESPBDESPBDES");
  const backend good =
      backend{}.parse_complete().bind_complete().no_data().command_complete("INSERT 0 1").ready_for_query();
  EXPECT_EQ(feed(good), kind::go_on);
  EXPECT_EQ(feed(backend{}.parse_complete().error("22P02", "no number").ready_for_query()), kind::go_on);
  EXPECT_EQ(feed(good), kind::end_turn);
  EXPECT_FALSE(query_.said());
  ASSERT_EQ(query_.repeated()->failures().size(), 1U);
  EXPECT_EQ(query_.repeated()->failures()[0].row, 1U);
  EXPECT_EQ(query_.repeated()->failures()[0].why.sqlstate, "22P02");
  EXPECT_EQ(query_.repeated()->affected_rows(), 2U);
}

TEST_F(Repetition, ByItselfOfAKeptStatementIsParsedOnce) {
  engine_.statements = sluice::wire::statement_cache{1};
  begin(true);
  EXPECT_EQ(sent(), "PDSBESBESBES");
  EXPECT_EQ(feed(backend{}.parse_complete().parameter_description({25}).no_data().ready_for_query()), kind::go_on);
  const backend good = backend{}.bind_complete().command_complete("INSERT 0 1").ready_for_query();
  EXPECT_EQ(feed(backend{}.bind_complete().error("23505", "double").ready_for_query()), kind::go_on);
  EXPECT_EQ(feed(good), kind::go_on);
  EXPECT_EQ(feed(good), kind::end_turn);
  EXPECT_EQ(query_.repeated()->failures().size(), 1U);
  EXPECT_EQ(query_.repeated()->answered(), 3U);
  query_conversation again{engine_};
  ASSERT_FALSE(again.begin({.text = "insert into t values ($1)",
                            .values = values,
                            .rows = 3,
                            .each_by_itself = true,
                            .discards_rows = true}));
  EXPECT_EQ(sent(), "BESBESBES");
}

TEST_F(Repetition, ByItselfOfAStatementThatIsRefusedHasNoFailedRows) {
  engine_.statements = sluice::wire::statement_cache{1};
  begin(true, 2);
  EXPECT_EQ(feed(backend{}.error("42601", "syntax error").ready_for_query()), kind::go_on);
  const backend missing = backend{}.error("26000", "no such statement").ready_for_query();
  EXPECT_EQ(feed(missing), kind::go_on);
  EXPECT_EQ(feed(missing), kind::end_turn);
  EXPECT_EQ(query_.said()->sqlstate, "42601");
  EXPECT_EQ(query_.repeated()->answered(), 0U);
}

TEST_F(Repetition, ThatTheServerCutsOffSaysHowFarItGot) {
  begin(true, 2);
  (void)feed(backend{}.parse_complete().bind_complete().no_data().command_complete("INSERT 0 1").ready_for_query());
  EXPECT_EQ(feed(backend{}.parse_complete().bind_complete().error("57P01", "terminating", "FATAL")), kind::give_up);
  EXPECT_EQ(query_.repeated()->answered(), 1U);
  EXPECT_EQ(query_.said()->sqlstate, "57P01");
}

TEST_F(Repetition, RefusesAnswersOutOfOrder) {
  begin(false);
  (void)feed(backend{}.parse_complete().parameter_description({25}).no_data());
  EXPECT_EQ(feed(backend{}.command_complete("INSERT 0 1")), kind::fail);
}

TEST_F(Repetition, OfAValueThatCannotBeSentSendsNothing) {
  const std::array<parameter, 2> two{parameter{"a"}, parameter{"b"}};
  const std::string zero{"select \0", 8};
  EXPECT_TRUE(query_.begin({.text = zero, .values = two, .rows = 2, .discards_rows = true}));
  EXPECT_EQ(sent(), "");
  EXPECT_TRUE(engine_.queue.empty());
}

}  // namespace
}  // namespace repetition_test
