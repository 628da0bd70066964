// Batches from elsewhere into tables: what was read comes back the same, and what cannot be written is refused.
#include <gtest/gtest.h>

#include <asio/use_future.hpp>
#include <cerrno>
#include <cstdint>
#include <sluice/arrow/copy.hpp>
#include <sluice/arrow/reader.hpp>
#include <sluice/sluice.hpp>
#include <sluice/stream/async.hpp>
#include <string>
#include <system_error>
#include <utility>

#include "cluster.hpp"
#include "faces.hpp"

namespace arrow_copy_test {
namespace {

using namespace sluice;
using sluice::test::dsn;
using sluice::test::psql;

constexpr const char* columns_of_all = "b, i2, i4, i8, f4, f8, n, t, raw, u, d, tm, ts, tz, iv, j, li, lt, small, odd";

/// Of each type that batches have, with NULLs among them.
void make_tables() {
  psql(
      "drop table if exists arrow_from, arrow_into; create table arrow_from as select case when i % 7 <> 0 then "
      "i % 2 = 0 end as b, (i % 30000)::int2 as i2, -i as i4, i * 10000000000::int8 as i8, (i / 3.0)::float4 as f4, "
      "sqrt(i) as f8, (i / 7.0)::numeric(20, 6) as n, nullif(repeat(chr(64 + i % 60), i % 50), '') as t, "
      "decode(md5(i::text), 'hex') as raw, md5(i::text)::uuid as u, date '0001-01-01' + i * 300 as d, "
      "time '00:00' + i * interval '0.7 s' as tm, timestamp '1900-01-01' + i * interval '1 day 1.000001 s' as ts, "
      "timestamptz '2020-01-01' + i * interval '1 h' as tz, make_interval(months => i, days => -i, secs => i) as iv, "
      "jsonb_build_object('i', i) as j, case when i % 5 <> 0 then array[i, null, -i] end as li, "
      "array['a', i::text, 'x,\"y'] as lt, case when i % 3 = 0 then null else '' end as small, i as odd from "
      "generate_series(1, 5000) i; create table arrow_into (like arrow_from); select ''");
}

ArrowArrayStream exported(client& db, const query& what, const arrow_options& how = {}) {
  ArrowArrayStream stream{};
  db.arrow(what, how).export_to(&stream);
  return stream;
}

std::string differences() {
  return psql(
      "select (select count(*) from (table arrow_from except all table arrow_into) q), (select count(*) from (table "
      "arrow_into except all table arrow_from) q)");
}

std::vector<std::string> names_of_columns() {
  std::vector<std::string> all;
  std::string rest{columns_of_all};
  for (std::size_t end = rest.find(", "); end != rest.npos; end = rest.find(", ")) {
    all.push_back(rest.substr(0, end));
    rest.erase(0, end + 2);
  }
  all.push_back(rest);
  return all;
}

query everything() { return sql(std::string{"select "} + columns_of_all + " from arrow_from"); }

TEST(ArrowCopy, StoresWhatWasRead) {
  make_tables();
  client from{dsn()};
  client into{dsn()};
  ArrowArrayStream batches = exported(from, everything(), {.max_rows = 700});
  blocking_copy_writer to = into.copy_into("arrow_into", names_of_columns());
  EXPECT_EQ(write_arrow(batches, to), 5000U);
  EXPECT_EQ(batches.release, nullptr) << "taken over";
  EXPECT_EQ(psql("select count(*) from arrow_into"), "0") << "not finished";
  EXPECT_EQ(to.finish(), 5000U);
  EXPECT_EQ(differences(), "0|0");
}

asio::awaitable<void> copy_in_a_coroutine() {
  client from{dsn()};
  connection db = co_await connect(dsn());
  std::vector<std::string> names = names_of_columns();
  asio::awaitable<copy_writer> beginning = db.copy_into("arrow_into", std::move(names));
  copy_writer to = co_await std::move(beginning);
  ArrowArrayStream batches = exported(from, everything());
  asio::awaitable<std::uint64_t> writing = write_arrow(batches, to);
  const std::uint64_t rows = co_await std::move(writing);
  EXPECT_EQ(rows, 5000U);
  batches = exported(from, sql("select b, i2 from arrow_from limit 0"));
  asio::awaitable<std::uint64_t> nothing = write_arrow(batches, to, asio::use_awaitable);
  const std::uint64_t none = co_await std::move(nothing);
  EXPECT_EQ(none, 0U);
  const std::uint64_t stored = co_await to.finish();
  EXPECT_EQ(stored, 5000U);
}

TEST(ArrowCopy, DoesSoInACoroutine) {
  make_tables();
  test::run(copy_in_a_coroutine());
  EXPECT_EQ(differences(), "0|0");
}

/// The error of writing the rows of this query into columns; nothing is stored.
error refusal(const query& what, const std::vector<std::string>& columns) {
  client from{dsn()};
  client into{dsn()};
  ArrowArrayStream batches = exported(from, what);
  std::optional<error> refused;
  {
    blocking_copy_writer to = into.copy_into("arrow_into", columns);
    try {
      (void)write_arrow(batches, to);
    } catch (const error& why) {
      refused = why;
    }
  }
  EXPECT_EQ(psql("select count(*) from arrow_into"), "0");
  EXPECT_EQ(into.execute("select 1").tag, "SELECT 1") << "the connection goes on";
  return refused.value_or(error{errc{}, "nothing was refused"});
}

TEST(ArrowCopy, RefusesWhatDoesNotFit) {
  make_tables();
  const error large = refusal(sql("select 40000 from generate_series(1, 10)"), {"i2"});
  EXPECT_EQ(large.code(), errc::bad_column) << large.what();
  EXPECT_NE(std::string{large.what()}.find("i2"), std::string::npos) << large.what();
  const error other = refusal(sql("select true"), {"d"});
  EXPECT_EQ(other.code(), errc::bad_column) << other.what();
  const error few = refusal(sql("select 1"), {"i2", "i4"});
  EXPECT_EQ(few.code(), errc::bad_query) << few.what();
  const error many = refusal(sql("select 1, 2"), {"i2"});
  EXPECT_EQ(many.code(), errc::bad_query) << many.what();
  EXPECT_NE(std::string{many.what()}.find("2 columns"), std::string::npos) << many.what();
}

/// A stream whose second batch fails.
struct failing {
  static int get_schema(ArrowArrayStream* self, ArrowSchema* to) { return inner(self).get_schema(&inner(self), to); }
  static int get_next(ArrowArrayStream* self, ArrowArray* to) {
    auto& mine = *static_cast<failing*>(self->private_data);
    return std::exchange(mine.has_given_one, true) ? ENOSPC : inner(self).get_next(&inner(self), to);
  }
  static const char* last_error(ArrowArrayStream* /*self*/) { return "no disk is left"; }
  static void release(ArrowArrayStream* self) {
    inner(self).release(&inner(self));
    self->release = nullptr;
  }
  static ArrowArrayStream& inner(ArrowArrayStream* self) { return static_cast<failing*>(self->private_data)->of; }

  ArrowArrayStream of;
  bool has_given_one{false};
};

TEST(ArrowCopy, SaysWhyItsStreamFailed) {
  make_tables();
  client from{dsn()};
  client into{dsn()};
  failing inner{.of = exported(from, sql("select i4 from arrow_from"), {.max_rows = 100})};
  ArrowArrayStream batches{.get_schema = failing::get_schema,
                           .get_next = failing::get_next,
                           .get_last_error = failing::last_error,
                           .release = failing::release,
                           .private_data = &inner};
  std::string said;
  {
    blocking_copy_writer to = into.copy_into("arrow_into", {"i4"});
    try {
      (void)write_arrow(batches, to);
    } catch (const std::system_error& why) {
      EXPECT_EQ(why.code(), std::errc::no_space_on_device);
      said = why.what();
    }
    EXPECT_EQ(to.rows(), 100U);
  }
  EXPECT_NE(said.find("no disk is left"), std::string::npos) << said;
  EXPECT_EQ(inner.of.release, nullptr) << "released";
  EXPECT_EQ(psql("select count(*) from arrow_into"), "0");
}

}  // namespace
}  // namespace arrow_copy_test
