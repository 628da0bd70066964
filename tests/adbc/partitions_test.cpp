// Partitions through the ADBC driver: one snapshot, read by several connections.
#include <gtest/gtest.h>

#include <mutex>
#include <thread>

#include "given_batch.hpp"
#include "loaded_driver.hpp"

namespace {

using namespace sluice::test;

std::vector<std::string> texts_of(const AdbcPartitions& from) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < from.num_partitions; ++i)
    all.emplace_back(reinterpret_cast<const char*>(from.partitions[i]), from.partition_lengths[i]);
  return all;
}
/// The rows of all partitions, each read by a connection and a thread of its own.
std::size_t rows_in(const std::vector<std::string>& partitions) {
  std::size_t rows = 0;
  std::mutex guard;
  std::vector<std::thread> readers;
  for (const std::string& each : partitions)
    readers.emplace_back([&] {
      adbc_connection on;
      owned_stream stream;
      call(driver().ConnectionReadPartition, &on, reinterpret_cast<const std::uint8_t*>(each.data()), each.size(),
           &stream);
      const std::size_t here = all_of(&stream).rows.size();
      const std::lock_guard lock{guard};
      rows += here;
    });
  for (std::thread& each : readers) each.join();
  return rows;
}

TEST(AdbcPartitions, TogetherAreTheRowsOfOneSnapshot) {
  psql("create table adbc_parts as select g id, 'row ' || g t from generate_series(1, 20000) g");
  adbc_connection on;
  adbc_statement run{on, "select * from adbc_parts"};
  run.set("sluice.partitions", "3");
  owned<ArrowSchema> schema;
  owned<AdbcPartitions> partitions;
  std::int64_t affected = 0;
  call(driver().StatementExecutePartitions, &run, &schema, &partitions, &affected);
  EXPECT_EQ(affected, -1);
  EXPECT_STREQ(schema->children[1]->name, "t");
  const std::vector<std::string> texts = texts_of(*partitions);
  EXPECT_EQ(texts.size(), 3U);
  psql("insert into adbc_parts select g from generate_series(1, 5) g");
  EXPECT_EQ(rows_in(texts), 20'000U);
  partitions.release();
  EXPECT_EQ(rows_in(texts), 20'000U) << "the statement keeps the snapshot";
}

TEST(AdbcPartitions, AreThoseOfTheTableThatTheConnectionMeans) {
  psql(
      "create schema \"adbc two\"; create table adbc_twice (n int8); create table \"adbc two\".adbc_twice (n int8); "
      "insert into adbc_twice values (1); insert into \"adbc two\".adbc_twice values (1), (2), (3)");
  adbc_connection on;
  on.set("adbc.connection.db_schema", "adbc two");
  for (const std::string sql : {"select * from adbc_twice", "select n from adbc_twice where n > 0"}) {
    adbc_statement run{on, sql};
    owned<AdbcPartitions> partitions;
    call(driver().StatementExecutePartitions, &run, nullptr, &partitions, nullptr);
    EXPECT_EQ(rows_in(texts_of(*partitions)), 3U) << sql;
  }
}

TEST(AdbcPartitions, AreGoneWithTheirStatement) {
  adbc_connection on;
  std::string text;
  {
    adbc_statement run{on, "select g from generate_series(1, 10) g"};
    owned<AdbcPartitions> partitions;
    call(driver().StatementExecutePartitions, &run, nullptr, &partitions, nullptr);
    EXPECT_EQ(partitions->num_partitions, 1U);
    text = texts_of(*partitions).at(0);
    call(driver().StatementRelease, &run);
    EXPECT_EQ(rows_in({text}), 10U) << "the struct keeps the snapshot";
  }
  wait_until("not exists (select from pg_locks where locktype = 'advisory')");
  owned_stream stream;
  adbc_error error;
  EXPECT_NE(driver().ConnectionReadPartition(&on, reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
                                             &stream, &error),
            0);
  EXPECT_FALSE(error.text().empty());
  EXPECT_EQ(result_of(on, "select 1").rows.size(), 1U);
  refusal(status::invalid_argument, driver().ConnectionReadPartition, &on, reinterpret_cast<const std::uint8_t*>("x"),
          std::size_t{1}, &stream);
}

TEST(AdbcPartitions, AQueryIsDividedByAColumn) {
  for (const char* by : {"sluice.partition_key", "sluice.partition_hash"}) {
    adbc_connection on;
    adbc_statement run{on, "select g id from generate_series(1, 1000) g where g > $1"};
    run.set(by, "id");
    const given_column number{.format = "i", .length = 1, .buffers = {{}, bytes_of<std::int32_t>({100})}};
    ArrowArray values = array_of(batch_of({number}));
    ArrowSchema types = schema_of(batch_of({number}));
    call(driver().StatementBind, &run, &values, &types);
    owned<AdbcPartitions> partitions;
    call(driver().StatementExecutePartitions, &run, nullptr, &partitions, nullptr);
    EXPECT_EQ(partitions->num_partitions, 4U) << by;
    EXPECT_EQ(rows_in(texts_of(*partitions)), 900U) << by;
  }
}

TEST(AdbcPartitions, WhatCannotBeDividedIsOnePartitionOrAnError) {
  psql("create view adbc_parts_seen as select 1 id");
  adbc_connection on;
  adbc_statement run{on, " TABLE  adbc_parts_seen ;"};
  owned<AdbcPartitions> one;
  call(driver().StatementExecutePartitions, &run, nullptr, &one, nullptr);
  EXPECT_EQ(rows_in(texts_of(*one)), 1U);
  run.query("create table adbc_parts_never (id int)");
  owned<AdbcPartitions> none;
  refusal(status::invalid_argument, driver().StatementExecutePartitions, &run, nullptr, &none, nullptr);
  refusal(status::invalid_argument, driver().StatementExecutePartitions, &run, nullptr, nullptr, nullptr);
  EXPECT_EQ(psql("select to_regclass('adbc_parts_never') is null"), "t");
}

}  // namespace
