// What the messages of pgoutput become: transcripts, messages in and changes out.
#include "changes/change_decoder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <sluice/stream/columns.hpp>

#include "bytes.hpp"
#include "log_messages.hpp"

namespace change_decoder_test {
namespace {

using namespace sluice::test;
using sluice::position;
using sluice::detail::change_decoder;
using sluice::detail::session_settings;
using sluice::detail::text_buffer;
using sluice::detail::wanted_changes;
using testing::ElementsAre;
using strings = std::vector<std::string>;
using outcome = change_decoder::outcome;

constexpr std::uint32_t table = 16400;

std::string text_of(const change_decoder& of) {
  std::string line{sluice::to_string(of.now().what)};
  line += " " + of.now().at.to_string();
  if (of.now().is_running) line += " of " + std::to_string(of.now().xid) + '.' + std::to_string(of.now().subxid);
  if (!of.now().gid.empty()) line += " '" + std::string{of.now().gid} + '\'';
  if (of.now().relation == nullptr) return line;
  line += " " + of.now().relation->relation().name;
  if (of.now().what == sluice::operation::insert || of.now().what == sluice::operation::update) {
    text_buffer made;
    std::vector<std::string_view> unchanged;
    const bool is_full = of.now().row.told == sluice::proto::pgoutput::old_row::full;
    line += of.now().relation->write(made, of.now().row.after,
                                     is_full ? of.now().row.before : sluice::proto::pgoutput::tuple{}, unchanged)
                ? " " + std::string{made.text()}
                : " malformed " + of.now().relation->culprit();
    for (const std::string_view name : unchanged) line += " -" + std::string{name};
  }
  return line;
}

/// What the messages are taken for.
strings told(change_decoder& by, const strings& messages) {
  strings all;
  for (const std::string& each : messages) {
    outcome now = by.take(as_bytes(each));
    for (;;) {
      if (now == outcome::asking) {
        all.emplace_back("asking");
        for (const std::uint32_t type : by.missing_types()) all.back() += " " + std::to_string(type);
        now = by.resume();
        continue;
      }
      if (now == outcome::malformed) all.push_back("malformed: " + by.why());
      if (now == outcome::change || (now == outcome::committed && by.ended().is_change)) all.push_back(text_of(by));
      if (!by.has_more()) break;
      now = by.take_more();
    }
  }
  return all;
}

TEST(ChangeDecoder, CountsTheChangesOfEachTransaction) {
  change_decoder by{{}, session_settings{}};
  EXPECT_THAT(
      told(by, {begin_of(0x100, 7), relation_of(table, "t"), insert_of(table, "1", "a"), insert_of(table, "2", {}),
                commit_of(0x100, 0x110), begin_of(0x200, 8), insert_of(table, "3", "c"), commit_of(0x200, 0x210)}),
      ElementsAre(R"(insert 0/100+2 t {"id":1,"v":"a"})", R"(insert 0/100+3 t {"id":2,"v":null})",
                  R"(insert 0/200+2 t {"id":3,"v":"c"})"));
}

TEST(ChangeDecoder, TellsTransactionsIfTheyAreWanted) {
  change_decoder by{{.transactions = true}, session_settings{}};
  EXPECT_THAT(
      told(by, {begin_of(0x100, 7), relation_of(table, "t"), insert_of(table, "1", "a"), commit_of(0x100, 0x110)}),
      ElementsAre("begin 0/100+1", R"(insert 0/100+2 t {"id":1,"v":"a"})", "commit 0/100+3"));
}

TEST(ChangeDecoder, PassesOverWhatWasSeen) {
  change_decoder by{{}, session_settings{}};
  by.pass_over({{0x100}, 2});
  EXPECT_THAT(told(by, {begin_of(0x100, 7), relation_of(table, "t"), insert_of(table, "1", "a"),
                        insert_of(table, "2", "b"), commit_of(0x100, 0x110)}),
              ElementsAre(R"(insert 0/100+3 t {"id":2,"v":"b"})"));
  by.restart({});
  EXPECT_THAT(
      told(by, {begin_of(0x100, 7), relation_of(table, "t"), insert_of(table, "1", "a"), insert_of(table, "2", "b"),
                commit_of(0x100, 0x110), begin_of(0x110, 8), insert_of(table, "3", "c"), commit_of(0x110, 0x120)}),
      ElementsAre(R"(insert 0/110+2 t {"id":3,"v":"c"})"));
}

TEST(ChangeDecoder, TellsTheColumnsBeforeTheFirstRow) {
  change_decoder by{{.schema = true}, session_settings{}};
  EXPECT_THAT(
      told(by, {begin_of(0x100, 7), relation_of(table, "t"), insert_of(table, "1", "a"), relation_of(table, "t"),
                insert_of(table, "2", "b"), relation_of(table, "renamed"), insert_of(table, "3", "c"),
                commit_of(0x100, 0x110)}),
      ElementsAre("schema 0/100+1 t", R"(insert 0/100+2 t {"id":1,"v":"a"})", R"(insert 0/100+3 t {"id":2,"v":"b"})",
                  "schema 0/100+3 renamed", R"(insert 0/100+4 renamed {"id":3,"v":"c"})"));
}

TEST(ChangeDecoder, MakesAChangeOfEachTruncatedRelation) {
  change_decoder by{{}, session_settings{}};
  const std::string both = log_message{'T'}.u32(2).u8(0).u32(table).u32(table + 1);
  EXPECT_THAT(told(by, {begin_of(0x100, 7), relation_of(table, "t"), relation_of(table + 1, "u"), both}),
              ElementsAre("truncate 0/100+2 t", "truncate 0/100+3 u"));
}

TEST(ChangeDecoder, TakesAValueThatWasNotSentFromTheOldRow) {
  change_decoder by{{}, session_settings{}};
  const std::string without = log_message{'U'}.u32(table).u8('N').row({"1", "unchanged"});
  const std::string with = log_message{'U'}.u32(table).u8('O').row({"1", "old"}).u8('N').row({"1", "unchanged"});
  EXPECT_THAT(told(by, {begin_of(0x100, 7), relation_of(table, "t"), without, with}),
              ElementsAre(R"(update 0/100+2 t {"id":1} -v)", R"(update 0/100+3 t {"id":1,"v":"old"})"));
}

TEST(ChangeDecoder, AsksAboutTypesThatAreNotBuiltIn) {
  change_decoder by{{}, session_settings{}};
  const std::string odd =
      log_message{'R'}.u32(table).text("s").text("t").u8('d').u16(1).u8(1).text("m").u32(20000).u32(0);
  EXPECT_THAT(told(by, {begin_of(0x100, 7), odd, log_message{'I'}.u32(table).u8('N').row({"x\"y"})}),
              ElementsAre("asking 20000", R"(insert 0/100+2 t {"m":"x\"y"})"));
}

TEST(ChangeDecoder, TellsMessagesOutsideOfTransactions) {
  change_decoder by{{}, session_settings{}};
  const std::string outside = log_message{'M'}.u8(0).u64(0x150).text("p").u32(1).u8('x');
  const std::string inside = log_message{'M'}.u8(1).u64(0x1f0).text("p").u32(1).u8('y');
  EXPECT_THAT(told(by, {outside, begin_of(0x200, 7), inside, commit_of(0x200, 0x210)}),
              ElementsAre("message 0/14F+1", "message 0/200+2"));
}

constexpr wanted_changes running{.running = true};
constexpr wanted_changes prepared{.prepared = true};
constexpr wanted_changes both{.running = true, .prepared = true};

TEST(RunningTransactions, ComeInSegmentsAndGetTheirPositionsAtTheirEnd) {
  change_decoder by{running, session_settings{}};
  EXPECT_THAT(told(by, {stream_start_of(7, true), streamed(relation_of(table, "t"), 7),
                        streamed(insert_of(table, "1", "a"), 7), stream_stop(),  //
                        begin_of(0x100, 8), relation_of(table, "t"), insert_of(table, "5", "b"),
                        commit_of(0x100, 0x110), stream_start_of(7, false), streamed(insert_of(table, "2", "c"), 9),
                        stream_stop(), stream_commit_of(7, 0x200, 0x210)}),
              ElementsAre(R"(insert 0/0 of 7.7 t {"id":1,"v":"a"})", R"(insert 0/100+2 t {"id":5,"v":"b"})",
                          R"(insert 0/100+2 of 7.9 t {"id":2,"v":"c"})", "commit 0/200+4"));
}

TEST(RunningTransactions, AreCountedAsIfTheyWereSentAtTheirEnd) {
  const strings rows{streamed(relation_of(table, "t"), 7), streamed(insert_of(table, "1", "a"), 7),
                     streamed(insert_of(table, "2", "b"), 9), streamed(insert_of(table, "3", "c"), 7)};
  strings messages{stream_start_of(7, true)};
  messages.insert(messages.end(), rows.begin(), rows.end());
  messages.insert(messages.end(), {stream_stop(), stream_abort_of(7, 9), stream_commit_of(7, 0x200, 0x210)});
  change_decoder in_parts{{.transactions = true, .running = true}, session_settings{}};
  EXPECT_THAT(told(in_parts, messages),
              ElementsAre("begin 0/0 of 7.7", R"(insert 0/0 of 7.7 t {"id":1,"v":"a"})",
                          R"(insert 0/0 of 7.9 t {"id":2,"v":"b"})", R"(insert 0/0 of 7.7 t {"id":3,"v":"c"})",
                          "abort 0/0 of 7.9", "commit 0/200+4"));
  change_decoder as_a_whole{{.transactions = true}, session_settings{}};
  EXPECT_THAT(told(as_a_whole, {begin_of(0x200, 7), relation_of(table, "t"), insert_of(table, "1", "a"),
                                insert_of(table, "3", "c"), commit_of(0x200, 0x210)}),
              testing::Contains("commit 0/200+4"));
}

TEST(RunningTransactions, AreVoidOnceTheyAreRolledBack) {
  change_decoder by{running, session_settings{}};
  EXPECT_THAT(
      told(by, {stream_start_of(7, true), streamed(relation_of(table, "t"), 7), streamed(insert_of(table, "1", "a"), 7),
                stream_stop(), stream_abort_of(7, 7), stream_start_of(7, true), stream_stop()}),
      ElementsAre(R"(insert 0/0 of 7.7 t {"id":1,"v":"a"})", "abort 0/0 of 7.7"));
}

TEST(RunningTransactions, AreVoidOnceTheStreamBeginsAnew) {
  change_decoder by{running, session_settings{}};
  const strings first{stream_start_of(7, true), streamed(relation_of(table, "t"), 7),
                      streamed(insert_of(table, "1", "a"), 7), stream_stop()};
  EXPECT_THAT(told(by, first), ElementsAre(R"(insert 0/0 of 7.7 t {"id":1,"v":"a"})"));
  by.restart({});
  ASSERT_TRUE(by.has_more());
  EXPECT_EQ(by.take_more(), outcome::change);
  EXPECT_EQ(text_of(by), "abort 0/0 of 7.7");
  EXPECT_FALSE(by.has_more());
  EXPECT_THAT(told(by, first), ElementsAre(R"(insert 0/0 of 7.7 t {"id":1,"v":"a"})"));
}

TEST(RunningTransactions, ThatWereSeenAreVoidTheSecondTime) {
  change_decoder by{running, session_settings{}};
  const strings all{stream_start_of(7, true), streamed(relation_of(table, "t"), 7),
                    streamed(insert_of(table, "1", "a"), 7), stream_stop(), stream_commit_of(7, 0x200, 0x210)};
  EXPECT_THAT(told(by, all), ElementsAre(R"(insert 0/0 of 7.7 t {"id":1,"v":"a"})", "commit 0/200+3"));
  by.restart({});
  EXPECT_THAT(told(by, all), ElementsAre(R"(insert 0/200+3 of 7.7 t {"id":1,"v":"a"})", "abort 0/200+3 of 7.7"));
}

TEST(RunningTransactions, HaveTheirOwnViewOfARelation) {
  change_decoder by{{.schema = true, .running = true}, session_settings{}};
  EXPECT_THAT(told(by, {begin_of(0x100, 8), relation_of(table, "t"), insert_of(table, "1", "a"),
                        commit_of(0x100, 0x110), stream_start_of(7, true), streamed(relation_of(table, "renamed"), 7),
                        streamed(insert_of(table, "2", "b"), 7), stream_stop(),  //
                        begin_of(0x200, 9), insert_of(table, "3", "c"), commit_of(0x200, 0x210),
                        stream_commit_of(7, 0x300, 0x310), begin_of(0x400, 10), insert_of(table, "4", "d")}),
              ElementsAre("schema 0/100+1 t", R"(insert 0/100+2 t {"id":1,"v":"a"})", "schema 0/100+2 of 7.7 renamed",
                          R"(insert 0/100+2 of 7.7 renamed {"id":2,"v":"b"})", R"(insert 0/200+2 t {"id":3,"v":"c"})",
                          "commit 0/300+3", R"(insert 0/400+2 renamed {"id":4,"v":"d"})"));
}

TEST(PreparedTransactions, ComeWithTheirNames) {
  change_decoder by{prepared, session_settings{}};
  EXPECT_THAT(told(by, {begin_prepare_of(0x100, 0x110, 7, "g"), relation_of(table, "t"), insert_of(table, "1", "a"),
                        prepare_of('P', 0x100, 0x110, 7, "g"), begin_of(0x200, 8), insert_of(table, "2", "b"),
                        commit_of(0x200, 0x210), commit_prepared_of(0x300, 0x310, 7, "g"),
                        rollback_prepared_of(0x150, 0x410, 9, "h")}),
              ElementsAre(R"(insert 0/100+2 'g' t {"id":1,"v":"a"})", "prepare 0/100+3 'g'",
                          R"(insert 0/200+2 t {"id":2,"v":"b"})", "commit_prepared 0/300+1 'g'",
                          "rollback_prepared 0/40F+1 'h'"));
}

TEST(PreparedTransactions, MayHaveComeWhileTheyRan) {
  change_decoder by{both, session_settings{}};
  EXPECT_THAT(
      told(by, {stream_start_of(7, true), streamed(relation_of(table, "t"), 7), streamed(insert_of(table, "1", "a"), 7),
                stream_stop(), prepare_of('p', 0x100, 0x110, 7, "g"), commit_prepared_of(0x200, 0x210, 7, "g")}),
      ElementsAre(R"(insert 0/0 of 7.7 t {"id":1,"v":"a"})", "prepare 0/100+3 'g'", "commit_prepared 0/200+1 'g'"));
}

TEST(PreparedTransactions, OfBeforeTheStreamHaveNoPlaceOfTheirOwn) {
  change_decoder by{prepared, session_settings{}};
  by.restart({0x200});
  const strings all{begin_of(0x200, 8),
                    relation_of(table, "t"),
                    insert_of(table, "2", "b"),
                    commit_of(0x200, 0x210),
                    begin_prepare_of(0x100, 0x110, 7, "g"),
                    insert_of(table, "1", "a"),
                    prepare_of('P', 0x100, 0x110, 7, "g"),
                    commit_prepared_of(0x300, 0x310, 7, "g")};
  EXPECT_THAT(told(by, all),
              ElementsAre(R"(insert 0/200+2 t {"id":2,"v":"b"})", R"(insert 0/200+2 of 7.7 'g' t {"id":1,"v":"a"})",
                          "prepare 0/200+2 of 7.7 'g'", "commit_prepared 0/300+1 'g'"));
  by.restart({0x200});
  EXPECT_THAT(told(by, all), ElementsAre(R"(insert 0/300+1 of 7.7 'g' t {"id":1,"v":"a"})",
                                         "prepare 0/300+1 of 7.7 'g'", "abort 0/300+1 of 7.7"));
}

TEST(RunningTransactions, DoNotBringBackAnOlderRelation) {
  change_decoder by{{.running = true}, session_settings{}};
  const std::string all_of_part_9 = stream_abort_of(7, 9);
  EXPECT_THAT(told(by, {stream_start_of(7, true), streamed(relation_of(table, "old"), 9),
                        streamed(insert_of(table, "1", "a"), 9), stream_stop(), all_of_part_9, begin_of(0x100, 8),
                        relation_of(table, "altered"), insert_of(table, "2", "b"), commit_of(0x100, 0x110),
                        stream_commit_of(7, 0x200, 0x210), begin_of(0x300, 10), insert_of(table, "3", "c")}),
              ElementsAre(R"(insert 0/0 of 7.9 old {"id":1,"v":"a"})", "abort 0/0 of 7.9",
                          R"(insert 0/100+2 altered {"id":2,"v":"b"})", "commit 0/200+2",
                          R"(insert 0/300+2 altered {"id":3,"v":"c"})"));
}

TEST(ChangeDecoder, MakesColumnsOfTheTypesThatDomainsAreMadeOf) {
  change_decoder by{{.columns = true}, session_settings{}};
  const std::string odd = log_message{'R'}
                              .u32(table)
                              .text("s")
                              .text("t")
                              .u8('d')
                              .u16(2)
                              .u8(1)
                              .text("m")
                              .u32(20000)
                              .u32(0)
                              .u8(0)
                              .text("n")
                              .u32(23)
                              .u32(0);
  const std::string row = log_message{'I'}.u32(table).u8('N').u16(2).u8('t').u32(1).u8('x').u8('b').u32(4).u32(5);
  outcome last{};
  const strings messages{begin_of(0x100, 7), odd, row};  // the change is a view of the last one
  for (const std::string& each : messages) {
    last = by.take(as_bytes(each));
    if (last != outcome::asking) continue;
    by.types().add(20000, {.what = sluice::detail::type_facts::kind::domain, .inner = 25});
    last = by.resume();
  }
  ASSERT_EQ(last, outcome::change);
  std::vector<std::byte> bytes;
  std::vector<std::string_view> unchanged;
  by.now().relation->copy(bytes, by.now().row.after, {}, unchanged);
  const sluice::row made{bytes.data(), &by.now().relation->shape()};
  EXPECT_EQ((made.get<std::string>("m")), "x");
  EXPECT_EQ((made.get<int>("n")), 5);
}

struct contradiction {
  const char* name;
  strings messages;
  const char* words;
  wanted_changes wanted{};
};
class Contradicting : public testing::TestWithParam<contradiction> {};
TEST_P(Contradicting, MessagesAreRefused) {
  change_decoder by{GetParam().wanted, session_settings{}};
  const strings all = told(by, GetParam().messages);
  ASSERT_FALSE(all.empty());
  EXPECT_THAT(all.back(), testing::HasSubstr(GetParam().words));
}
INSTANTIATE_TEST_SUITE_P(
    Of, Contradicting,
    testing::Values(
        contradiction{"Nothing", {""}, "an empty message"},
        contradiction{"BeginInside", {begin_of(1, 1), begin_of(2, 2)}, "a Begin inside"},
        contradiction{"CommitOutside", {commit_of(1, 2)}, "a Commit of another"},
        contradiction{"CommitOfAnother", {begin_of(1, 1), commit_of(2, 3)}, "a Commit of another"},
        contradiction{"CommitThatEndsBefore", {begin_of(2, 1), commit_of(2, 2)}, "a Commit of another"},
        contradiction{"RowOutside", {relation_of(table, "t"), insert_of(table, "1", "a")}, "outside of a transaction"},
        contradiction{"UnknownRelation", {begin_of(1, 1), insert_of(table, "1", "a")}, "was not described"},
        contradiction{"OtherColumns",
                      {begin_of(1, 1), relation_of(table, "t"), log_message{'I'}.u32(table).u8('N').row({"1"})},
                      "other columns than it has"},
        contradiction{"StreamedWithoutAsking", {log_message{'S'}.u32(1).u8(1)}, "'S', which was not asked for"},
        contradiction{
            "PreparedWithoutAsking", {begin_prepare_of(1, 2, 3, "g")}, "'b', which was not asked for", running},
        contradiction{"PreparedAndRunning", {prepare_of('p', 1, 2, 3, "g")}, "'p', which was not asked for", prepared},
        contradiction{"StreamedInside", {begin_of(1, 1), stream_start_of(2, true)}, "inside a transaction", running},
        contradiction{"StreamedTwice",
                      {stream_start_of(2, true), stream_stop(), stream_start_of(2, true)},
                      "is not the next of its transaction",
                      running},
        contradiction{"StreamedOnlyLater", {stream_start_of(2, false)}, "is not the next of its transaction", running},
        contradiction{"StoppedWithoutAStart", {stream_stop()}, "without a start", running},
        contradiction{"StoppedTransaction", {begin_of(1, 1), stream_stop()}, "without a start", running},
        contradiction{"CommitInASegment", {stream_start_of(2, true), commit_of(1, 2)}, "a Commit of another", running},
        contradiction{"StreamCommitInASegment",
                      {stream_start_of(2, true), stream_commit_of(2, 1, 2)},
                      "transaction that has none",
                      running},
        contradiction{"StreamCommitOfNone", {stream_commit_of(2, 1, 2)}, "transaction that has none", running},
        contradiction{"AbortOfNone", {stream_abort_of(2, 2)}, "that is not running", running},
        contradiction{"RowOfASegmentWithoutItsId",
                      {stream_start_of(2, true), insert_of(table, "1", "a")},
                      "a row with other fields",
                      running},
        contradiction{"RelationOfAnotherTransaction",
                      {stream_start_of(2, true), streamed(relation_of(table, "t"), 2), stream_stop(), begin_of(1, 3),
                       insert_of(table, "1", "a")},
                      "was not described",
                      running},
        contradiction{
            "CommitOfAPreparedOne", {begin_prepare_of(1, 2, 3, "g"), commit_of(1, 2)}, "a Commit of another", prepared},
        contradiction{"PrepareOfAnother",
                      {begin_prepare_of(1, 2, 3, "g"), prepare_of('P', 1, 2, 3, "h")},
                      "a Prepare of another",
                      prepared},
        contradiction{"PrepareWithoutAName", {begin_prepare_of(1, 2, 3, "")}, "with other fields", prepared},
        contradiction{"CommitPreparedInside",
                      {begin_of(1, 1), commit_prepared_of(2, 3, 4, "g")},
                      "inside a transaction",
                      prepared},
        contradiction{"RollbackPreparedInside",
                      {begin_of(1, 1), rollback_prepared_of(2, 3, 4, "g")},
                      "inside a transaction",
                      prepared},
        contradiction{"ValueOfAnotherType",
                      {begin_of(1, 1),
                       log_message{'R'}.u32(table).text("s").text("t").u8('d').u16(1).u8(1).text("id").u32(1007).u32(0),
                       log_message{'I'}.u32(table).u8('N').row({"no array"})},
                      "malformed id"}),
    [](const auto& of) { return of.param.name; });

TEST(Position, IsReadAsItIsWritten) {
  for (const char* text : {"0/0", "16/B374D848", "FFFFFFFF/FFFFFFFF+18446744073709551615", "0/1+1"}) {
    const auto read = position::parse(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(read->to_string(), text);
  }
  for (const char* text : {"", "/", "0/", "/0", "0", "0/0+", "0/0+x", "0/0 ", "100000000/0", "0/-1", "0x1/0"})
    EXPECT_FALSE(position::parse(text)) << text;
}

}  // namespace
}  // namespace change_decoder_test
