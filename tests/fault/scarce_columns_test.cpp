// Failing allocations while columns are read and written as Arrow: allocations of a session fail in turn, those of
// the arrays' buffers included. Every failure is an error that the caller sees, nothing leaks, and the program goes on.
// A separate program, because it replaces operator new.
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <sluice/arrow/copy.hpp>
#include <sluice/arrow/ipc.hpp>
#include <sluice/arrow/reader.hpp>
#include <sluice/arrow/stream.hpp>
#include <sluice/sluice.hpp>
#include <sluice/stream/copy.hpp>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>

#include "cluster.hpp"
#include "counted_memory.hpp"
#include "faces.hpp"
#ifdef SLUICE_ADBC_DRIVER
#include "loaded_driver.hpp"
#endif

// The buffers of arrays come from here.
// NOLINTBEGIN(misc-*,cppcoreguidelines-*)
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  void* memory = nullptr;
  if (sluice::test::counted.fails_now() || ::posix_memalign(&memory, alignment, size) != 0) return nullptr;
  return memory;
}
// simdjson, which reads the descriptors of partitions, does not look whether it got its buffer for strings.
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return std::malloc(size); }
// The rest of them, because sanitizers compare how memory came and goes.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return sluice::test::counted.fails_now() ? nullptr : std::malloc(size);
}
void* operator new[](std::size_t size) { return operator new(size); }
void operator delete[](void* memory) noexcept { operator delete(memory); }
void operator delete[](void* memory, std::size_t) noexcept { operator delete(memory); }
// NOLINTEND(misc-*,cppcoreguidelines-*)

namespace {

using namespace sluice;
using namespace sluice::test;

constexpr std::uint64_t row_count{7};
constexpr arrow_options bounds{.max_rows = 3, .dictionaries = true};

/// Columns of every kind of builder.
query everything() {
  return sql(
      "select i, i % 2 = 0 as flag, i::numeric(12,2) as price, i::numeric as total, 'text ' || i as name, "
      "case when i % 3 = 0 then 'happy'::scarce_mood end as mood, array[i, null] as list, row(i, 'x')::scarce_pair as "
      "pair, jsonb_build_object('i', i) as doc from generate_series(1, 7) i");
}

/// Runs a session again and again, in each of which another allocation fails: every seventh, or as
/// SLUICE_ALLOCATION_STEP says.
/// @param session  gets a function to call before the first allocation that may fail; returns the number of its rows,
/// and
///                 reports a failure by an exception
/// @return how many sessions failed
template <class Session>
int with_each_allocation_failing(const Session& session) {
  constexpr std::size_t most{5'000};
  const char* const text = std::getenv("SLUICE_ALLOCATION_STEP");
  const std::size_t step = text == nullptr ? 7 : static_cast<std::size_t>(std::stoul(text));
  EXPECT_EQ(session([] {}), row_count);  // makes the allocations that happen only once
  int failures = 0;
  for (std::size_t nth = 0; nth < most; nth += step) {
    SCOPED_TRACE("allocation " + std::to_string(nth));
    counted.has_failed = false;
    try {
      const std::uint64_t rows = session([nth] { counted.until_failure = nth; });
      counted.until_failure = memory::never;
      EXPECT_EQ(rows, row_count) << "rows are missing, and there was no error";
      if (!counted.has_failed) return failures;
    } catch (const error& why) {
      counted.until_failure = memory::never;
      EXPECT_EQ(why.code(), errc::out_of_memory) << why.what();
      ++failures;
    } catch (const std::bad_alloc&) {
      ++failures;
    } catch (const std::system_error& why) {  // of a stream of batches that is read
      counted.until_failure = memory::never;
      EXPECT_EQ(why.code(), std::errc::not_enough_memory) << why.what();
      ++failures;
    }
    counted.until_failure = memory::never;
  }
  ADD_FAILURE() << "no session needs so many allocations";
  return failures;
}

class ScarceColumns : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    psql(
        "create type scarce_mood as enum ('sad', 'happy'); create type scarce_pair as (n int4, t text); "
        "create table scarce_columns (i int4, name text)");
  }
  static void TearDownTestSuite() { psql("drop table scarce_columns; drop type scarce_mood; drop type scarce_pair"); }
};

TEST_F(ScarceColumns, BecomeBatchesOrAnError) {
  const auto session = [](const auto& begin) {
    client db{dsn()};
    begin();
    std::uint64_t rows = 0;
    arrow_reader batches = db.arrow(everything(), bounds);
    while (const arrow_batch batch = batches.next()) rows += batch.rows();
    return rows;
  };
  EXPECT_GT(with_each_allocation_failing(session), 5);
}

