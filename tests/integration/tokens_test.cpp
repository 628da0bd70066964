// Every asynchronous call accepts completion tokens: callbacks, futures, cancellation slots.
#include <gtest/gtest.h>

#include <array>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/io_context.hpp>
#include <asio/local/connect_pair.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <chrono>
#include <cstdint>
#include <future>
#include <optional>
#include <sluice/arrow/ipc.hpp>
#include <sluice/arrow/partitions.hpp>
#include <sluice/sluice.hpp>
#include <sluice/stream/async.hpp>
#include <sluice/stream/batch.hpp>
#include <sluice/stream/change_fan_out.hpp>
#include <sluice/stream/changes.hpp>
#include <sluice/stream/copy.hpp>
#include <sluice/stream/document_writer.hpp>
#include <sluice/stream/in_transaction.hpp>
#include <sluice/stream/partitions.hpp>
#include <sluice/stream/single_row.hpp>
#include <sluice/stream/typed_stream.hpp>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "asking.hpp"
#include "cluster.hpp"
#include "followed.hpp"

namespace tokens_test {
namespace {

using namespace sluice::test;
using namespace std::chrono_literals;
using sluice::errc;
using sluice::from;
using sluice::leaving;
using sluice::query;
using sluice::sql;

const sluice::query_options in_pages{.mode = sluice::fetch_mode::paged, .page_rows = 2};

query numbers(int last) { return sql("select to_json(n) from generate_series(1, $1) n", last).as_document(); }
query endless(const std::string& words) {
  return sql("select to_json(n) from generate_series(1, 2) n, pg_sleep(600) " + words).as_document();
}

sluice::relation table() {
  static const std::string made = psql(
      "create table token_numbers as select json_build_object('n', n) as data from generate_series(1, 1000) n; "
      "analyze token_numbers; select ''");
  (void)made;
  return from("token_numbers");
}

int count(const sluice::chunk& rows) {
  int all = 0;
  for (const sluice::row each : rows) all += each.is_null() ? 0 : 1;
  return all;
}

class Tokens : public testing::Test {
 protected:
  /// A thread of Asio may complete a future, so running out of work on the context is not enough.
  template <class Condition>
  void run_until(const Condition& is_done) {
    const auto latest = std::chrono::steady_clock::now() + 30s;
    while (!is_done() && std::chrono::steady_clock::now() < latest) {
      context_.restart();
      context_.run_one_for(5ms);
    }
    ASSERT_TRUE(is_done()) << "it never completes";
  }

  /// The value, or the exception as an error.
  template <class Start>
  auto by_callback(const Start& start) {
    using result = decltype(start(asio::use_future).get());
    bool is_done = false;
    std::exception_ptr failure;
    std::optional<std::conditional_t<std::is_void_v<result>, bool, result>> got;
    const auto note = [&](std::exception_ptr thrown, auto... value) {
      failure = thrown;
      got.emplace(std::move(value)...);
      is_done = true;
    };
    EXPECT_NO_THROW(start(note)) << "the handler is to be told";
    EXPECT_FALSE(is_done) << "inside the call that begins it";
    run_until([&] { return is_done; });
    if (failure) std::rethrow_exception(failure);
    if constexpr (!std::is_void_v<result>) return std::move(*got);
  }
  template <class Start>
  auto by_future(const Start& start) {
    auto done = start(asio::use_future);
    run_until([&] { return done.wait_for(0s) == std::future_status::ready; });
    return done.get();
  }
  /// The error of a call that is cancelled after `waits` returns.
  template <class Start, class Wait>
  std::error_code cancelled(const Start& start, const Wait& waits) {
    asio::cancellation_signal stop;
    auto done = start(asio::bind_cancellation_slot(stop.slot(), asio::use_future));
    waits();
    stop.emit(asio::cancellation_type::terminal);
    run_until([&] { return done.wait_for(0s) == std::future_status::ready; });
    return failure_of([&] { (void)done.get(); });
  }
  template <class Start>
  std::error_code cancelled_at_once(const Start& start) {
    return cancelled(start, [] {});
  }
  /// Cancels the call once the context has nothing left to run but a pending wait.
  template <class Start>
  std::error_code cancelled_in_its_wait(const Start& start) {
    return cancelled(start, [this] {
      context_.restart();
      for (int i = 0; i < 50; ++i) context_.run_one_for(2ms);
    });
  }
  template <class Call>
  static std::error_code failure_of(const Call& call) {
    try {
      call();
    } catch (const sluice::error& e) {
      return e.code();
    } catch (const std::system_error& e) {
      ADD_FAILURE() << "an error that is not ours: " << e.what();
    }
    return {};
  }

