// The messages of pgoutput and of streaming replication: their fields, and that nothing else is taken for them.
#include "messages/pgoutput.hpp"

#include <gtest/gtest.h>

#include <string>

#include "bytes.hpp"
#include "log_messages.hpp"
#include "messages/replication.hpp"

namespace pgoutput_test {
namespace {

using namespace sluice::proto::pgoutput;
using namespace sluice::test;
using sluice::proto::output;

TEST(Pgoutput, BeginAndCommitHaveTheirPositions) {
  const std::string text = begin_of(0x1122, 7);
  const auto first = decode_begin(as_bytes(text));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->commit_lsn, 0x1122U);
  EXPECT_EQ(first->xid, 7U);
  EXPECT_EQ(first->committed_at, 1'000'000);
  const std::string end_text = commit_of(0x1122, 0x1130);
  const auto end = decode_commit(as_bytes(end_text));
  ASSERT_TRUE(end);
  EXPECT_EQ(end->end_lsn, 0x1130U);
}

TEST(Pgoutput, ARelationHasItsColumns) {
  const std::string text = relation_of(16384, "t", 'f');
  const auto told = decode_relation(as_bytes(text), false);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->schema, "public");
  EXPECT_EQ(told->name, "t");
  EXPECT_EQ(told->identity, replica_identity::full);
  ASSERT_EQ(told->columns.size(), 2U);
  EXPECT_TRUE(told->columns.begin()->is_key);
  EXPECT_EQ(told->columns.begin()->name, "id");
  EXPECT_EQ(told->columns.begin()->type, 23U);
}

TEST(Pgoutput, AnUpdateHasItsOldKeyAndItsNewRow) {
  const std::string text = log_message{'U'}.u32(9).u8('K').row({"1", {}}).u8('N').row({"2", "unchanged"});
  const auto told = decode_row_change(as_bytes(text), false);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->told, old_row::key);
  EXPECT_EQ(told->before.size(), 2U);
  auto after = told->after.begin();
  EXPECT_EQ(as_text(after->bytes), "2");
  EXPECT_EQ((++after)->is, value::kind::unchanged);
}

TEST(Pgoutput, RowsOfAStreamedTransactionBeginWithItsId) {
  const std::string text = log_message{'I'}.u32(77).u32(9).u8('N').row({"1"});
  EXPECT_FALSE(decode_row_change(as_bytes(text), false));
  const auto told = decode_row_change(as_bytes(text), true);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->xid, 77U);
  EXPECT_EQ(told->relation, 9U);
}

TEST(Pgoutput, ATruncateNamesItsRelations) {
  const std::string text = log_message{'T'}.u32(2).u8(3).u32(5).u32(6);
  const auto told = decode_truncate(as_bytes(text), false);
  ASSERT_TRUE(told);
  EXPECT_TRUE(told->cascade);
  EXPECT_TRUE(told->restart_identity);
  EXPECT_EQ(told->relations.size(), 2U);
}

TEST(Pgoutput, AMessageHasItsContent) {
  const std::string text = log_message{'M'}.u8(1).u64(0x99).text("p").u32(3).bytes("a\1b");
  const auto told = decode_message(as_bytes(text), false);
  ASSERT_TRUE(told);
  EXPECT_TRUE(told->is_transactional);
  EXPECT_EQ(told->prefix, "p");
  EXPECT_EQ(as_text(told->content), "a\1b");
}

TEST(Pgoutput, TransactionsThatStillRunHaveTheirMessages) {
  const std::string start = log_message{'S'}.u32(7).u8(1);
  EXPECT_TRUE(decode_stream_start(as_bytes(start))->is_first);
  const std::string end = log_message{'c'}.u32(7).u8(0).u64(1).u64(2).u64(3);
  EXPECT_EQ(decode_stream_commit(as_bytes(end))->end.end_lsn, 2U);
  const std::string abort = log_message{'A'}.u32(7).u32(8);
  EXPECT_EQ(decode_stream_abort(as_bytes(abort), false)->subxid, 8U);
  EXPECT_FALSE(decode_stream_abort(as_bytes(abort), true));
}

TEST(Pgoutput, PreparedTransactionsHaveTheirNames) {
  const std::string begin = begin_prepare_of(0x100, 0x120, 7, "g");
  const auto begun = decode_begin_prepare(as_bytes(begin));
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->prepare_lsn, 0x100U);
  EXPECT_EQ(begun->end_lsn, 0x120U);
  EXPECT_EQ(begun->xid, 7U);
  EXPECT_EQ(begun->gid, "g");
  for (const char kind : {'P', 'p'}) {
    const std::string text = prepare_of(kind, 0x100, 0x120, 7, "g");
    const auto prepared = decode_prepare(as_bytes(text));
    ASSERT_TRUE(prepared) << kind;
    EXPECT_EQ(prepared->prepared_at, 1'000'000);
    EXPECT_EQ(prepared->gid, "g");
  }
  const std::string commit = commit_prepared_of(0x200, 0x210, 7, "g");
  const auto committed = decode_commit_prepared(as_bytes(commit));
  ASSERT_TRUE(committed);
  EXPECT_EQ(committed->end.commit_lsn, 0x200U);
  EXPECT_EQ(committed->end.end_lsn, 0x210U);
  EXPECT_EQ(committed->xid, 7U);
  const std::string rollback = rollback_prepared_of(0x120, 0x210, 7, "g");
  const auto rolled_back = decode_rollback_prepared(as_bytes(rollback));
  ASSERT_TRUE(rolled_back);
  EXPECT_EQ(rolled_back->prepare_end_lsn, 0x120U);
  EXPECT_EQ(rolled_back->end_lsn, 0x210U);
  EXPECT_EQ(rolled_back->rolled_back_at, 2'000'000);
  EXPECT_EQ(rolled_back->gid, "g");
}

