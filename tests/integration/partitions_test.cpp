// Partitions: together they have each row of one snapshot once, whatever others write, and whoever reads them; and what
// is not a partition gives an error and no rows.
#include <gtest/gtest.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <exception>
#include <mutex>
#include <optional>
#include <sluice/arrow/partitions.hpp>
#include <sluice/stream/partitions.hpp>
#include <string>
#include <thread>
#include <vector>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"
#include "parallel/partition_text.hpp"

namespace partitions_test {
namespace {

using namespace sluice::test;
using sluice::blocking_partitions;
using sluice::errc;
using sluice::field;
using sluice::from;
using sluice::open_partition;
using sluice::partition_options;
using sluice::partition_read;
using sluice::split_by;
using sluice::sql;
using texts = std::vector<std::string>;

void load() {
  psql(R"(drop table if exists parted cascade; create table parted (data jsonb);
          insert into parted select jsonb_build_object('id', n, 'x', n % 7, 'o', jsonb_build_object('s', md5(n::text)))
            from generate_series(1, 20000) n;
          insert into parted values (null), ('{"id": "no number"}'), ('{"id": null}'), ('[]');
          create view v_parted as select data from parted;
          drop table if exists parted_columns; create table parted_columns (id int, t text, at timestamptz);
          insert into parted_columns select n, 'row ' || n, '2024-02-29'::timestamptz + n * interval '1 minute'
            from generate_series(1, 5000) n;
          insert into parted_columns values (null, null, null), (-2147483648, '', 'infinity'))");
}

/// What the API for plain loops and that for coroutines read.
struct loop_reader {
  static texts read(const std::string& descriptor, const partition_read& how = {}) {
    sluice::client db{dsn()};
    texts rows;
    for (const sluice::row each : open_partition(db, descriptor, how)) rows.push_back(text_of(each, how));
    EXPECT_TRUE(db.is_idle());
    EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
    return rows;
  }
  static std::string text_of(const sluice::row& each, const partition_read& how) {
    if (how.as == partition_read::rows::documents) return each.is_null() ? "NULL" : std::string{each.text()};
    std::string line;
    for (const sluice::binary_field& one : each.fields())
      line +=
          (one.is_null ? "NULL" : std::string(reinterpret_cast<const char*>(one.bytes.data()), one.bytes.size())) + '|';
    return line;
  }
  static blocking_partitions divide(const auto& what, const partition_options& how) { return {dsn(), what, how}; }
};
struct coroutine_reader {
  static asio::awaitable<texts> work(std::string descriptor, partition_read how) {
    texts rows;
    sluice::connection db = co_await sluice::connect(dsn());
    {
      sluice::partition_stream some = co_await open_partition(db, descriptor, how);
      while (const sluice::chunk batch = co_await some.next())
        for (const sluice::row each : batch) rows.push_back(loop_reader::text_of(each, how));
      EXPECT_EQ(some.stats().rows, rows.size());
    }
    EXPECT_TRUE(db.is_idle());
    EXPECT_EQ(co_await answer(db, sql("select to_json(1)")), "1");
    co_return rows;
  }
  static texts read(const std::string& descriptor, const partition_read& how = {}) {
    return run(work(descriptor, how));
  }
};

template <class Reader>
class Partitions : public testing::Test {
 protected:
  static void SetUpTestSuite() { load(); }
  static texts all(const blocking_partitions& parts, const partition_read& how = {}) {
    texts rows;
    for (const std::string& each : parts.descriptors()) {
      texts some = Reader::read(each, how);
      rows.insert(rows.end(), some.begin(), some.end());
    }
    std::ranges::sort(rows);
    return rows;
  }
  static texts on_one(const sluice::query& what) {
    texts rows = blocking_face::ask(dsn(), what).rows;
    std::ranges::sort(rows);
    return rows;
  }
};
using readers = testing::Types<loop_reader, coroutine_reader>;
TYPED_TEST_SUITE(Partitions, readers);

TYPED_TEST(Partitions, HaveEachRowOnceWhateverOthersWrite) {
  for (const std::uint32_t count : {1U, 2U, 7U}) {
    load();
    const texts before = this->on_one(from("parted"));
    const blocking_partitions parts{dsn(), from("parted"), {.count = count}};
    EXPECT_EQ(parts.descriptors().size(), count);
    texts rows;
    for (const std::string& each : parts.descriptors()) {
      psql(
          "update parted set data = data || '{\"late\": 1}' where (data->>'x')::text = '3'; delete from parted where "
          "(data->>'x')::text = '5'; insert into parted select '{\"id\": 1000000}' from generate_series(1, 1000)");
      const texts some = TypeParam::read(each);
      rows.insert(rows.end(), some.begin(), some.end());
    }
    std::ranges::sort(rows);
    EXPECT_EQ(rows, before) << count;
    parts.check();
  }
  load();
}

TYPED_TEST(Partitions, AreDividedByKeyAndHash) {
  for (const split_by& split : {split_by::key("id"), split_by::key("x"), split_by::hash("o.s"), split_by::hash("no")}) {
    const blocking_partitions parts{dsn(), from("v_parted"), {.count = 5, .split = split}};
    EXPECT_LE(parts.descriptors().size(), 5U);
    EXPECT_EQ(this->all(parts), this->on_one(from("v_parted"))) << split.path();
  }
}

TYPED_TEST(Partitions, OfQueriesAreDividedByAColumn) {
  const sluice::query what =
      sql("select id, t, at from parted_columns where id > $1 or id is null or t <> $2", 17, "row 20");
  const texts expected = this->on_one(what);
  for (const split_by& split : {split_by::key("id"), split_by::hash("id"), split_by::hash("t")}) {
    const blocking_partitions parts{dsn(), what, {.count = 6, .split = split}};
    EXPECT_GT(parts.descriptors().size(), 3U);
    EXPECT_EQ(this->all(parts), expected) << split.path();
  }
  const blocking_partitions whole{dsn(), what, {.count = 1}};
  EXPECT_EQ(this->all(whole), expected);
  const blocking_partitions documents{dsn(), sql("select data from parted"), {.count = 1}};
  EXPECT_EQ(this->all(documents), this->on_one(sql("select data from parted")));
  const sluice::query bytes = sql("select $1::bytea as b, $2::text as t",
                                  sluice::bind_value::bytes(std::as_bytes(std::span{"\0\xff", 2})), nullptr);
  EXPECT_EQ(this->all(blocking_partitions{dsn(), bytes, {.count = 1}}), texts{R"({"b":"\\x00ff","t":null})"});
}

TYPED_TEST(Partitions, KeepConditionsAndProjections) {
  for (const sluice::relation& what :
       {from("parted").where(field("x") == 3).select("id", "o.s"),
        from("parted_columns").where(sluice::column("id") > 4000),
        from("parted_columns").of_columns().select("t", sluice::projection("id").as("key.id"))})
    EXPECT_EQ(this->all(blocking_partitions{dsn(), what, {.count = 3}}), this->on_one(what));
}

TYPED_TEST(Partitions, AreColumnsForWhoeverWantsThem) {
  const blocking_partitions parts{
      dsn(), from("parted_columns").select("t", sluice::projection("id").as("key.id")), {.count = 2}};
  const texts rows = this->all(parts, {.as = partition_read::rows::text_columns});
  EXPECT_EQ(rows.size(), 5002U);
  EXPECT_TRUE(std::ranges::binary_search(rows, "row 17|17|"));
  EXPECT_TRUE(std::ranges::binary_search(rows, "NULL|NULL|"));
  std::size_t counted = 0;
  for (const std::string& each : parts.descriptors()) {
    sluice::client db{dsn()};
    sluice::arrow_reader batches = sluice::open_arrow_partition(db, each);
    EXPECT_STREQ(batches.schema().schema().children[1]->name, "key.id");
    while (const sluice::arrow_batch batch = batches.next()) counted += batch.rows();
  }
  EXPECT_EQ(counted, rows.size());
}

struct PartitionsLoaded : testing::Test {
  static void SetUpTestSuite() { load(); }
};
struct PartitionsOfAll : PartitionsLoaded {};
struct PartitionsRefused : PartitionsLoaded {};
struct PartitionsHeld : PartitionsLoaded {};

TEST_F(PartitionsOfAll, AreReadByManyAtOnceWhileOthersWrite) {
  load();
  texts before = blocking_face::ask(dsn(), from("parted")).rows;
  std::ranges::sort(before);
  const blocking_partitions parts{dsn(), from("parted"), {.count = 8}};
  std::vector<texts> rows(parts.descriptors().size());
  bool is_done = false;
  std::mutex guard;
  std::thread writer{[&] {
    for (;;) {
      psql("update parted set data = data where (data->>'x')::text = '1'; insert into parted values ('{\"id\": 3}')");
      const std::lock_guard locked{guard};
      if (is_done) return;
    }
  }};
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < rows.size(); ++i)
      threads.emplace_back([&, i] {
        rows[i] =
            i % 2 == 0 ? loop_reader::read(parts.descriptors()[i]) : coroutine_reader::read(parts.descriptors()[i]);
      });
  }
  {
    const std::lock_guard locked{guard};
    is_done = true;
  }
  writer.join();
  texts together;
  for (const texts& some : rows) together.insert(together.end(), some.begin(), some.end());
  std::ranges::sort(together);
  EXPECT_EQ(together, before);
}

