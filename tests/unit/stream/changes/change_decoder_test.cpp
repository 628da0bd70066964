// What the messages of pgoutput become: transcripts, messages in and changes out.
#include "changes/change_decoder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bytes.hpp"
#include "log_messages.hpp"

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
  by.restart();
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
              ElementsAre("message 0/150+1", "message 0/200+2"));
}

struct contradiction {
  const char* name;
  strings messages;
  const char* words;
};
class Contradicting : public testing::TestWithParam<contradiction> {};
TEST_P(Contradicting, MessagesAreRefused) {
  change_decoder by{{}, session_settings{}};
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