/// All that there are, each with `decode` saying whether it is taken.
struct any_message {
  std::string text;
  bool (*decode)(std::span<const std::byte>);
};
std::vector<any_message> all_messages() {
  using bytes = std::span<const std::byte>;
  return {
      {begin_of(1, 2), [](bytes b) { return decode_begin(b).has_value(); }},
      {commit_of(1, 2), [](bytes b) { return decode_commit(b).has_value(); }},
      {log_message{'O'}.u64(1).text("o"), [](bytes b) { return decode_origin(b).has_value(); }},
      {relation_of(1, "r"), [](bytes b) { return decode_relation(b, false).has_value(); }},
      {log_message{'Y'}.u32(1).text("s").text("t"), [](bytes b) { return decode_type(b, false).has_value(); }},
      {insert_of(1, "1", "x"), [](bytes b) { return decode_row_change(b, false).has_value(); }},
      {log_message{'U'}.u32(1).u8('O').row({"1"}).u8('N').row({"2"}),
       [](bytes b) { return decode_row_change(b, false).has_value(); }},
      {log_message{'D'}.u32(1).u8('K').row({"1"}), [](bytes b) { return decode_row_change(b, false).has_value(); }},
      {log_message{'T'}.u32(1).u8(0).u32(5), [](bytes b) { return decode_truncate(b, false).has_value(); }},
      {log_message{'M'}.u8(0).u64(9).text("p").u32(1).u8('x'),
       [](bytes b) { return decode_message(b, false).has_value(); }},
      {log_message{'S'}.u32(1).u8(0), [](bytes b) { return decode_stream_start(b).has_value(); }},
      {log_message{'c'}.u32(1).u8(0).u64(1).u64(2).u64(3), [](bytes b) { return decode_stream_commit(b).has_value(); }},
      {log_message{'A'}.u32(1).u32(2), [](bytes b) { return decode_stream_abort(b, false).has_value(); }},
      {begin_prepare_of(1, 2, 3, "g"), [](bytes b) { return decode_begin_prepare(b).has_value(); }},
      {prepare_of('P', 1, 2, 3, "g"), [](bytes b) { return decode_prepare(b).has_value(); }},
      {commit_prepared_of(1, 2, 3, "g"), [](bytes b) { return decode_commit_prepared(b).has_value(); }},
      {rollback_prepared_of(1, 2, 3, "g"), [](bytes b) { return decode_rollback_prepared(b).has_value(); }},
      {log_message{'w'}.u64(1).u64(2).u64(3), [](bytes b) { return sluice::proto::decode_xlog_data(b).has_value(); }},
      {log_message{'k'}.u64(1).u64(2).u8(1),
       [](bytes b) { return sluice::proto::decode_primary_keepalive(b).has_value(); }}};
}

TEST(Pgoutput, NoMessageIsTakenThatEndsEarlyOrLate) {
  for (const any_message& each : all_messages()) {
    EXPECT_TRUE(each.decode(as_bytes(each.text))) << each.text.front();
    for (std::size_t size = 0; size < each.text.size(); ++size)
      EXPECT_FALSE(each.decode(as_bytes(each.text).first(size))) << each.text.front() << size;
    if (each.text.front() == 'w') continue;  // the rest is its data
    EXPECT_FALSE(each.decode(as_bytes(each.text + 'x'))) << each.text.front();
  }
}

TEST(Pgoutput, NoMessageIsTakenForAnother) {
  for (const any_message& decoder : all_messages()) {
    for (const any_message& each : all_messages()) {
      const bool is_row = std::string_view{"IUD"}.find(each.text.front()) != std::string_view::npos;
      if (is_row || each.text.front() == decoder.text.front()) continue;
      EXPECT_FALSE(decoder.decode(as_bytes(each.text))) << each.text.front() << decoder.text.front();
    }
  }
}

TEST(Pgoutput, ValuesThatNoServerSendsAreRefused) {
  const auto is_row = [](const std::string& text) { return decode_row_change(as_bytes(text), false).has_value(); };
  EXPECT_FALSE(is_row(log_message{'I'}.u32(1).u8('N').u16(1).u8('x')));
  EXPECT_FALSE(is_row(log_message{'I'}.u32(1).u8('N').u16(1).u8('t').u32(0xffffffffU)));
  EXPECT_FALSE(is_row(log_message{'I'}.u32(1).u8('K').row({"1"})));
  EXPECT_FALSE(is_row(log_message{'D'}.u32(1).u8('N').row({"1"})));
  EXPECT_FALSE(is_row(log_message{'I'}.u32(1).u8('N').u16(0xffff)));
  const std::string truncate = log_message{'T'}.u32(0xffffffffU).u8(0);
  EXPECT_FALSE(decode_truncate(as_bytes(truncate), false));
}

TEST(StandbyStatus, HasItsFiveFields) {
  output out;
  ASSERT_FALSE(sluice::proto::encode(
      sluice::proto::standby_status_update{.written = 3, .flushed = 2, .applied = 1, .sent_at = 4, .wants_reply = true},
      out));
  const std::string expected = log_message{'d'}.u32(4 + 34).u8('r').u64(3).u64(2).u64(1).u64(4).u8(1);
  EXPECT_EQ(as_text(out), expected);
}

}  // namespace
}  // namespace pgoutput_test
