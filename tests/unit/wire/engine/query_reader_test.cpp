// One query on a session over a real socket pair: the test writes what the server sends, at its own pace.
#include <gtest/gtest.h>

#include <sluice/stream/chunk.hpp>
#include <string>
#include <utility>
#include <vector>
#include "engine/query_reader.hpp"
#include "query/result_shape.hpp"

#include "backend.hpp"
#include "bytes.hpp"
#include "session_pair.hpp"

namespace query_reader_test {
namespace {

using sluice::errc;
using sluice::error;
using sluice::test::backend;
using sluice::test::be16;
using sluice::test::be32;
using sluice::test::take;
using sluice::wire::query_reader;
using sluice::wire::session;
using sluice::wire::statement;
using pair = sluice::test::session_pair;
using rows = std::vector<std::string>;

constexpr std::string_view any_query = "select data from t";

std::string good_conversation() {
  return backend{}
      .parse_complete()
      .bind_complete()
      .row_description()
      .data_row(R"({"id":1})")
      .notice("careful")
      .data_row({std::nullopt})
      .parameter_status("TimeZone", "UTC")
      .data_row(std::string(200, '3'))
      .notification("channel", "payload")
      .data_row("")
      .command_complete("SELECT 4")
      .ready_for_query('T')
      .bytes;
}
const rows good_rows{R"({"id":1})", "NULL", std::string(200, '3'), ""};

TEST(QueryReader, SendsAQueryAsOneFlight) {
  pair on;
  const query_reader query{*on, {.text = any_query}};
  (void)on->io.transfer(5);
  const std::string heard = on.heard();
  std::string types;
  for (std::size_t at = 0; at < heard.size();) {
    types += heard[at];
    at += 1 + sluice::proto::load_big<std::uint32_t>(sluice::test::as_bytes(heard).data() + at + 1);
  }
  EXPECT_EQ(types, "PBDES");
}

TEST(QueryReader, GivesTheSameRowsWhereverTheConversationIsSplit) {
  const std::string all = good_conversation();
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    SCOPED_TRACE("split after " + std::to_string(cut));
    pair on;
    query_reader query{*on, {.text = any_query}};
    rows got;
    on.say(std::string_view{all}.substr(0, cut));
    const bool early = take(query, got);
    EXPECT_EQ(early, cut == all.size());
    on.say(std::string_view{all}.substr(cut));
    if (!early) {
      EXPECT_TRUE(take(query, got));
    }
    EXPECT_EQ(got, good_rows);
    EXPECT_EQ(on->is(), session::state::idle);
    EXPECT_EQ(on->engine.scope.status(), 'T');
    EXPECT_EQ(query.row_count(), 4U);
    EXPECT_EQ(query.bytes(), 208U);
  }
}

TEST(QueryReader, GivesTheSameRowsByteByByte) {
  pair on;
  query_reader query{*on, {.text = any_query}};
  rows got;
  bool over = false;
  for (const char byte : good_conversation()) {
    on.say({&byte, 1});
    over = take(query, got);
  }
  EXPECT_TRUE(over);
  EXPECT_EQ(got, good_rows);
}

TEST(QueryReader, EndsWithAnErrorWhereverTheServerHangsUp) {
  const std::string all = good_conversation();
  for (std::size_t cut = 0; cut < all.size(); ++cut) {
    SCOPED_TRACE("hang up after " + std::to_string(cut));
    pair on;
    query_reader query{*on, {.text = any_query}};
    rows got;
    on.say(std::string_view{all}.substr(0, cut));
    on.hang_up();
    try {
      (void)take(query, got);
      ADD_FAILURE() << "a short result looked whole";
    } catch (const error& lost) {
      EXPECT_EQ(lost.code(), errc::connection_lost);
      EXPECT_EQ(lost.rows(), got.size());
      EXPECT_TRUE(lost.retryable());
    }
    EXPECT_EQ(on->is(), session::state::broken);
    ASSERT_LE(got.size(), good_rows.size());
    EXPECT_EQ(got, rows(good_rows.begin(), good_rows.begin() + static_cast<std::ptrdiff_t>(got.size())));
  }
}

TEST(QueryReader, CallsBackForAsynchronousMessages) {
  pair on;
  rows heard;
  on->on_notice = [&](const sluice::server_message& notice) { heard.push_back(notice.message); };
  on->on_notification = [&](const sluice::notification& n) { heard.push_back(n.channel + ':' + n.payload); };
  query_reader query{*on, {.text = any_query}};
  on.say(good_conversation());
  rows got;
  EXPECT_TRUE(take(query, got));
  EXPECT_EQ(heard, (rows{"careful", "channel:payload"}));
  EXPECT_EQ(on->server.parameters["TimeZone"], "UTC");
}

/// How a query ends whose answer begins correctly and continues with `rest`.
struct ending {
  rows got;
  errc code{};
  std::string sqlstate;
  std::string text;
  std::size_t allocated{0};
};
ending play(const std::string& rest, sluice::proto::limits limits = {}) {
  pair on{limits};
  query_reader query{*on, {.text = any_query}};
  ending seen;
  on.say(backend{}.parse_complete().bind_complete().row_description().data_row("{}").bytes + rest);
  on.hang_up();
  try {
    EXPECT_TRUE(take(query, seen.got));
  } catch (const error& e) {
    seen.code = static_cast<errc>(e.code().value());
    seen.sqlstate = e.sqlstate();
    seen.text = e.what();
  }
  seen.allocated = on->io.in.peak();
  return seen;
}

TEST(QueryReader, GivesTheRowsBeforeAnErrorAndThenTheError) {
  const ending seen = play(backend{}.data_row("[]").error("22012", "division by zero").ready_for_query().bytes);
  EXPECT_EQ(seen.got, (rows{"{}", "[]"}));
  EXPECT_EQ(seen.code, errc::server_error);
  EXPECT_EQ(seen.sqlstate, "22012");
  EXPECT_NE(seen.text.find("division by zero"), std::string::npos);
  EXPECT_NE(seen.text.find("after 2 rows"), std::string::npos) << seen.text;
}

TEST(QueryReader, PrefersWhatTheServerSaidToItsSilenceAfterwards) {
  const ending seen = play(backend{}.error("57P01", "terminating connection", "FATAL").bytes);
  EXPECT_EQ(seen.sqlstate, "57P01");
}

TEST(QueryReader, PrefersAnErrorToTheCompletionBeforeIt) {
  const ending seen = play(backend{}.command_complete("SELECT 1").error("40001", "x").ready_for_query().bytes);
  EXPECT_EQ(seen.sqlstate, "40001");
}

TEST(QueryReader, RefusesMessagesThatAServerMayNotSend) {
  using sluice::test::raw;
  for (const std::string& rest :
       {backend{}.message('D', be16(1) + be32(9) + "{}").bytes, backend{}.message('D', be16(2) + be32(2) + "{}").bytes,
        backend{}.message('D', be16(1) + be32(0xfffffffe)).bytes, backend{}.ready_for_query().bytes,
        backend{}.authentication(3).bytes, backend{}.message('C', "no zero").bytes,
        backend{}.command_complete("SELECT 1").ready_for_query('x').bytes, backend{}.portal_suspended().bytes,
        backend{}.message('S', "x").bytes, backend{}.message('N', "x").bytes, backend{}.message('E', "x").bytes,
        backend{}.message('x', "").bytes, raw("D\0\0\0\3"), raw("D\xff\xff\xff\xff"), raw("Z\0\1\0\0"),
        backend{}.parameter_status("client_encoding", "LATIN1").bytes}) {
    const ending seen = play(rest);
    EXPECT_EQ(seen.code, errc::protocol_violation) << seen.text;
    EXPECT_EQ(seen.got, rows{"{}"});
  }
}

TEST(QueryReader, RefusesARowAboveTheLimitOnItsHeaderAndAllocatesNothingForIt) {
  const ending seen = play("D" + be32(1'000'000), {.row = 1'000});
  EXPECT_EQ(seen.code, errc::row_too_large);
  EXPECT_LT(seen.allocated, 1'000U);
}

TEST(QueryReader, DoesNotAllocateWhatALengthClaims) {
  const ending seen = play("D" + be32(60U << 20U) + "only this arrives");
  EXPECT_EQ(seen.code, errc::connection_lost);
  EXPECT_LT(seen.allocated, 1'000U);
}

TEST(QueryReader, TakesARowLargerThanItsBuffer) {
  const std::string large(50'000, 'x');
  const ending seen = play(backend{}.data_row(large).command_complete("SELECT 2").ready_for_query().bytes);
  EXPECT_EQ(seen.got, (rows{"{}", large}));
  EXPECT_EQ(seen.text, "");
}

/// Takes the columns as they are.
class contented final : public sluice::wire::decider {
 public:
  sluice::wire::decision described(const sluice::wire::description& /*what*/) override { return {}; }
};
const statement described_first{
    .text = any_query, .by_columns = true, .decides = [] { return std::make_unique<contented>(); }};

TEST(QueryReader, DescribesTheColumnsFirstWhenAsked) {
  pair on;
  query_reader query{*on, described_first};
  on.say(backend{}.parse_complete().parameter_description({}).row_description({{"d", 3802}}).bytes);
  rows got;
  EXPECT_FALSE(take(query, got));
  ASSERT_NE(query.columns(), nullptr);
  EXPECT_EQ(query.columns()->front().name, "d");
  on.say(backend{}.bind_complete().data_row("{}").command_complete("SELECT 1").ready_for_query().bytes);
  EXPECT_TRUE(take(query, got));
  EXPECT_EQ(got, rows{"{}"});
}

TEST(QueryReader, SyncsAfterAnErrorBeforeTheDecision) {
  pair on;
  query_reader query{*on, described_first};
  on.say(backend{}.error("42601", "syntax error").bytes);
  rows got;
  EXPECT_FALSE(take(query, got));
  const std::string heard = on.heard();
  EXPECT_EQ(heard.substr(heard.size() - 5), sluice::test::raw("S\0\0\0\4"));
  on.say(backend{}.ready_for_query().bytes);
  EXPECT_THROW((void)take(query, got), error);
  EXPECT_EQ(on->is(), session::state::idle);
}

TEST(QueryReader, RefusesCopyAndBringsTheConnectionBack) {
  pair on;
  query_reader query{*on, {.text = "copy t from stdin"}};
  on.say(backend{}.parse_complete().bind_complete().no_data().message('G', sluice::test::raw("\0\0\0")).bytes);
  rows got;
  EXPECT_FALSE(take(query, got));
  EXPECT_NE(on.heard().find("COPY FROM STDIN"), std::string::npos);
  on.say(backend{}.error("57014", "COPY from stdin failed").ready_for_query().bytes);
  EXPECT_THROW((void)take(query, got), error);
  EXPECT_EQ(on->is(), session::state::idle);

  query_reader out{*on, {.text = "copy t to stdout"}};
  on.say(backend{}.parse_complete().bind_complete().no_data().message('H', sluice::test::raw("\0\0\0")).bytes);
  try {
    (void)take(out, got);
    ADD_FAILURE();
  } catch (const error& e) {
    EXPECT_EQ(e.code(), errc::unsupported_result);
  }
  out.abandon();
  on.say(backend{}.message('d', "1\n").message('c', "").command_complete("COPY 1").ready_for_query().bytes);
  EXPECT_TRUE(take(out, got));
  EXPECT_EQ(on->is(), session::state::idle);
}

TEST(QueryReader, SkipsRowsWithoutBufferingThem) {
  pair on;
  query_reader query{*on, {.text = any_query}};
  query.abandon();
  on.say(backend{}.parse_complete().bind_complete().row_description().bytes);
  const std::string row = backend{}.data_row(std::string(20'000, 'x')).bytes;
  rows got;
  for (std::size_t at = 0; at < row.size(); at += 1'000) {
    on.say(std::string_view{row}.substr(at, 1'000));
    EXPECT_FALSE(take(query, got));
  }
  on.say(backend{}.command_complete("SELECT 1").ready_for_query().bytes);
  EXPECT_TRUE(take(query, got));
  EXPECT_TRUE(got.empty());
  EXPECT_LT(on->io.in.peak(), 1'000U);
}

TEST(QueryReader, RefusesAQueryThatCannotBeSentAndStaysIdle) {
  pair on;
  const std::string zero{"select\0 1", 9};
  EXPECT_THROW((query_reader{*on, {.text = zero}}), error);
  EXPECT_EQ(on->is(), session::state::idle);
  EXPECT_TRUE(on->io.out.empty());
}

/// The warning about a large row is given once for all queries. Afterwards, every query in progress must read large
/// rows.
TEST(QueryReader, ReadsLargeRowsOfAllItsQueriesAfterTheOneWarning) {
  pair on;
  on->engine.statements = sluice::wire::statement_cache{1};
  const statement what{.text = any_query};
  rows got;
  {
    query_reader query{*on, what};
    on.say(backend{}
               .parse_complete()
               .bind_complete()
               .row_description()
               .command_complete("SELECT 0")
               .ready_for_query()
               .bytes);
    EXPECT_TRUE(take(query, got));
  }
  on->engine.warn_of_rows_from(50);
  query_reader first{*on, what};
  query_reader second{first, what};
  const std::string large(200, '1');
  for (int i = 0; i < 2; ++i)
    on.say(backend{}.bind_complete().data_row(large).command_complete("SELECT 1").ready_for_query().bytes);
  EXPECT_TRUE(take(first, got));
  EXPECT_TRUE(take(second, got));
  EXPECT_EQ(got, (rows{large, large}));
}

}  // namespace
}  // namespace query_reader_test
