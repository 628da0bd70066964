// Queries of one row or one value, on everything that runs queries.
#include <gtest/gtest.h>

#include <asio/this_coro.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <sluice/sluice.hpp>
#include <sluice/stream/single_row.hpp>
#include <sluice/stream/typed.hpp>
#include <string>
#include <tuple>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"
#include "failures.hpp"

struct single_row_person {
  std::int64_t id{};
  std::string name{};
  std::optional<std::string> born{};
};
SLUICE_JSON(single_row_person, id, name, born)

namespace single_row_test {
namespace {

using namespace sluice::test;
using sluice::errc;
using sluice::sql;

class SingleRow : public testing::Test {
 protected:
  void expect_usable() { EXPECT_EQ(answer(db, sql("select to_json(1)").as_document()), "1"); }
  sluice::client db{dsn()};
};

TEST_F(SingleRow, HasAValue) {
  EXPECT_EQ(sluice::value<std::int64_t>(db, sql("select count(*) from generate_series(1, $1)", 7)), 7);
  EXPECT_EQ(sluice::value<std::string>(db, sql("select 'a'::text, 2")), "a");
  EXPECT_EQ(sluice::value<std::optional<int>>(db, sql("select null::int")), std::nullopt);
  EXPECT_EQ(sluice::value<std::vector<int>>(db, sql("select array[1, 2]")), (std::vector{1, 2}));
  EXPECT_EQ(failure_of([&] { (void)sluice::value<int>(db, sql("select null::int")); })->code(), errc::bad_column);
  EXPECT_EQ(failure_of([&] { (void)sluice::value<int>(db, sql("select 'a'::text")); })->code(), errc::bad_column);
  expect_usable();
}

TEST_F(SingleRow, IsATupleOfItsColumns) {
  const auto [n, text] = sluice::one_row<int, std::string>(db, sql("select 1, 'b'::text, 3"));
  EXPECT_EQ(n, 1);
  EXPECT_EQ(text, "b");
  EXPECT_EQ(failure_of([&] { (void)sluice::one_row<int, int>(db, sql("select 1")); })->code(), errc::bad_column);
  expect_usable();
}

TEST_F(SingleRow, IsReadByNameIntoAStruct) {
  const auto query =
      sql("select name, id, born from (values (1, 'Ada', date '1815-12-10'), (2, 'Bob', null)) "
          "v(id, name, born) where id = $1",
          1);
  const auto ada = sluice::one_row<single_row_person>(db, query);
  EXPECT_EQ(ada.id, 1);
  EXPECT_EQ(ada.name, "Ada");
  EXPECT_EQ(ada.born, "1815-12-10");
  EXPECT_EQ(sluice::value<single_row_person>(db, query).name, "Ada");
  EXPECT_FALSE(sluice::optional_row<single_row_person>(db, sql("select 1 as id where false")));
  EXPECT_EQ(failure_of([&] { (void)sluice::one_row<single_row_person>(db, sql("select 1 as id")); })->code(),
            errc::bad_json);
  expect_usable();
}

TEST_F(SingleRow, MayBeMissing) {
  EXPECT_EQ(sluice::optional_row<int>(db, sql("select 1 where false")), std::nullopt);
  EXPECT_EQ(sluice::optional_row<int>(db, sql("select 1")), std::tuple{1});
  const auto none = failure_of([&] { (void)sluice::value<int>(db, sql("select 1 where false")); });
  EXPECT_EQ(none->code(), errc::unexpected_rows);
  EXPECT_EQ(none->kind(), sluice::condition::sql);
  EXPECT_TRUE(none->connection_usable());
  EXPECT_EQ(failure_of([&] { (void)sluice::one_row<int>(db, sql("create temporary table single_none ()")); })->code(),
            errc::unexpected_rows);
  expect_usable();
}

TEST_F(SingleRow, IsTheOnlyOne) {
  const auto many = sql("select generate_series(1, 1000000)");
  EXPECT_EQ(failure_of([&] { (void)sluice::value<int>(db, many); })->code(), errc::unexpected_rows);
  EXPECT_EQ(failure_of([&] { (void)sluice::one_row<int>(db, many); })->code(), errc::unexpected_rows);
  EXPECT_EQ(failure_of([&] { (void)sluice::optional_row<int>(db, many); })->code(), errc::unexpected_rows);
  expect_usable();
}

TEST_F(SingleRow, TellsAnErrorBehindIt) {
  const auto why =
      failure_of([&] { (void)sluice::value<int>(db, sql("select 1 / (2 - n) from generate_series(1, 2) n")); });
  EXPECT_EQ(why->sqlstate(), "22012");
  expect_usable();
}

TEST_F(SingleRow, OfAStatementThatWrites) {
  psql("drop table if exists single_rows; create table single_rows (id int generated always as identity, t text)");
  EXPECT_EQ(sluice::value<int>(db, sql("insert into single_rows (t) values ($1) returning id", "a")), 1);
  {
    sluice::blocking_transaction tx = db.begin();
    EXPECT_EQ(sluice::value<int>(tx, sql("insert into single_rows (t) values ('b') returning id")), 2);
    EXPECT_EQ(sluice::value<std::int64_t>(tx, sql("select count(*) from single_rows")), 2);
  }
  EXPECT_EQ(sluice::value<std::int64_t>(db, sql("select count(*) from single_rows")), 1);
}

TEST_F(SingleRow, InCoroutines) {
  const auto body = []() -> asio::awaitable<void> {
    sluice::connection conn = co_await sluice::connect(dsn());
    const auto seven = sql("select 7, 'seven'::text");
    EXPECT_EQ(co_await sluice::value<int>(conn, seven), 7);
    const auto row = co_await sluice::one_row<int, std::string>(conn, seven);
    EXPECT_EQ(row, (std::tuple{7, std::string{"seven"}}));
    {
      sluice::transaction tx = co_await conn.begin();
      const auto found = co_await sluice::optional_row<int>(tx, seven);
      EXPECT_EQ(found, std::tuple{7});
      co_await tx.commit();
    }
    sluice::pool pool{co_await asio::this_coro::executor, dsn()};
    EXPECT_EQ(co_await sluice::value<int>(pool, seven), 7);
    const auto none = co_await sluice::optional_row<int>(pool, sql("select 1 where false"));
    EXPECT_EQ(none, std::nullopt);
    std::error_code code;
    try {
      (void)co_await sluice::value<int>(pool, sql("select generate_series(1, 2)"));
    } catch (const sluice::error& why) {
      code = why.code();
    }
    EXPECT_EQ(code, errc::unexpected_rows);
    pool.close();
  };
  run(body());
}

}  // namespace
}  // namespace single_row_test
