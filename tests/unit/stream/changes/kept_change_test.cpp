// Copies of changes, which outlive what they were made of.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <sluice/stream/change_fan_out.hpp>

#include "backend.hpp"
#include "changes/change_feed.hpp"
#include "changes/kept_change.hpp"
#include "failures.hpp"
#include "log_messages.hpp"
#include "session_pair.hpp"

namespace kept_change_test {
namespace {

using namespace sluice::test;
using sluice::operation;
using sluice::shared_change;
using sluice::detail::change_feed;
using sluice::detail::change_keeper;
using sluice::detail::kept_change;
using strings = std::vector<std::string>;

constexpr std::uint32_t table = 16'400;

/// Everything that a feed finds in these messages, kept.
std::vector<shared_change> kept(const strings& messages) {
  const session_pair on;
  sluice::detail::change_filter filter{sluice::change_options{}};
  sluice::detail::receipts receipts{{}, {}, {}, false};
  change_feed feed{{.transactions = true, .schema = true}, filter, {}, 1'000, receipts};
  sluice::wire::wal_stream stream{*on, "START_REPLICATION"};
  feed.read(*on, stream, {});
  backend server;
  server.message('W', '\0' + be16(0));
  for (const std::string& each : messages) server.message('d', 'w' + std::string(24, '\0') + each);
  on.say(server.bytes);
  change_keeper keeper;
  std::vector<shared_change> all;
  for (;;) {
    const change_feed::found now = feed.step();
    if (now == change_feed::found::change) all.emplace_back(keeper.keep(sluice::change{feed}, {}));
    if (now == change_feed::found::nothing && !stream.move()) return all;
  }
}

strings names_of(const shared_change& what) { return {what.unchanged().begin(), what.unchanged().end()}; }

const std::string relation = relation_of(table, "t");
const std::string update = log_message{'U'}.u32(table).u8('K').row({"1", {}}).u8('N').row({"2", "unchanged"});
const std::string removal = log_message{'D'}.u32(table).u8('O').row({"2", "old"});
const std::string truncation = log_message{'T'}.u32(1).u8(3).u32(table);
const std::string message = log_message{'M'}.u8(1).u64(0x100).text("audit").u32(4).bytes("text");

TEST(KeptChange, HasTheTextsOfItsChange) {
  const std::vector<shared_change> all = kept({begin_of(0x100, 7), relation, insert_of(table, "1", "a"), update,
                                               removal, truncation, message, commit_of(0x100, 0x110)});
  ASSERT_EQ(all.size(), 8U);
  EXPECT_EQ(all[0].operation(), operation::begin);
  EXPECT_EQ(all[1].operation(), operation::schema);
  EXPECT_EQ(all[2].operation(), operation::insert);
  EXPECT_EQ(all[2].text(), R"({"id":1,"v":"a"})");
  EXPECT_EQ(all[2].old_text(), "");
  EXPECT_EQ(all[3].text(), R"({"id":2})");
  EXPECT_EQ(all[3].old_text(), R"({"id":1})");
  EXPECT_TRUE(all[3].old_is_key());
  EXPECT_EQ(names_of(all[3]), strings{"v"});
  EXPECT_EQ(all[4].operation(), operation::remove);
  EXPECT_EQ(all[4].text(), "");
  EXPECT_EQ(all[4].old_text(), R"({"id":2,"v":"old"})");
  EXPECT_FALSE(all[4].old_is_key());
  EXPECT_TRUE(all[5].is_cascade());
  EXPECT_TRUE(all[5].restarts_identity());
  EXPECT_EQ(all[6].prefix(), "audit");
  EXPECT_EQ(all[6].text(), "text");
  EXPECT_EQ(all[7].operation(), operation::commit);
}

TEST(KeptChange, HasTheTransactionAndThePositionOfItsChange) {
  const std::vector<shared_change> all = kept({begin_of(0x100, 7), relation, insert_of(table, "1", "a")});
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[2].xid(), 7U);
  EXPECT_EQ(all[2].position().commit, sluice::lsn{0x100});
  EXPECT_GT(all[2].position(), all[1].position());
  // The server counts from 2000; log_messages.hpp says one second.
  EXPECT_EQ(all[2].committed_at(), std::chrono::sys_days{std::chrono::year{2000} / 1 / 1} + std::chrono::seconds{1});
}

TEST(KeptChange, SharesTheRelationUntilItIsAltered) {
  const std::string other = relation_of(table + 1, "u");
  const std::string altered = relation_of(table, "renamed");
  const std::vector<shared_change> all =
      kept({begin_of(0x100, 7), relation, insert_of(table, "1", "a"), other, insert_of(table + 1, "1", "a"), relation,
            insert_of(table, "2", "b"), altered, insert_of(table, "3", "c")});
  std::vector<const sluice::changed_relation*> seen;
  for (const shared_change& each : all)
    if (each.operation() == operation::insert) seen.push_back(&each.relation());
  ASSERT_EQ(seen.size(), 4U);
  EXPECT_EQ(seen[0], seen[2]);
  EXPECT_NE(seen[0], seen[1]);
  EXPECT_EQ(seen[1]->name, "u");
  EXPECT_EQ(seen[0]->name, "t");
  EXPECT_EQ(seen[3]->name, "renamed");
}

TEST(KeptChange, HasNoRelationWhereItIsAboutNone) {
  for (const operation each : {operation::message, operation::begin, operation::commit}) {
    EXPECT_FALSE(sluice::detail::has_relation(each));
    auto made = std::make_shared<kept_change>();
    made->what = each;
    const auto why = failure_of([&] { return shared_change{made}.relation().name; });
    ASSERT_TRUE(why);
    EXPECT_EQ(why->code(), sluice::errc::bad_state);
    EXPECT_EQ(why->what(), "a change of the kind " + std::string{to_string(each)} + " has no relation");
  }
  for (const operation each : {operation::insert, operation::truncate, operation::schema, operation::snapshot})
    EXPECT_TRUE(sluice::detail::has_relation(each)) << to_string(each);
}

TEST(KeptChange, IsAsLargeAsItsTexts) {
  kept_change none;
  kept_change some;
  some.texts.assign(1'000, 'x');
  EXPECT_EQ(some.size() - none.size(), 1'000U);
  EXPECT_GE(none.size(), sizeof(kept_change));
}

}  // namespace
}  // namespace kept_change_test