  [[nodiscard]] sluice::connection connected() {
    return by_future([&](auto token) { return sluice::connect(on_, dsn(), {}, token); });
  }
  [[nodiscard]] sluice::row_stream streamed(sluice::connection& db, const query& what, sluice::query_options how = {}) {
    return by_future([&](auto token) { return db.stream(what, how, token); });
  }

  asio::io_context context_{1};
  asio::any_io_executor on_{context_.get_executor()};
};

TEST_F(Tokens, ConnectionsAndTheirStreams) {
  const auto connect = [&](auto token) { return sluice::connect(on_, dsn(), {}, token); };
  sluice::connection db = by_callback(connect);
  EXPECT_TRUE(db.is_idle());
  const sluice::conninfo info = sluice::conninfo::parse(dsn());
  EXPECT_TRUE(by_future([&](auto token) { return sluice::connect(on_, info, {}, token); }).is_idle());

  const auto execute = [&](auto token) { return db.execute("select 1", {}, token); };
  EXPECT_EQ(by_callback(execute).tag, "SELECT 1");
  EXPECT_EQ(by_future(execute).tag, "SELECT 1");

  const auto stream = [&](auto token) { return db.stream(numbers(4), in_pages, token); };
  sluice::row_stream one = by_callback(stream);
  sluice::row_stream two = by_future(stream);
  by_callback([&](auto token) { return one.pause({}, token); });
  by_future([&](auto token) { return two.pause({}, token); });
  EXPECT_EQ(one.stats().pauses, 1U);
  EXPECT_EQ(count(by_callback([&](auto token) { return one.next(token); })), 2);
  EXPECT_EQ(count(by_future([&](auto token) { return two.next(token); })), 2);
  EXPECT_NE(by_callback([&](auto token) { return two.cancel(token); }), leaving::closed);
  EXPECT_NE(by_future([&](auto token) { return one.cancel(token); }), leaving::closed);
  EXPECT_TRUE(db.is_idle());

  const auto typed = [&](auto token) { return db.stream<int>(numbers(4), in_pages, token); };
  sluice::typed_stream<int> first = by_callback(typed);
  sluice::typed_stream<int> second = by_future(typed);
  by_callback([&](auto token) { return first.pause({}, token); });
  for (const int each : by_callback([&](auto token) { return first.next(token); })) EXPECT_GT(each, 0);
  for (const int each : by_future([&](auto token) { return second.next(token); })) EXPECT_GT(each, 0);
  EXPECT_NE(by_callback([&](auto token) { return second.cancel(token); }), leaving::closed);
  EXPECT_NE(by_future([&](auto token) { return first.cancel(token); }), leaving::closed);
  EXPECT_TRUE(db.is_idle());

  const std::vector<query> both{numbers(1), numbers(2)};
  EXPECT_EQ(by_callback([&](auto token) { return db.send(both, {}, token); }).remaining(), 2U);
  sluice::pipeline results = by_future([&](auto token) { return db.send(both, {}, token); });
  sluice::row_stream of_one = by_callback([&](auto token) { return results.next(token); });
  EXPECT_EQ(count(by_future([&](auto token) { return of_one.next(token); })), 1);
  EXPECT_EQ(count(by_future([&](auto token) { return of_one.next(token); })), 0);
  sluice::row_stream of_two = by_future([&](auto token) { return results.next(token); });
  EXPECT_EQ(count(by_future([&](auto token) { return of_two.next(token); })), 2);
}

TEST_F(Tokens, TransactionsAndCopies) {
  sluice::connection db = connected();
  const auto make = [&](auto token) {
    return db.execute("drop table if exists token_rows; create table token_rows (n int)", {}, token);
  };
  EXPECT_EQ(by_future(make).tag, "CREATE TABLE");
  sluice::transaction tx = by_future([&](auto token) { return db.begin({}, token); });
  const sluice::query one = sql("insert into token_rows values ($1)", 1);
  EXPECT_EQ(by_future([&](auto token) { return tx.execute(one, {}, token); }).affected_rows, 1U);
  EXPECT_EQ(by_future([&](auto token) { return tx.execute("select 1", {}, token); }).affected_rows, 1U);
  {
    sluice::transaction inner = by_future([&](auto token) { return tx.begin({}, token); });
    EXPECT_EQ(by_future([&](auto token) { return inner.execute(one, {}, token); }).affected_rows, 1U);
    by_future([&](auto token) { return inner.rollback({}, token); });
  }
  {
    sluice::copy_writer to = by_future([&](auto token) { return tx.copy_into("token_rows", {"n"}, {}, token); });
    by_future([&](auto token) { return to.write(std::tuple{2}, token); });
    EXPECT_EQ(by_future([&](auto token) { return to.finish(token); }), 1U);
    sluice::copy_data_writer text =
        by_future([&](auto token) { return tx.copy_data("copy token_rows from stdin", {}, token); });
    by_future([&](auto token) { return text.write("3\n4\n", token); });
    EXPECT_EQ(by_future([&](auto token) { return text.finish(token); }), 2U);
  }
  {
    sluice::row_stream rows =
        by_future([&](auto token) { return tx.stream(sql("select * from token_rows"), {}, token); });
    EXPECT_EQ(count(by_future([&](auto token) { return rows.next(token); })), 4);
    by_future([&](auto token) { return rows.next(token); });
  }
  sluice::batch_writer batch = tx.batch("update token_rows set n = n where n = $1");
  by_future([&](auto token) { return batch.write(std::tuple{1}, token); });
  EXPECT_EQ(by_future([&](auto token) { return batch.finish(token); }).rows, 1U);
  by_future([&](auto token) { return tx.commit({}, token); });

  sluice::pool shared{on_, dsn(), {.max_size = 1}};
  EXPECT_EQ(by_future([&](auto token) { return shared.execute(one, {}, token); }).tag, "INSERT 0 1");
  sluice::transaction of_pool = by_future([&](auto token) { return shared.begin({}, token); });
  EXPECT_EQ(by_future([&](auto token) { return of_pool.execute(one, {}, token); }).tag, "INSERT 0 1");
  by_future([&](auto token) { return of_pool.commit({}, token); });
  EXPECT_TRUE(by_future([&](auto token) { return shared.drain(10s, token); }));
}

TEST_F(Tokens, PoolsAndTheirStreams) {
  sluice::pool shared{on_, dsn(), {.min_size = 1, .max_size = 2}};
  by_callback([&](auto token) { return shared.warm_up(token); });
  by_future([&](auto token) { return shared.warm_up(token); });
  EXPECT_EQ(shared.stats().idle, 1U);
  EXPECT_TRUE(by_callback([&](auto token) { return shared.acquire(token); }));
  EXPECT_TRUE(by_future([&](auto token) { return shared.acquire(token); }));

  sluice::pooled_stream rows = shared.stream(numbers(9), in_pages);
  EXPECT_EQ(count(by_callback([&](auto token) { return rows.next(token); })), 2);
  by_callback([&](auto token) { return rows.pause({}, token); });
  EXPECT_EQ(count(by_future([&](auto token) { return rows.next(token); })), 2);
  by_future([&](auto token) { return rows.pause({}, token); });
  EXPECT_NE(by_callback([&](auto token) { return rows.cancel(token); }), leaving::closed);
  EXPECT_NE(by_future([&](auto token) { return rows.cancel(token); }), leaving::closed);
  auto typed = shared.stream<int>(numbers(9), in_pages);
  EXPECT_TRUE(by_callback([&](auto token) { return typed.next(token); }));
  EXPECT_NE(by_future([&](auto token) { return typed.cancel(token); }), leaving::closed);

  EXPECT_TRUE(by_callback([&](auto token) { return shared.drain(10s, token); }));
  EXPECT_TRUE(by_future([&](auto token) { return shared.drain(10s, token); }));
}

TEST_F(Tokens, ReadingInParallel) {
  const auto what = table();
  const auto begin = [&](auto token) { return sluice::stream_in_parallel(on_, dsn(), what, {}, token); };
  sluice::parallel_stream rows = by_callback(begin);
  EXPECT_GT(count(by_callback([&](auto token) { return rows.next(token); })), 0);
  (void)by_future([&](auto token) { return rows.next(token); });
  EXPECT_NE(by_callback([&](auto token) { return rows.cancel(token); }), leaving::closed);
  sluice::parallel_stream again = by_future(begin);
  EXPECT_NE(by_future([&](auto token) { return again.cancel(token); }), leaving::closed);

  using number = std::map<std::string, int>;
  auto typed = by_callback([&](auto token) { return sluice::stream_in_parallel<number>(on_, dsn(), what, {}, token); });
  for (const number& each : by_future([&](auto token) { return typed.next(token); })) EXPECT_EQ(each.size(), 1U);

  std::uint64_t seen = 0;
  const sluice::chunk_consumer use = [&seen](sluice::chunk some, std::uint32_t) -> asio::awaitable<void> {
    seen += static_cast<std::uint64_t>(count(some));
    co_return;
  };
  const auto each = [&](auto token) { return sluice::for_each_in_parallel(on_, dsn(), what, use, {}, token); };
  EXPECT_EQ(by_callback(each).rows, 1000U);
  EXPECT_EQ(by_future(each).rows, 1000U);
  EXPECT_EQ(seen, 2000U);
  const auto explain = [&](auto token) { return sluice::explain_in_parallel(on_, dsn(), what, {}, token); };
  EXPECT_EQ(by_callback(explain), by_future(explain));
}

TEST_F(Tokens, Notifications) {
  sluice::notifications news{dsn(), {"tokens"}};
  by_callback([&](auto token) { return news.listen(on_, token); });
  by_future([&](auto token) { return news.listen(on_, token); });
  psql("notify tokens, 'one'");
  psql("notify tokens, 'two'");
  EXPECT_EQ(by_callback([&](auto token) { return news.next(on_, token); }).what.payload, "one");
  EXPECT_EQ(by_future([&](auto token) { return news.next(on_, token); }).what.payload, "two");
}

TEST_F(Tokens, EndWithTheirObjectThatIsGoneBeforeTheyHaveBegun) {
  std::error_code how;
  bool is_done = false;
  {
    sluice::notifications gone{dsn(), {"tokens"}};
    gone.next(context_.get_executor(), [&](std::exception_ptr failure, const sluice::listen_event&) {
      is_done = true;
      try {
        std::rethrow_exception(failure);
      } catch (const sluice::error& e) {
        how = e.code();
      }
    });
  }
  run_until([&] { return is_done; });
  EXPECT_EQ(how, errc::cancelled);
}

TEST_F(Tokens, SingleRowsAndRunsOfATransaction) {
  sluice::connection db = connected();
  const query sum = sql("select sum(n) from generate_series(1, $1) n", 4);
  const query none = sql("select 1 where false");
  EXPECT_EQ(by_callback([&](auto token) { return sluice::value<int>(db, sum, {}, token); }), 10);
  EXPECT_EQ(by_future([&](auto token) { return sluice::one_row<int>(db, sum, {}, token); }), std::tuple{10});
  EXPECT_FALSE(by_future([&](auto token) { return sluice::optional_row<int>(db, none, {}, token); }));
  EXPECT_EQ(failure_of([&] { by_callback([&](auto token) { return sluice::value<int>(db, none, {}, token); }); }),
            errc::unexpected_rows);

  const auto body = [&](sluice::transaction& tx) -> asio::awaitable<int> {
    sluice::typed_stream<int> rows = co_await tx.stream<int>(numbers(1), {}, asio::use_awaitable);
    const auto first = co_await rows.next();
    for (const int each : first) co_return each;
    co_return 0;
  };
  const auto nothing = [](sluice::transaction&) -> asio::awaitable<void> { co_return; };
  const sluice::retry_options once{.attempts = 1};
  sluice::pool shared{on_, dsn()};
  EXPECT_EQ(by_callback([&](auto token) { return sluice::in_transaction(db, body, once, {}, token); }), 1);
  EXPECT_EQ(by_future([&](auto token) { return sluice::in_transaction(shared, body, once, {}, token); }), 1);
  by_future([&](auto token) { return sluice::in_transaction(shared, nothing, once, {}, token); });
  EXPECT_TRUE(by_future([&](auto token) { return shared.acquire(sluice::trace_context{}, token); }));
}

TEST_F(Tokens, RowsOfAnyNumberOfValues) {
  sluice::connection db = connected();
  by_future([&](auto token) { return db.execute("create temporary table token_wide (n int)", {}, token); });
  sluice::copy_writer to = by_future([&](auto token) { return db.copy_into("token_wide", {"n"}, {}, token); });
  const auto value = [](sluice::binary_place& place, std::size_t) { place.write(1); };
  by_callback([&](auto token) { return to.write_each(value, token); });
  EXPECT_EQ(by_future([&](auto token) { return to.finish(token); }), 1U);
  sluice::batch_writer batch = db.batch("insert into token_wide values ($1)");
  std::array<sluice::bind_value, 1> row{sluice::bind_value{2}};
  by_callback([&](auto token) { return batch.write_row(row, token); });
  EXPECT_EQ(by_future([&](auto token) { return batch.finish(token); }).rows, 1U);
}

TEST_F(Tokens, ArrowBatches) {
  sluice::connection db = connected();
  const query what = sql("select n from generate_series(1, 3) n");
  const auto begin = [&](auto token) { return db.arrow(what, {}, {}, token); };
  {
    sluice::arrow_stream<sluice::row_stream> batches = by_callback(begin);
    EXPECT_EQ(by_callback([&](auto token) { return batches.schema(token); }).schema().n_children, 1);
    EXPECT_EQ(by_future([&](auto token) { return batches.next(token); }).rows(), 3);
    EXPECT_FALSE(by_future([&](auto token) { return batches.next(token); }));
  }
  asio::local::stream_protocol::socket ours{context_};
  asio::local::stream_protocol::socket theirs{context_};
  asio::local::connect_pair(ours, theirs);
  {
    sluice::arrow_stream<sluice::row_stream> batches = by_future(begin);
    EXPECT_EQ(by_callback([&](auto token) { return sluice::write_arrow(batches, ours, token); }), 3U);
  }
  const sluice::partitions all =
      by_future([&](auto token) { return sluice::partitions::of(on_, dsn(), what, {.count = 1}, token); });
  sluice::arrow_stream<sluice::partition_stream> part = by_callback(
      [&](auto token) { return sluice::open_arrow_partition(db, all.descriptors().front(), {}, {}, token); });
  EXPECT_EQ(by_future([&](auto token) { return part.next(token); }).rows(), 3);
}

TEST_F(Tokens, Changes) {
  const published here{"token_changes"};
  const sluice::conninfo info = sluice::conninfo::parse(dsn());
  sluice::change_stream changes =
      by_callback([&](auto token) { return sluice::follow(on_, dsn(), here.kept(), token); });
  const auto lag = [&](auto token) { return sluice::lag_of(on_, info, here.name(), {}, token); };
  EXPECT_TRUE(by_callback(lag).is_active);
  EXPECT_TRUE(by_future([&](auto token) { return changes.lag(token); }).is_active);
  here.run("insert into t values (1, 'one')");
  EXPECT_TRUE(by_callback([&](auto token) { return changes.next(token); }));
  by_future([&](auto token) { return changes.close(token); });
  EXPECT_FALSE(by_future(lag).is_active);

  sluice::change_fan_out all{by_future([&](auto token) { return sluice::follow(on_, info, here.kept(), token); })};
  sluice::change_subscriber one = all.subscribe();
  EXPECT_TRUE(by_callback([&](auto token) { return one.next(token); })) << "nothing was acknowledged before";
  by_callback([&](auto token) { return all.close(token); });
  const sluice::change_fan_out moved = std::move(all);
  // NOLINTNEXTLINE(bugprone-use-after-move): a moved-from object is what is tested
  EXPECT_EQ(failure_of([&] { all.close([](std::exception_ptr) { FAIL() << "it was called"; }); }), errc::bad_state);
}

TEST_F(Tokens, WritingDocuments) {
  asio::local::stream_protocol::socket ours{context_};
  asio::local::stream_protocol::socket theirs{context_};
  asio::local::connect_pair(ours, theirs);
  sluice::connection db = connected();
  const auto write = [&](sluice::row_stream& rows) {
    return [&](auto token) { return sluice::write_documents(rows, ours, sluice::document_format::ndjson, token); };
  };
  sluice::row_stream rows = streamed(db, numbers(3));
  EXPECT_EQ(by_callback(write(rows)), 3U);
  rows = streamed(db, numbers(2));
  EXPECT_EQ(by_future(write(rows)), 2U);
  std::string text(10, '\0');
  EXPECT_EQ(theirs.read_some(asio::buffer(text)), 10U);
  EXPECT_EQ(text, "1\n2\n3\n1\n2\n");
}

TEST_F(Tokens, EndWithOurErrorWhenCancelledBeforeTheyHaveBegun) {
  const auto what = table();
  const auto expect_cancelled = [&](const auto& start) { EXPECT_EQ(cancelled_at_once(start), errc::cancelled); };
  sluice::connection db = connected();
  sluice::pool shared{on_, dsn()};
  sluice::pooled_stream pooled = shared.stream(numbers(3));
  sluice::notifications news{dsn(), {"tokens"}};
  expect_cancelled([&](auto token) { return sluice::connect(on_, dsn(), {}, token); });
  expect_cancelled([&](auto token) { return db.execute("select 1", {}, token); });
  expect_cancelled([&](auto token) { return db.stream(numbers(3), {}, token); });
  expect_cancelled([&](auto token) { return db.stream<int>(numbers(3), {}, token); });
  expect_cancelled([&](auto token) { return db.send({numbers(3)}, {}, token); });
  expect_cancelled([&](auto token) { return shared.acquire(token); });
  expect_cancelled([&](auto token) { return shared.warm_up(token); });
  expect_cancelled([&](auto token) { return pooled.next(token); });
  expect_cancelled([&](auto token) { return news.listen(on_, token); });
  expect_cancelled([&](auto token) { return news.next(on_, token); });
  expect_cancelled([&](auto token) { return sluice::stream_in_parallel(on_, dsn(), what, {}, token); });
  expect_cancelled([&](auto token) { return sluice::explain_in_parallel(on_, dsn(), what, {}, token); });
  expect_cancelled([&](auto token) { return shared.drain(10s, token); });
  EXPECT_TRUE(db.is_idle()) << "nothing was sent";
  sluice::row_stream rows = streamed(db, numbers(3), in_pages);
  expect_cancelled([&](auto token) { return rows.pause({}, token); });
  expect_cancelled([&](auto token) { return rows.cancel(token); });
  expect_cancelled([&](auto token) { return rows.next(token); });
}

TEST_F(Tokens, EndWithOurErrorWhenCancelledWhileTheyWait) {
  const auto expect_cancelled = [&](const auto& start) { EXPECT_EQ(cancelled_in_its_wait(start), errc::cancelled); };
  sluice::connection db = connected();
  expect_cancelled([&](auto token) { return db.execute("select pg_sleep(600) /* token_execute */", {}, token); });
  {
    sluice::row_stream rows = streamed(db, endless("/* token_next */"));
    expect_cancelled([&](auto token) { return rows.next(token); });
  }
  {
    sluice::typed_stream<int> rows =
        by_future([&](auto token) { return db.stream<int>(endless("/* token_typed */"), {}, token); });
    expect_cancelled([&](auto token) { return rows.next(token); });
  }
  sluice::pool shared{on_, dsn(), {.max_size = 1}};
  {
    sluice::pooled_stream rows = shared.stream(endless("/* token_pooled */"));
    expect_cancelled([&](auto token) { return rows.next(token); });
  }
  const sluice::pooled_connection lent = by_future([&](auto token) { return shared.acquire(token); });
  expect_cancelled([&](auto token) { return shared.acquire(token); });
  EXPECT_FALSE(cancelled_in_its_wait([&](auto token) { return shared.drain(600s, token); })) << "it says no, too";
  sluice::notifications news{dsn(), {"tokens"}};
  by_future([&](auto token) { return news.listen(on_, token); });
  expect_cancelled([&](auto token) { return news.next(on_, token); });
  sluice::notifications unheard{"host=/nonexistent user=none", {"tokens"}};
  expect_cancelled([&](auto token) { return unheard.listen(on_, token); });
  EXPECT_EQ(by_future([&](auto token) { return db.execute("select 1", {}, token); }).tag, "SELECT 1");
}

TEST_F(Tokens, ReceiveWhatTheCallItselfRefuses) {
  const auto refused = [&](const auto& start) { return failure_of([&] { (void)by_callback(start); }); };
  EXPECT_EQ(refused([&](auto token) { return sluice::connect(on_, "nonsense", {}, token); }), errc::bad_conninfo);
  sluice::connection db = connected();
  sluice::row_stream rows = streamed(db, numbers(3));
  EXPECT_EQ(refused([&](auto token) { return rows.pause({}, token); }), errc::bad_state);
  EXPECT_EQ(refused([&](auto token) { return db.stream(numbers(3), {}, token); }), errc::bad_state);
  sluice::pool shared{on_, dsn()};
  sluice::pooled_stream unsent = shared.stream(numbers(3));
  EXPECT_EQ(refused([&](auto token) { return unsent.pause({}, token); }), errc::bad_state) << "thrown at once";
}

TEST_F(Tokens, NeedAnObjectThatHasAnExecutor) {
  const auto ignore = [](std::exception_ptr, auto...) { FAIL() << "it was called"; };
  sluice::row_stream none;
  sluice::connection closed;
  sluice::pipeline empty;
  sluice::parallel_stream idle;
  EXPECT_EQ(failure_of([&] { none.next(ignore); }), errc::bad_state);
  EXPECT_EQ(failure_of([&] { closed.execute("select 1", {}, ignore); }), errc::bad_state);
  EXPECT_EQ(failure_of([&] { empty.next(ignore); }), errc::bad_state);
  EXPECT_EQ(failure_of([&] { idle.next(ignore); }), errc::bad_state);
  sluice::pool shared{on_, dsn()};
  sluice::pooled_stream rows = shared.stream(numbers(3));
  const sluice::pooled_stream moved_rows = std::move(rows);
  const sluice::pool moved_pool = std::move(shared);
  // NOLINTBEGIN(bugprone-use-after-move): moved-from objects are what is tested
  EXPECT_EQ(failure_of([&] { rows.next(ignore); }), errc::bad_state);
  EXPECT_EQ(failure_of([&] { shared.acquire(ignore); }), errc::bad_state);
  // NOLINTEND(bugprone-use-after-move)
}

TEST_F(Tokens, CompleteOnTheExecutorOfTheirHandler) {
  sluice::connection db = connected();
  asio::io_context other{1};
  bool is_done = false;
  db.execute(
      "select 1", {},
      asio::bind_executor(other.get_executor(), [&](std::exception_ptr failure, const sluice::command_result& done) {
        EXPECT_FALSE(failure);
        EXPECT_EQ(done.tag, "SELECT 1");
        is_done = true;
      }));
  context_.restart();
  context_.run();
  EXPECT_FALSE(is_done);
  other.run();
  EXPECT_TRUE(is_done);
}

asio::awaitable<void> await_by_token(bool& is_done) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  sluice::connection db = co_await sluice::connect(here, dsn(), {}, asio::use_awaitable);
  sluice::row_stream rows = co_await db.stream(numbers(3), {}, asio::use_awaitable);
  const sluice::chunk first = co_await rows.next(asio::use_awaitable);
  EXPECT_EQ(count(first), 3);
  is_done = true;
}

TEST_F(Tokens, MayBeThatOfACoroutine) {
  bool is_done = false;
  by_future([&](auto token) { return asio::co_spawn(on_, await_by_token(is_done), token); });
  EXPECT_TRUE(is_done);
}

}  // namespace
}  // namespace tokens_test