/// The error of opening a partition, of which there are no rows, and after which the connection can be used.
sluice::error refusal_of(const std::string& descriptor, const std::string& where = dsn()) {
  std::optional<sluice::error> first;
  {
    sluice::client db{where};
    try {
      for ([[maybe_unused]] const sluice::row each : open_partition(db, descriptor)) ADD_FAILURE() << "a row";
    } catch (const sluice::error& why) {
      first = why;
    }
    EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
  }
  const auto in_a_coroutine = [](std::string text, std::string at) -> asio::awaitable<std::string> {
    sluice::connection db = co_await sluice::connect(at);
    std::string said;
    try {
      sluice::partition_stream rows = co_await open_partition(db, text);
      said = "opened";
    } catch (const sluice::error& why) {
      said = why.what();
    }
    EXPECT_EQ(co_await answer(db, sql("select to_json(1)")), "1");
    co_return said;
  };
  if (!first) throw std::runtime_error{"there is no error"};
  EXPECT_EQ(run(in_a_coroutine(descriptor, where)), first->what());
  return *first;
}

TEST_F(PartitionsRefused, AreThoseThatNobodyVouchesFor) {
  load();
  const blocking_partitions parts{dsn(), from("parted"), {.count = 2}};
  const std::string& good = parts.descriptors()[0];
  for (const std::string& bad : {std::string{}, std::string{"sluice"}, good.substr(0, good.size() - 1),
                                 good.substr(0, good.size() / 2), good + "0", good + '\n', "sluice2." + good.substr(8),
                                 good.substr(0, 40) + (good[40] == 'A' ? 'B' : 'A') + good.substr(41)})
    EXPECT_EQ(refusal_of(bad).code(), errc::bad_partition) << bad;

  sluice::detail::partition_facts facts = sluice::detail::read_partition(good);
  facts.sql = "select rolpassword::text::jsonb from pg_authid";
  facts.parameters.clear();
  const sluice::error forged = refusal_of(sluice::detail::written(facts));
  EXPECT_EQ(forged.code(), errc::bad_partition);
  EXPECT_NE(std::string{forged.what()}.find("not vouched for"), std::string::npos) << forged.what();
  EXPECT_TRUE(forged.connection_usable());
  facts = sluice::detail::read_partition(good);
  facts.snapshot = "00000FFF-0000FFFF-1";
  EXPECT_EQ(refusal_of(sluice::detail::written(facts)).code(), errc::partition_lost);
  EXPECT_EQ(loop_reader::read(good).size() + loop_reader::read(parts.descriptors()[1]).size(), 20004U);
}

