// The results of queries against a real server, through both APIs.
#include <gtest/gtest.h>

#include <sluice/stream/json.hpp>

#include "cluster.hpp"
#include "faces.hpp"

namespace rows_test {
namespace {

using namespace sluice::test;
using rows = std::vector<std::string>;
using sluice::from;
using sluice::sql;

template <class Face>
class Rows : public testing::Test {
 protected:
  static outcome ask(const sluice::query& what) { return Face::ask(dsn(), what); }
  static rows rows_of(const sluice::query& what) {
    outcome seen = ask(what);
    if (seen.failure) ADD_FAILURE() << seen.failure->what();
    EXPECT_TRUE(seen.usable);
    return seen.rows;
  }
};
using faces = testing::Types<blocking_face, coroutine_face>;
TYPED_TEST_SUITE(Rows, faces);

TYPED_TEST(Rows, OfARelationAreItsDocuments) {
  psql(R"(drop table if exists r1; create table r1 (data jsonb, "Odd "".Name" json);
          insert into r1 values ('{"a": 1}', '{"b":   2}'), (null, null), ('"text"', '[]'))");
  EXPECT_EQ(this->rows_of(from("r1")), (rows{R"({"a": 1})", "NULL", R"("text")"}));
  EXPECT_EQ(this->rows_of(from("public.r1").column("Odd \".Name")), (rows{R"({"b":   2})", "NULL", "[]"}));
}

TYPED_TEST(Rows, ComeInOrderWithLimitAndOffset) {
  psql(R"(drop table if exists r2; create table r2 (data jsonb);
          insert into r2 select jsonb_build_object('n', n, 's', 'x' || n) from generate_series(1, 20) n;
          insert into r2 values ('{"n": "no number"}'), ('{}'))");
  const sluice::sort_key by_number = sluice::desc(sluice::field("n").as_numeric()).nulls_last();
  EXPECT_EQ(this->rows_of(from("r2").order_by(by_number).limit(2).offset(1)),
            (rows{R"({"n": 19, "s": "x19"})", R"({"n": 18, "s": "x18"})"}));
}

TYPED_TEST(Rows, OfSqlAreBoundNotPasted) {
  const std::string hostile = "it's; drop table x; -- \\ \xe2\x82\xac";
  EXPECT_EQ(this->rows_of(sql("select to_json($1::text)", hostile)), rows{R"("it's; drop table x; -- \\ )"
                                                                          "\xe2\x82\xac\""});
  EXPECT_EQ(this->rows_of(sql("select json_build_array($1, $2, $3, $4::text, $5::int8)", 42, true, 0.5, nullptr, 7)),
            rows{"[42, true, 0.5, null, 7]"});
}

TYPED_TEST(Rows, OfOtherShapesBecomeObjects) {
  EXPECT_EQ(this->rows_of(sql("select 1 as a, 'x' as b; ")), rows{R"({"a":1,"b":"x"})"});
  EXPECT_EQ(this->rows_of(sql("select 1 as a -- a comment")), rows{R"({"a":1})"});
  EXPECT_EQ(this->rows_of(sql("select '{}'::json as a").as_object()), rows{R"({"a":{}})"});
  EXPECT_EQ(this->rows_of(sql("select to_json('plain'::text)").as_document()), rows{"\"plain\""});
  psql("drop table if exists r3; create table r3 (id int, name text)");
  EXPECT_EQ(this->rows_of(sql("insert into r3 values ($1, $2) returning *", 1, "one")),
            rows{R"({"id":1,"name":"one"})"});
  EXPECT_EQ(psql("select count(*) from r3"), "1") << "the statement ran once";
}

TYPED_TEST(Rows, AreNoneWhereThereAreNone) {
  EXPECT_EQ(this->rows_of(sql("select '{}'::json where false")), rows{});
  EXPECT_EQ(this->rows_of(sql("create temp table nothing (a int)")), rows{});
  EXPECT_EQ(this->rows_of(sql("")), rows{});
  EXPECT_EQ(this->rows_of(sql("select 1 as a where false")), rows{});
}

TYPED_TEST(Rows, OfExplainAreItsJson) {
  const rows plan = this->rows_of(sql("explain (format json) select 1"));
  ASSERT_EQ(plan.size(), 1U);
  EXPECT_EQ(plan[0].substr(0, 1), "[");
}

TYPED_TEST(Rows, MayBeMuchLargerThanTheBuffer) {
  const rows got = this->rows_of(sql("select to_json(repeat('x', n)) from unnest(array[1, 100000, 20000000, 2]) n"));
  ASSERT_EQ(got.size(), 4U);
  EXPECT_EQ(got[0], "\"x\"");
  EXPECT_EQ(got[1].size(), 100'002U);
  EXPECT_EQ(got[2], '"' + std::string(20'000'000, 'x') + '"');
  EXPECT_EQ(got[3], "\"xx\"");
}

TYPED_TEST(Rows, GoOnAroundNoticesAndParameterChanges) {
  psql(R"(create or replace function noisy_row(n int) returns json language plpgsql as $$ begin
            raise notice 'row %', n;
            if n % 10 = 0 then perform set_config('application_name', 'a' || n, false); end if;
            return to_json(n); end $$)");
  const rows got = this->rows_of(sql("select noisy_row(n) from generate_series(1, 500) n").as_document());
  ASSERT_EQ(got.size(), 500U);
  EXPECT_EQ(got[499], "500");
}

TYPED_TEST(Rows, AreObjectsWhateverTheirColumnsAreCalled) {
  EXPECT_EQ(this->rows_of(sql("select 1 as q")), std::vector<std::string>{R"({"q":1})"});
  EXPECT_EQ(this->rows_of(sql("select 1 as a, 2 as q").as_object()), std::vector<std::string>{R"({"a":1,"q":2})"});
}

TYPED_TEST(Rows, TakeTheSameBufferHoweverManyThereAre) {
  const auto peak = [&](int count) {
    outcome seen =
        this->ask(sql("select json_build_object('n', n) from generate_series(1, $1) n", count).as_document());
    EXPECT_EQ(seen.rows.size(), static_cast<std::size_t>(count));
    EXPECT_EQ(seen.stats.rows, static_cast<std::uint64_t>(count));
    EXPECT_GT(seen.stats.first_row.count(), 0);
    EXPECT_GE(seen.stats.elapsed, seen.stats.first_row);
    return seen.stats.buffer_peak;
  };
  for (const int count : {1'000, 20'000, 300'000}) EXPECT_LT(peak(count), 66'000U) << count;
}

/// An order-dependent hash, cheap enough for many rows.
struct fingerprint {
  std::uint64_t hash{14695981039346656037U};
  std::uint64_t lines{0};
  void add(std::string_view line) {
    for (const char c : line) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
    hash = (hash ^ '\n') * 1099511628211U;
    ++lines;
  }
  friend bool operator==(const fingerprint&, const fingerprint&) = default;
};

fingerprint by_psql(const std::string& relation) {
  const std::string command = "psql -XAtq -c 'select data from " + relation + "'";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  fingerprint all;
  std::string line;
  for (int c = std::getc(pipe); c != EOF; c = std::getc(pipe)) {
    if (c == '\n') {
      all.add(line);
      line.clear();
    } else {
      line += static_cast<char>(c);
    }
  }
  EXPECT_EQ(::pclose(pipe), 0);
  return all;
}

fingerprint by_sluice(const std::string& conninfo, const std::string& relation) {
  fingerprint all;
  sluice::client db{conninfo};
  for (const sluice::row row : db.stream(from(relation))) all.add(row.text());
  return all;
}

TEST(ManyRows, AreTheSameBytesThatPsqlPrints) {
  psql(R"(drop table if exists many_rows; create unlogged table many_rows (data jsonb);
          insert into many_rows select case when n % 1000 = 0 then null else
            jsonb_build_object('id', n, 'token', md5(n::text), 'text', repeat(chr(945 + n % 20), n % 50)) end
          from generate_series(1, 200000) n)");
  const fingerprint expected = by_psql("many_rows");
  EXPECT_EQ(expected.lines, 200'000U);
  EXPECT_EQ(by_sluice(dsn(), "many_rows"), expected) << "over the Unix socket";
  EXPECT_EQ(by_sluice(tcp_dsn(), "many_rows"), expected) << "over TCP";
  psql("drop table many_rows");
}

TEST(Json, IsParsedInPlaceForEveryRow) {
  sluice::client db{dsn()};
  std::int64_t sum = 0;
  for (const sluice::row row :
       db.stream(sql("select jsonb_build_object('a', jsonb_build_array(n, 'x')) from generate_series(1, 20000) n"))) {
    sluice::json_document document = row.json();
    sum += document["a"].at(0).get_int64().value();
  }
  EXPECT_EQ(sum, 20'000LL * 20'001 / 2);
}

TEST(Json, RefusesNull) {
  sluice::client db{dsn()};
  for (const sluice::row row : db.stream(sql("select null::json"))) EXPECT_THROW((void)row.json(), sluice::error);
}

TEST(OwnedChunk, OutlivesItsStreamAndItsConnection) {
  std::vector<sluice::owned_chunk> kept;
  {
    sluice::client db{dsn()};
    sluice::row_range stream = db.stream(sql("select to_json(n) from generate_series(1, 5000) n"));
    while (const sluice::chunk chunk = stream.next()) kept.push_back(chunk.detach());
  }
  int count = 0;
  for (const sluice::owned_chunk& chunk : kept)
    for (const sluice::row row : chunk) EXPECT_EQ(row.text(), std::to_string(++count));
  EXPECT_EQ(count, 5000);
}

TEST(Notifications, ArriveWhileTheConnectionIsRead) {
  sluice::client db{dsn()};
  std::vector<std::string> heard;
  db.on_notification([&](const sluice::notification& n) { heard.push_back(n.channel + ':' + n.payload); });
  db.execute("listen news");
  psql("notify news, 'something'");
  for (const sluice::row row : db.stream(sql("select '{}'::json"))) EXPECT_EQ(row.text(), "{}");
  EXPECT_EQ(heard, rows{"news:something"});
}

TEST(Execute, RunsStatementsAndTellsTheLastOnesTag) {
  sluice::client db{dsn()};
  EXPECT_EQ(db.execute("create temp table t (a int); insert into t select generate_series(1, 3); select * from t").tag,
            "SELECT 3");
  EXPECT_THROW((void)db.execute("insert into t values (4); select 1/0; insert into t values (5)"), sluice::error);
  int count = 0;
  for (const sluice::row row : db.stream(sql("select to_json(a) from t"))) count += row.is_null() ? 0 : 1;
  EXPECT_EQ(count, 3) << "one transaction, rolled back";
}

}  // namespace
}  // namespace rows_test
