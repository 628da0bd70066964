// Arrow batches from a real server: every type in every fetch mode, bounds, errors, and who outlives whom.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <asio/local/connect_pair.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/read.hpp>
#include <asio/this_coro.hpp>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <optional>
#include <random>
#include <sluice/arrow/ipc.hpp>
#include <sluice/arrow/reader.hpp>
#include <sluice/arrow/stream.hpp>
#include <sluice/sluice.hpp>
#include <sluice/wire/asio_errors.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "arrow_values.hpp"
#include "cluster.hpp"
#include "faces.hpp"

namespace arrow_test {
namespace {

using namespace sluice;
using sluice::test::dsn;
using sluice::test::psql;
using sluice::test::text_at;

constexpr std::array modes{fetch_mode::plain, fetch_mode::paged, fetch_mode::bulk};

query_options in(fetch_mode mode) { return {.mode = mode, .page_rows = 3}; }

/// The formats of the columns, and the rows.
struct table {
  std::vector<std::string> formats;
  std::vector<std::string> rows;
  std::vector<std::size_t> batches;
};

void add_schema(table& to, const ArrowSchema& schema) {
  for (std::int64_t i = 0; i < schema.n_children; ++i) to.formats.emplace_back(schema.children[i]->format);
}
void add_batch(table& to, const ArrowSchema& schema, const ArrowArray& batch) {
  to.batches.push_back(static_cast<std::size_t>(batch.length));
  for (std::int64_t i = 0; i < batch.length; ++i) to.rows.push_back(text_at(schema, batch, i));
}
table all_of(arrow_reader batches) {
  table seen;
  const arrow_schema schema = batches.schema();
  add_schema(seen, schema.schema());
  while (const arrow_batch batch = batches.next()) add_batch(seen, schema.schema(), batch.array());
  return seen;
}

struct typed_value {
  const char* expression;
  const char* format;
  const char* value;
};
constexpr std::array values{
    typed_value{"true", "b", "t"},
    typed_value{"'-32768'::int2", "s", "-32768"},
    typed_value{"2147483647", "i", "2147483647"},
    typed_value{"'-9223372036854775808'::int8", "l", "-9223372036854775808"},
    typed_value{"4294967295::oid", "I", "4294967295"},
    typed_value{"1.5::float4", "f", "1.5"},
    typed_value{"'-0.1'::float8", "g", "-0.1"},
    typed_value{"12.5::numeric(10,3)", "d:10,3", "12.500"},
    typed_value{"repeat('9', 38)::numeric(38,0)", "d:38,0", "99999999999999999999999999999999999999"},
    typed_value{"'-0.00000000000000000001'::numeric(20,20)", "d:20,20", "-0.00000000000000000001"},
    typed_value{"12.5::numeric", "u", "12.5"},
    typed_value{"'NaN'::numeric", "u", "NaN"},
    typed_value{"'text'::text", "u", "text"},
    typed_value{"'vc'::varchar(5)", "u", "vc"},
    typed_value{"'c'::char(3)", "u", "c  "},
    typed_value{"'n'::name", "u", "n"},
    typed_value{"'<a/>'::xml", "u", "<a/>"},
    typed_value{"'{\"a\":  1}'::json", "u", "{\"a\":  1}"},
    typed_value{"'{\"a\":  1}'::jsonb", "u", "{\"a\": 1}"},
    typed_value{"'00010203-0405-0607-0809-0a0b0c0d0e0f'::uuid", "w:16", "00010203-0405-0607-0809-0a0b0c0d0e0f"},
    typed_value{"'ab'::bytea", "z", "ab"},
    typed_value{"date '1969-12-31'", "tdD", "-1"},
    typed_value{"time '24:00'", "ttu", "86400000000"},
    typed_value{"timestamp '1970-01-01 00:00:01.000001'", "tsu:", "1000001"},
    typed_value{"timestamptz '1969-12-31 23:59:59+00'", "tsu:UTC", "-1000000"},
    typed_value{"interval '1 year 2 days 3.000004 s'", "tin", "12 2 3000004000"},
    typed_value{"array[1, null, 3]", "+l", "{1,NULL,3}"},
    typed_value{"'{}'::text[]", "+l", "{}"},
    typed_value{"array[1.5, 2]::numeric(5,2)[]", "+l", "{1.50,2.00}"},
    typed_value{"'1 2'::int2vector", "+l", "{1,2}"},
    typed_value{"'happy'::arrow_mood", "u", "happy"},
    typed_value{"'{happy,sad}'::arrow_mood[]", "+l", "{happy,sad}"},
    typed_value{"row(7, 'x', array[true])::arrow_thing", "+s", "(7,x,{t})"},
    typed_value{"array[row(7, null, '{}')::arrow_thing]", "+l", "{(7,NULL,{})}"},
    typed_value{"42.5::arrow_price", "d:8,2", "42.50"},
    typed_value{"array[42.5]::arrow_price[]", "+l", "{42.50}"},
    typed_value{"'CI'::public.citext", "u", "CI"},
};

/// Creates the types once.
void create_types() {
  static const bool done = [] {
    psql(
        "create type arrow_mood as enum ('sad', 'happy'); create domain arrow_price as numeric(8,2);"
        "create type arrow_thing as (id int4, name text, flags bool[]);"
        "create extension if not exists citext with schema public; create extension if not exists hstore with schema "
        "public");
    return true;
  }();
  (void)done;
}

std::string select_all() {
  std::string list;
  for (const typed_value& each : values) list.append(list.empty() ? "select " : ", ").append(each.expression);
  return list;
}

TEST(Arrow, HasEveryTypeInEveryMode) {
  create_types();
  std::vector<std::string> formats;
  std::string row;
  std::string nulls;
  for (const typed_value& each : values) {
    formats.emplace_back(each.format);
    row.append(row.empty() ? "(" : ",").append(each.value);
    nulls.append(nulls.empty() ? "(" : ",").append("NULL");
  }
  for (const fetch_mode mode : modes) {
    client db{dsn()};
    const std::string twice = "select q.* from generate_series(1, 2) i left join (" + select_all() + ") q on i = 1";
    const table seen = all_of(db.arrow(sql(twice), {}, in(mode)));
    EXPECT_EQ(seen.formats, formats);
    EXPECT_EQ(seen.rows, (std::vector{row + ')', nulls + ')'}));
    EXPECT_TRUE(db.is_idle());
  }
}

TEST(Arrow, HasTheSchemaOfAResultWithoutRows) {
  create_types();
  for (const fetch_mode mode : modes) {
    client db{dsn()};
    const table seen = all_of(db.arrow(sql(select_all() + " where false"), {}, in(mode)));
    EXPECT_EQ(seen.formats.size(), values.size());
    EXPECT_TRUE(seen.batches.empty());
  }
}

TEST(Arrow, MarksJsonAndUuidUnlessTold) {
  client db{dsn()};
  const query ask = sql("select '{}'::jsonb, gen_random_uuid()");
  const auto metadata = [](const arrow_schema& schema, std::int64_t column) {
    const char* const text = schema.schema().children[column]->metadata;
    return text == nullptr ? std::string{"none"} : std::string{text + 4 + 4 + 20 + 4, 10};
  };
  arrow_reader marked = db.arrow(ask);
  const arrow_schema with = marked.schema();
  EXPECT_EQ(metadata(with, 0), "arrow.json");
  EXPECT_EQ(metadata(with, 1), "arrow.uuid");
  while (marked.next()) continue;
  EXPECT_EQ(metadata(db.arrow(ask, {.extension_types = false}).schema(), 0), "none");
}

TEST(Arrow, HasOtherTypesAsTextOnRequest) {
  create_types();
  const std::string list =
      "select inet '10.0.0.1' as host, int4range(1, 5), '12:00+02'::timetz, 12.5::money, b'101', point '(1,2)', "
      "'a=>1'::public.hstore, array[[1,2],[3,4]], array[inet '10.0.0.2'], row(1, 'x'), 'pg_class'::regclass, "
      "'a'::\"char\", null::inet";
  const arrow_options texts{.array = arrow_options::arrays::text, .others = arrow_options::fallback::text};
  std::string expected = '(' + psql(list);
  for (char& each : expected) each = each == '|' ? ',' : each;
  for (const fetch_mode mode : modes) {
    client db{dsn()};
    const table seen = all_of(db.arrow(sql(list), texts, in(mode)));
    for (const std::string& each : seen.formats) EXPECT_EQ(each, "u");
    EXPECT_EQ(seen.rows.at(0), expected + "NULL)");
  }
}

TEST(Arrow, SaysHowToCastATypeThatItDoesNotHave) {
  for (const fetch_mode mode : modes) {
    client db{dsn()};
    try {
      (void)db.arrow(sql("select 1 as id, inet '10.0.0.1' as host"), {}, in(mode)).next();
      FAIL() << "accepted";
    } catch (const error& why) {
      EXPECT_EQ(why.code(), errc::bad_column);
      EXPECT_NE(std::string{why.what()}.find("column \"host\": inet has no Arrow type: cast it"), std::string::npos)
          << why.what();
    }
    EXPECT_EQ(all_of(db.arrow(sql("select 1"), {}, in(mode))).rows.size(), 1U) << "the connection goes on";
  }
}

/// The single value of a query, with its format; or the end of why there is none.
std::string becomes(const char* expression, const arrow_options& how, fetch_mode mode) {
  client db{dsn()};
  try {
    const table seen = all_of(db.arrow(sql(std::string{"select "} + expression + " as v"), how, in(mode)));
    return seen.formats.at(0) + ' ' + seen.rows.at(0);
  } catch (const error& why) {
    EXPECT_EQ(why.code(), errc::bad_column);
    EXPECT_TRUE(db.is_idle());
    return why.what();
  }
}

TEST(Arrow, HasNoPlaceForSomeValuesUnlessToldWhatBecomesOfThem) {
  const arrow_options nulls{.infinities = arrow_options::special::null, .not_a_number = arrow_options::special::null};
  const arrow_options saturated{.infinities = arrow_options::special::saturate};
  const arrow_options decimals{.numeric = arrow_options::numerics::decimal, .precision = 38, .scale = 0};
  const arrow_options doubles{.numeric = arrow_options::numerics::float64};
  const arrow_options texts{.array = arrow_options::arrays::text};
  struct value {
    const char* expression;
    const arrow_options& how;
    const char* expected;  // or a part of the error
  };
  const arrow_options plain{};
  const std::array all{
      value{"1e38::numeric", decimals, "too many digits for a decimal(38,0)"},
      value{"1e38::numeric", plain, "u (100000000000000000000000000000000000000)"},
      value{"1e38::numeric", doubles, "g (1e+38)"},
      value{"1e38::numeric(39,0)", plain, "u (100000000000000000000000000000000000000)"},
      value{"repeat('9', 38)::numeric", decimals, "d:38,0 (99999999999999999999999999999999999999)"},
      value{"0.5::numeric", decimals, "too many digits after the point"},
      value{"'NaN'::numeric(10,2)", plain, "NaN is not a decimal"},
      value{"'NaN'::numeric(10,2)", nulls, "d:10,2 (NULL)"},
      value{"'-Infinity'::numeric", decimals, "-Infinity is not a decimal"},
      value{"date 'infinity'", plain, "infinity has no Arrow value"},
      value{"date '-infinity'", saturated, "tdD (-2147483648)"},
      value{"timestamp '-infinity'", nulls, "tsu: (NULL)"},
      value{"timestamptz 'infinity'", saturated, "tsu:UTC (9223372036854775807)"},
      value{"timestamp '294276-12-31'", plain, "too far away"},
      value{"interval '2562048 h'", plain, "too far away"},
      value{"array[[1, 2], [3, 4]]", plain, "2 dimensions"},
      value{"array[[1, 2], [3, 4]]", texts, "u ({{1,2},{3,4}})"},
      value{"int4range(1, 5)", plain, "has no Arrow type: cast it in the query"},
  };
  for (const fetch_mode mode : modes)
    for (const value& each : all) {
      const std::string seen = becomes(each.expression, each.how, mode);
      EXPECT_NE(seen.find(each.expected), std::string::npos) << each.expression << ": " << seen;
    }
}

TEST(Arrow, ClosesBatchesAtEitherBound) {
  for (const fetch_mode mode : modes) {
    client db{dsn()};
    const query ask = sql("select i, repeat('x', 100) from generate_series(1, $1) i", 10);
    EXPECT_EQ(all_of(db.arrow(ask, {.max_rows = 4}, in(mode))).batches, (std::vector<std::size_t>{4, 4, 2}));
    EXPECT_EQ(all_of(db.arrow(ask, {.max_rows = 5}, in(mode))).batches, (std::vector<std::size_t>{5, 5}));
    EXPECT_EQ(all_of(db.arrow(ask, {.max_bytes = 300}, in(mode))).batches, (std::vector<std::size_t>{3, 3, 3, 1}));
  }
}

TEST(Arrow, GivesTheRowsBeforeAnErrorFirst) {
  client db{dsn()};
  arrow_reader server = db.arrow(sql("select 10 / (4 - i) from generate_series(1, 10) i"));
  EXPECT_EQ(server.next().rows(), 3U);
  EXPECT_THROW((void)server.next(), error);
  EXPECT_THROW((void)server.next(), error);
  arrow_reader value = db.arrow(
      sql("select case when i = 3 then 'infinity' else date '2000-01-01' end as d from generate_series(1, 9) i"));
  EXPECT_EQ(value.next().rows(), 2U);
  try {
    (void)value.next();
    FAIL() << "accepted";
  } catch (const error& why) {
    EXPECT_EQ(std::string{why.what()}.find("column 0 (d), row 3: infinity has no Arrow value"), 0U) << why.what();
  }
}

TEST(Arrow, ReadsARelationsColumnsOrItsDocuments) {
  psql(
      "create table arrow_docs (id int4, data jsonb); insert into arrow_docs values (1, '{\"a\": {\"b\": 5}}'), (2, "
      "null);"
      "create table arrow_plain (id int4, price numeric(6,2)); insert into arrow_plain values (1, 1.5)");
  client db{dsn()};
  EXPECT_EQ(all_of(db.arrow(from("arrow_docs"))).rows, (std::vector<std::string>{"({\"a\": {\"b\": 5}})", "(NULL)"}));
  EXPECT_EQ(all_of(db.arrow(from("arrow_docs").of_columns().where(field("id") == 1))).rows,
            std::vector<std::string>{"(1,{\"a\": {\"b\": 5}})"});
  arrow_reader selected = db.arrow(from("arrow_docs").select("a.b"));
  EXPECT_STREQ(selected.schema().schema().children[0]->name, "a.b");
  while (selected.next()) continue;
  const table plain = all_of(db.arrow(from("arrow_plain")));
  EXPECT_EQ(plain.rows, std::vector<std::string>{"(1,1.50)"});
  EXPECT_EQ(plain.formats, (std::vector<std::string>{"i", "d:6,2"}));
}

TEST(Arrow, NoticesThatAPrecisionWasAltered) {
  psql("create table arrow_altered (n numeric(6,2)); insert into arrow_altered values (1.5)");
  client db{dsn()};
  EXPECT_EQ(all_of(db.arrow(sql("select * from arrow_altered"))).rows, std::vector<std::string>{"(1.50)"});
  psql("alter table arrow_altered alter n type numeric(9,4)");
  std::optional<table> seen;
  for (int attempt = 0; attempt < 2 && !seen; ++attempt) try {
      seen = all_of(db.arrow(sql("select * from arrow_altered")));
    } catch (const error& why) {
      EXPECT_EQ(why.code(), errc::result_changed);
    }
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->rows, std::vector<std::string>{"(1.5000)"});
}

TEST(Arrow, IsReadByCoroutines) {
  const auto work = []() -> asio::awaitable<table> {
    connection db = co_await connect(dsn());
    const query ask = sql("select i from generate_series(1, 10) i");
    const arrow_options how{.max_rows = 4};
    auto batches = co_await db.arrow(ask, how);
    table seen;
    const arrow_schema schema = co_await batches.schema();
    for (;;) {
      const arrow_batch batch = co_await batches.next();
      if (!batch) break;
      add_batch(seen, schema.schema(), batch.array());
    }
    co_return seen;
  };
  const table seen = sluice::test::run(work());
  EXPECT_EQ(seen.batches, (std::vector<std::size_t>{4, 4, 2}));
  EXPECT_EQ(seen.rows.back(), "(10)");
}

TEST(Arrow, IsReadOverSeveralConnections) {
  psql(
      "create table arrow_many as select i as id, md5(i::text) as name from generate_series(1, 20000) i; "
      "create table arrow_none (id int4)");
  parallel_options how;
  how.connections = 3;
  const arrow_options bounds{.max_rows = 1'000};
  const auto relation_of = [&](const char* name) { return arrow_relation(from(name).of_columns(), bounds); };
  const table seen = all_of(arrow_reader{parallel_range{dsn(), relation_of("arrow_many"), how}, bounds});
  EXPECT_EQ(seen.rows.size(), 20'000U);
  EXPECT_EQ(seen.formats, (std::vector<std::string>{"i", "u"}));
  for (const std::size_t each : seen.batches) EXPECT_LE(each, 1'000U);
  long long sum = 0;
  for (const std::string& each : seen.rows) sum += std::stoi(each.substr(1));
  EXPECT_EQ(sum, 200'010'000);
  const table none = all_of(arrow_reader{parallel_range{dsn(), relation_of("arrow_none"), how}, bounds});
  EXPECT_EQ(none.formats, std::vector<std::string>{"i"});
  EXPECT_TRUE(none.rows.empty());
  arrow_reader ordered{
      parallel_range{dsn(), arrow_relation(from("arrow_many").of_columns().order_by(field("id"))), how}};
  EXPECT_THROW((void)ordered.next(), error);
}

TEST(ArrowStream, OutlivesItsConnectionAndIsOutlivedByItsBatches) {
  ArrowArrayStream stream{};
  {
    client db{dsn()};
    arrow_reader batches = db.arrow(sql("select i from generate_series(1, 5) i"), {.max_rows = 2});
    batches.export_to(&stream);
    EXPECT_THROW((void)batches.next(), error);
  }
  ArrowSchema schema{};
  ASSERT_EQ(stream.get_schema(&stream, &schema), 0);
  std::vector<ArrowArray> arrays;
  for (;;) {
    ArrowArray next{};
    ASSERT_EQ(stream.get_next(&stream, &next), 0);
    if (next.release == nullptr) break;
    arrays.push_back(next);
  }
  ArrowArrayStream moved = stream;
  moved.release(&moved);
  EXPECT_EQ(arrays.size(), 3U);
  std::thread{[&] {
    EXPECT_EQ(text_at(schema, arrays[2], 0), "(5)");
    for (ArrowArray& each : arrays) each.release(&each);
    schema.release(&schema);
  }}.join();
}

TEST(ArrowStream, HasBatchesThatManyThreadsReleaseInAnyOrderWhenEverythingElseIsGone) {
  create_types();
  psql(
      "create table arrow_released as select i as id, 'text ' || i as name, i::numeric(10,2) as price, "
      "case i % 3 when 0 then 'happy' when 1 then 'sad' end::arrow_mood as mood, array[i, null] as list, "
      "row(i, 'x', array[true])::arrow_thing as thing from generate_series(1, 20000) i");
  const arrow_options how{.max_rows = 500, .dictionaries = true};
  std::vector<ArrowArray> arrays;
  ArrowSchema schema{};
  {
    parallel_options over;
    over.connections = 3;
    const relation all = arrow_relation(from("arrow_released").of_columns(), how);
    ArrowArrayStream stream{};
    arrow_reader{parallel_range{dsn(), all, over}, how}.export_to(&stream);
    ASSERT_EQ(stream.get_schema(&stream, &schema), 0);
    for (ArrowArray next{}; stream.get_next(&stream, &next) == 0 && next.release != nullptr; next = {})
      arrays.push_back(next);
    stream.release(&stream);
  }
  ASSERT_GE(arrays.size(), 40U);
  std::ranges::shuffle(arrays, std::minstd_rand{7});
  std::atomic<std::int64_t> rows{0};
  std::vector<std::thread> threads;
  constexpr std::size_t count = 4;
  for (std::size_t first = 0; first < count; ++first)
    threads.emplace_back([&, first] {
      for (std::size_t i = first; i < arrays.size(); i += count) {
        ArrowArray child = *arrays[i].children[i % 6];  // taken from it, and released after it
        arrays[i].children[i % 6]->release = nullptr;
        rows += arrays[i].length;
        arrays[i].release(&arrays[i]);
        EXPECT_FALSE(text_at(*schema.children[i % 6], child, child.length - 1).empty());
        child.release(&child);
      }
    });
  for (std::thread& each : threads) each.join();
  schema.release(&schema);
  EXPECT_EQ(rows, 20'000);
}

TEST(ArrowStream, IsGivenUpBeforeItsEnd) {
  client db{dsn()};
  ArrowArrayStream stream{};
  db.arrow(sql("select generate_series(1, 10000000) i"), {.max_rows = 10}).export_to(&stream);
  ArrowArray first{};
  ASSERT_EQ(stream.get_next(&stream, &first), 0);
  stream.release(&stream);
  EXPECT_EQ(first.length, 10);
  first.release(&first);
  EXPECT_TRUE(db.is_idle());
}

TEST(ArrowStream, ReportsErrorsAsNumbersAndText) {
  client db{dsn()};
  ArrowArrayStream stream{};
  db.arrow(sql("select 1 / (1 - i) from generate_series(0, 1) i")).export_to(&stream);
  ArrowArray array{};
  ASSERT_EQ(stream.get_next(&stream, &array), 0);
  EXPECT_EQ(stream.get_last_error(&stream), nullptr);
  array.release(&array);
  EXPECT_EQ(stream.get_next(&stream, &array), EIO);
  ASSERT_NE(stream.get_last_error(&stream), nullptr);
  EXPECT_NE(std::string{stream.get_last_error(&stream)}.find("division by zero"), std::string::npos);
  stream.release(&stream);
  db.arrow(sql("select inet '::1'")).export_to(&stream);
  ArrowSchema schema{};
  EXPECT_EQ(stream.get_schema(&stream, &schema), EINVAL);
  stream.release(&stream);
}

TEST(ArrowIpc, IsTheSameIntoAStreamAndFromACoroutine) {
  const query ask = sql("select i, i::text from generate_series(1, 100) i");
  const arrow_options how{.max_rows = 30};
  client db{dsn()};
  std::ostringstream blocking;
  arrow_reader batches = db.arrow(ask, how);
  EXPECT_EQ(write_arrow(batches, blocking), 100U);
  const std::string bytes = blocking.str();
  EXPECT_EQ(bytes.size() % 8, 0U);
  EXPECT_EQ(bytes.substr(0, 4), "\xff\xff\xff\xff");
  EXPECT_EQ(bytes.substr(bytes.size() - 8), (std::string{"\xff\xff\xff\xff\0\0\0\0", 8}));

  std::string received;
  const auto work = [&]() -> asio::awaitable<std::uint64_t> {
    const auto on = co_await asio::this_coro::executor;
    asio::local::stream_protocol::socket from{on};
    asio::local::stream_protocol::socket to{on};
    asio::local::connect_pair(from, to);
    std::thread reader{[&] {
      sluice::wire::asio_code end;
      asio::read(to, asio::dynamic_buffer(received), end);
    }};
    connection other = co_await connect(dsn());
    auto batches_of_other = co_await other.arrow(ask, how);
    const std::uint64_t rows = co_await write_arrow(batches_of_other, from);
    from.close();
    reader.join();
    co_return rows;
  };
  EXPECT_EQ(sluice::test::run(work()), 100U);
  EXPECT_EQ(received, bytes);
}

}  // namespace
}  // namespace arrow_test