TEST_F(ScarceColumns, BecomeAStreamThatReportsIt) {
  const auto session = [](const auto& begin) {
    client db{dsn()};
    arrow_reader batches = db.arrow(everything(), bounds);
    begin();
    ArrowArrayStream stream{};
    batches.export_to(&stream);
    ArrowSchema schema{};
    std::uint64_t rows = 0;
    int number = stream.get_schema(&stream, &schema);
    if (number == 0) schema.release(&schema);
    while (number == 0) {
      ArrowArray array{};
      number = stream.get_next(&stream, &array);
      if (number != 0 || array.release == nullptr) break;
      rows += static_cast<std::uint64_t>(array.length);
      array.release(&array);
    }
    counted.until_failure = memory::never;
    EXPECT_TRUE(number == 0 || number == ENOMEM) << number;
    stream.release(&stream);
    if (number != 0) throw std::bad_alloc{};
    return rows;
  };
  EXPECT_GT(with_each_allocation_failing(session), 5);
}

TEST_F(ScarceColumns, BecomeAnIpcStreamOrAnError) {
  const auto session = [](const auto& begin) {
    client db{dsn()};
    std::ostringstream to;
    to.exceptions(std::ios::badbit);
    arrow_reader batches = db.arrow(everything(), bounds);
    (void)batches.schema();
    begin();
    return write_arrow(batches, to);
  };
  EXPECT_GT(with_each_allocation_failing(session), 5);
}

asio::awaitable<void> read_in_a_coroutine(std::uint64_t& rows, const std::function<void()>& begin) {
  connection db = co_await connect(dsn());
  const query what = everything();
  begin();
  arrow_stream batches = co_await db.arrow(what, bounds);
  while (const arrow_batch batch = co_await batches.next()) rows += batch.rows();
}
TEST_F(ScarceColumns, BecomeBatchesInACoroutineOrAnError) {
  const auto session = [](const auto& begin) {
    std::uint64_t rows = 0;
    run(read_in_a_coroutine(rows, begin));
    return rows;
  };
  EXPECT_GT(with_each_allocation_failing(session), 5);
}

TEST_F(ScarceColumns, AreStoredFromAStreamOrNotAtAll) {
  int whole = 0;
  const auto session = [&](const auto& begin) {
    client from{dsn()};
    client to{dsn()};
    ArrowArrayStream batches{};
    from.arrow(sql("select i, 'text ' || i as name from generate_series(1, 7) i"), bounds).export_to(&batches);
    struct ending {
      ArrowArrayStream& of;
      ~ending() {
        if (of.release != nullptr) of.release(&of);  // it was not taken over
      }
    } const end{batches};
    blocking_copy_writer rows = to.copy_into("scarce_columns", {"i", "name"});
    begin();
    write_arrow(batches, rows);
    const std::uint64_t stored = rows.finish();
    ++whole;
    return stored;
  };
  EXPECT_GT(with_each_allocation_failing(session), 5);
  EXPECT_EQ(psql("select count(*) from scarce_columns"), std::to_string(7 * whole));
}

#ifdef SLUICE_ADBC_DRIVER

/// Calls of a driver of which the first that fails ends the session.
class watched_calls {
 public:
  ~watched_calls() {
    if (error_.release != nullptr) error_.release(&error_);
  }
  /// @return whether it worked
  template <class Function, class... Arguments>
  bool operator()(Function function, Arguments... arguments) {
    if (has_failed_) return false;
    const AdbcStatusCode code = function(arguments..., &error_);
    if (code == 0) return true;
    has_failed_ = true;
    counted.until_failure = memory::never;
    // Without memory to tidy up after a look at the columns, the connection is closed, which the next call says.
    const std::string_view what{error_.message};
    const bool is_closed = what.find("the connection is closed") != what.npos;
    EXPECT_TRUE(is_closed || what.find("memory") != what.npos) << what;
    EXPECT_EQ(code, static_cast<AdbcStatusCode>(is_closed ? status::invalid_state : status::internal));
    return false;
  }
  /// Counts the rows of a stream, and releases it.
  void read(ArrowArrayStream& stream, std::uint64_t& rows) {
    if (stream.release == nullptr) return;
    int number = 0;
    while (!has_failed_) {
      ArrowArray array{};
      number = stream.get_next(&stream, &array);
      if (number != 0 || array.release == nullptr) break;
      rows += static_cast<std::uint64_t>(array.length);
      array.release(&array);
    }
    if (number != 0) has_failed_ = true;
    stream.release(&stream);
  }
  void require_good() const {
    if (has_failed_) throw std::bad_alloc{};
  }

 private:
  AdbcError error_{.message = nullptr,
                   .vendor_code = sluice::adbc::has_private_data,
                   .sqlstate = {},
                   .release = nullptr,
                   .private_data = nullptr,
                   .private_driver = nullptr};
  bool has_failed_{false};
};

/// Releases a handle, which must work without memory, too.
template <class Handle>
struct released {
  AdbcStatusCode (*release)(Handle*, AdbcError*);
  Handle it{};