TEST_F(PartitionsRefused, AreThoseOfAnotherDatabaseOrOfNoSnapshot) {
  psql("drop database if exists parted_elsewhere");
  psql("create database parted_elsewhere");
  std::optional<blocking_partitions> parts{std::in_place, dsn(), from("parted"), partition_options{.count = 2}};
  const texts descriptors = parts->descriptors();
  const sluice::error elsewhere = refusal_of(descriptors[0], dsn() + " dbname=parted_elsewhere");
  EXPECT_EQ(elsewhere.code(), errc::partition_lost) << elsewhere.what();
  parts.reset();
  wait_until("not exists (select from pg_locks where locktype = 'advisory')");
  const sluice::error gone = refusal_of(descriptors[0]);
  EXPECT_EQ(gone.code(), errc::partition_lost);
  EXPECT_EQ(gone.kind(), sluice::condition::sql);
  EXPECT_NE(std::string{gone.what()}.find("partition 1 of 2"), std::string::npos) << gone.what();
  psql("drop database parted_elsewhere");
}

TEST_F(PartitionsRefused, AreThoseOfALesserRole) {
  psql("grant select on parted to trust_user; grant all on schema public to trust_user");
  const blocking_partitions theirs{as_user("trust_user"), from("parted"), {.count = 1}};
  const sluice::error refused = refusal_of(theirs.descriptors()[0]);
  EXPECT_EQ(refused.code(), errc::bad_partition);
  EXPECT_NE(std::string{refused.what()}.find("grant this role"), std::string::npos) << refused.what();
  const blocking_partitions ours{dsn(), from("parted"), {.count = 1}};
  sluice::client worker{as_user("trust_user")};
  std::size_t rows = 0;
  for ([[maybe_unused]] const sluice::row each : open_partition(worker, ours.descriptors()[0])) ++rows;
  EXPECT_EQ(rows, 20004U);
}