  ~released() {
    if (it.private_data == nullptr) return;
    EXPECT_EQ(release(&it, nullptr), 0);
  }
};

TEST_F(ScarceColumns, AreReadThroughTheDriverOrAnError) {
  const auto session = [](const auto& begin) {
    adbc_connection on;
    begin();
    watched_calls attempt;
    std::uint64_t rows = 0;
    {
      released<AdbcStatement> statement{driver().StatementRelease};
      ArrowArrayStream stream{};
      attempt(driver().StatementNew, &on, &statement.it);
      attempt(driver().StatementSetOption, &statement.it, "sluice.max_rows", "3");
      attempt(driver().StatementSetSqlQuery, &statement.it,
              "select i, 'text ' || i, array[i], i::numeric from generate_series(1, 7) i");
      attempt(driver().StatementExecuteQuery, &statement.it, &stream, nullptr);
      attempt.read(stream, rows);
    }
    counted.until_failure = memory::never;
    attempt.require_good();
    return rows;
  };
  EXPECT_GT(with_each_allocation_failing(session), 5);
}

TEST_F(ScarceColumns, AreFoundInTheCatalogByTheDriverOrAnError) {
  const auto session = [](const auto& begin) {
    adbc_connection on;
    begin();
    watched_calls attempt;
    std::uint64_t rows = 0;
    ArrowArrayStream objects{};
    ArrowArrayStream facts{};
    ArrowSchema schema{};
    attempt(driver().ConnectionGetObjects, &on, 0, nullptr, "public", "scarce_columns", nullptr, nullptr, &objects);
    std::uint64_t catalogs = 0;
    attempt.read(objects, catalogs);
    attempt(driver().ConnectionGetTableSchema, &on, nullptr, nullptr, "scarce_columns", &schema);
    if (schema.release != nullptr) schema.release(&schema);
    attempt(driver().ConnectionGetInfo, &on, nullptr, std::size_t{0}, &facts);
    attempt.read(facts, rows);
    counted.until_failure = memory::never;
    attempt.require_good();
    EXPECT_GT(rows, 3U);
    return row_count;
  };
  EXPECT_GT(with_each_allocation_failing(session), 5);
}

TEST_F(ScarceColumns, AreIngestedByTheDriverOrAnError) {
  psql("drop table if exists scarce_ingested");
  int whole = 0;
  const auto session = [&](const auto& begin) {
    adbc_connection on;
    ArrowArrayStream from{};
    client other{dsn()};
    other.arrow(sql("select i, 'text ' || i as name from generate_series(1, 7) i"), bounds).export_to(&from);
    begin();
    watched_calls attempt;
    std::int64_t rows = 0;
    {
      released<AdbcStatement> statement{driver().StatementRelease};
      attempt(driver().StatementNew, &on, &statement.it);
      attempt(driver().StatementSetOption, &statement.it, "adbc.ingest.target_table", "scarce_ingested");
      attempt(driver().StatementSetOption, &statement.it, "adbc.ingest.mode", "adbc.ingest.mode.create_append");
      attempt(driver().StatementBindStream, &statement.it, &from);
      attempt(driver().StatementExecuteQuery, &statement.it, nullptr, &rows);
    }
    counted.until_failure = memory::never;
    if (from.release != nullptr) from.release(&from);
    attempt.require_good();
    ++whole;
    return static_cast<std::uint64_t>(rows);
  };
  EXPECT_GT(with_each_allocation_failing(session), 5);
  EXPECT_EQ(psql("select count(*) from scarce_ingested; drop table scarce_ingested"), std::to_string(7 * whole));
}

TEST_F(ScarceColumns, AreDividedByTheDriverOrAnError) {
  psql("create table scarce_parts as select i from generate_series(1, 7) i; analyze scarce_parts");
  const auto session = [](const auto& begin) {
    adbc_connection on;
    begin();
    watched_calls attempt;
    std::uint64_t rows = 0;
    {
      released<AdbcStatement> statement{driver().StatementRelease};
      AdbcPartitions parts{};
      attempt(driver().StatementNew, &on, &statement.it);
      attempt(driver().StatementSetSqlQuery, &statement.it, "select * from scarce_parts");
      attempt(driver().StatementExecutePartitions, &statement.it, nullptr, &parts, nullptr);
      for (std::size_t i = 0; i < parts.num_partitions; ++i) {
        ArrowArrayStream stream{};
        attempt(driver().ConnectionReadPartition, &on, parts.partitions[i], parts.partition_lengths[i], &stream);
        attempt.read(stream, rows);
      }
      if (parts.release != nullptr) parts.release(&parts);
    }
    counted.until_failure = memory::never;
    attempt.require_good();
    return rows;
  };
  EXPECT_GT(with_each_allocation_failing(session), 5);
  psql("drop table scarce_parts");
}

#endif

}  // namespace