TEST_F(PartitionsRefused, AreThoseWithOtherColumnsInTheEyesOfTheReader) {
  psql(
      "drop schema if exists trust_user cascade; create schema trust_user authorization trust_user; "
      "drop table if exists parted_mine; create table parted_mine (id int); grant select on parted_mine to trust_user; "
      "create table trust_user.parted_mine (id text); grant select on trust_user.parted_mine to trust_user; "
      "insert into trust_user.parted_mine values ('a')");
  const blocking_partitions parts{dsn(), from("parted_mine").of_columns(), {.count = 1}};
  const sluice::error changed = refusal_of(parts.descriptors()[0], as_user("trust_user"));
  EXPECT_EQ(changed.code(), errc::result_changed);
  EXPECT_NE(std::string{changed.what()}.find("id text, where it was exported with id int4"), std::string::npos)
      << changed.what();
  psql("drop schema trust_user cascade");
}

TEST_F(PartitionsRefused, IsWhatCannotBeDivided) {
  const auto refuse = [](const auto& what, const partition_options& how) -> std::string {
    try {
      const blocking_partitions parts{dsn(), what, how};
    } catch (const sluice::error& why) {
      EXPECT_EQ(why.code(), errc::bad_query) << why.what();
      return why.what();
    }
    return "divided";
  };
  const auto has = [](const std::string& text, const char* words) { return text.find(words) != text.npos; };
  EXPECT_TRUE(has(refuse(from("parted").order_by(field("id")), {}), "ORDER BY"));
  EXPECT_TRUE(has(refuse(from("parted").limit(3), {}), "LIMIT"));
  EXPECT_TRUE(has(refuse(from("parted").where((field("x") == 1).on_client()), {}), "left to the client"));
  EXPECT_TRUE(has(refuse(from("v_parted"), {}), "only tables"));
  EXPECT_TRUE(has(refuse(sql("select 1"), {}), "no pages"));
  for (const std::uint32_t count : {1U, 2U})
    for (const char* other : {"insert into parted values ('{}') returning *", "show search_path"})
      EXPECT_TRUE(has(refuse(sql(other), {.count = count, .split = split_by::hash("data")}), "only a query")) << other;
  EXPECT_TRUE(has(refuse(from("parted"), {.count = 0}), "between"));
  EXPECT_TRUE(has(refuse(from("parted"), {.count = 1'001}), "between"));
}

TEST_F(PartitionsHeld, NoticeThatTheirConnectionIsLost) {
  const std::string named = dsn() + " application_name=parted_holder";
  const blocking_partitions parts{named, from("parted"), {.count = 2}};
  parts.check();
  psql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'parted_holder'");
  wait_until("not exists (select from pg_stat_activity where application_name = 'parted_holder')");
  EXPECT_THROW(parts.check(), sluice::error);
  EXPECT_EQ(refusal_of(parts.descriptors()[0]).code(), errc::partition_lost);

  const auto watched = [](std::string where) -> asio::awaitable<errc> {
    sluice::partitions held = co_await sluice::partitions::of(where, from("parted"));
    EXPECT_TRUE(held.is_held());
    psql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'parted_holder'");
    try {
      co_await held.lost();
    } catch (const sluice::error& why) {
      co_return static_cast<errc>(why.code().value());
    }
    co_return errc{};
  };
  EXPECT_EQ(run(watched(named)), errc::connection_lost);
}

TEST_F(PartitionsHeld, MayBeAskedAndEndedWhileTheServerIsAsked) {
  const auto asked = [](int turns) -> asio::awaitable<void> {
    using std::chrono::milliseconds;
    sluice::partitions held = co_await sluice::partitions::of(
        dsn(), from("parted"), sluice::partition_options{.check_interval = milliseconds{1}});
    const asio::any_io_executor on = co_await asio::this_coro::executor;
    bool is_over = false;
    asio::co_spawn(on, held.lost(), [&](const std::exception_ptr& why) {
      is_over = true;
      EXPECT_THROW(std::rethrow_exception(why), sluice::error);
    });
    for (int i = 0; i < turns && !is_over; ++i) {
      asio::steady_timer pause{on, std::chrono::microseconds{100}};
      co_await pause.async_wait(asio::use_awaitable);
      EXPECT_TRUE(held.is_held());
    }
    EXPECT_FALSE(is_over);
    co_await held.end();
    while (!is_over) {
      asio::steady_timer pause{on, milliseconds{1}};
      co_await pause.async_wait(asio::use_awaitable);
    }
    EXPECT_FALSE(held.is_held());
  };
  for (int turns = 0; turns < 60; turns += 3) run(asked(turns));
}

TEST_F(PartitionsHeld, StayWhileTheServerEndsIdleTransactions) {
  const blocking_partitions parts{
      dsn() + " application_name=parted_idle options='-c idle_in_transaction_session_timeout=200'", from("parted")};
  wait_until(
      "exists (select from pg_stat_activity where application_name = 'parted_idle' and state = 'idle in "
      "transaction' and clock_timestamp() - state_change > interval '300 ms')");
  parts.check();
  EXPECT_FALSE(loop_reader::read(parts.descriptors()[0]).empty());
}

TEST_F(PartitionsHeld, EndWhenTheyAreTold) {
  const auto ended = [](std::string where) -> asio::awaitable<void> {
    sluice::partitions held = co_await sluice::partitions::of(where, from("parted"), {});
    co_await held.end();
    EXPECT_FALSE(held.is_held());
    wait_until("not exists (select from pg_stat_activity where application_name = 'parted_end')");
    sluice::partitions dropped = co_await sluice::partitions::of(where, from("parted"), {});
    dropped = sluice::partitions{};
    wait_until("not exists (select from pg_stat_activity where application_name = 'parted_end')");
  };
  run(ended(dsn() + " application_name=parted_end"));
}

TEST_F(PartitionsHeld, MayBeLeftBeforeTheirEnd) {
  const blocking_partitions parts{dsn(), from("parted"), {.count = 1}};
  sluice::client db{dsn()};
  {
    sluice::partition_range rows = open_partition(db, parts.descriptors()[0]);
    EXPECT_TRUE(rows.next());
  }
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
  sluice::partition_range rows = open_partition(db, parts.descriptors()[0]);
  EXPECT_TRUE(rows.next());
  (void)rows.cancel();
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
}

TEST(PartitionsExplained, SayWhatIsInThemButNoValues) {
  const blocking_partitions parts{dsn(), sql("select $1::text as secret", "hidden"), {.count = 1}};
  const std::string text = sluice::explain_partition(parts.descriptors()[0]);
  EXPECT_NE(text.find("select $1::text as secret"), std::string::npos) << text;
  EXPECT_NE(text.find("columns: secret text"), std::string::npos) << text;
  EXPECT_EQ(text.find("hidden"), std::string::npos) << text;
}

}  // namespace
}  // namespace partitions_test
