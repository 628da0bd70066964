// One change stream for many: who gets what, what the server may forget, and subscribers that are slow, fail or leave.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <sluice/stream/change_fan_out.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "followed.hpp"

namespace fan_out_test {
namespace {

using namespace std::chrono_literals;
using namespace sluice::test;
using sluice::change_batch;
using sluice::change_fan_out;
using sluice::change_options;
using sluice::change_stream;
using sluice::change_subscriber;
using sluice::errc;
using sluice::field;
using sluice::position;
using sluice::shared_change;
using sluice::slow_subscriber;
using sluice::subscriber_options;
using testing::ElementsAre;
using testing::HasSubstr;
using strings = std::vector<std::string>;

subscriber_options where(sluice::predicate condition) {
  subscriber_options how;
  how.where = std::move(condition);
  return how;
}
subscriber_options bounded(std::size_t events, slow_subscriber when_full) {
  subscriber_options how;
  how.max_events = events;
  how.when_full = when_full;
  return how;
}

asio::awaitable<change_fan_out> fan_out_of(change_options how) {
  change_stream changes = co_await sluice::follow(dsn(), std::move(how));
  co_return change_fan_out{std::move(changes)};
}

/// The next changes of a subscriber, acknowledged if that is wanted.
asio::awaitable<strings> taken_by(change_subscriber& from, std::size_t count, bool acknowledges = true) {
  strings seen;
  while (seen.size() < count) {
    const change_batch some = co_await from.next();
    if (!some) break;
    for (const shared_change& each : some) seen.push_back(line_of(each));
    if (acknowledges) from.acknowledge(some.last());
  }
  co_return seen;
}

/// What the next `next` throws.
asio::awaitable<std::string> failure_of_next(change_subscriber& from) {
  std::string words{"nothing was thrown"};
  try {
    (void)co_await from.next();
  } catch (const std::exception& e) {
    words = e.what();
  }
  co_return words;
}

asio::awaitable<void> all_get_what_they_want(const published& here) {
  change_fan_out all = co_await fan_out_of(here.passing());
  change_subscriber everything = all.subscribe();
  change_subscriber odd = all.subscribe(where(field("v") == "odd"));
  subscriber_options of_other;
  of_other.table = here.name() + ".fanned_other";
  change_subscriber other = all.subscribe(of_other);
  here.run(
      "insert into t values (1, 'odd'), (2, 'even'); insert into fanned_other values (7); update t set v = 'odd' where "
      "id = 2;"
      "delete from t where id = 1; truncate t; select pg_logical_emit_message(true, 'note', 'hello')");
  const strings seen = co_await taken_by(everything, 7);
  EXPECT_THAT(seen, ElementsAre(R"(insert t {"id":1,"v":"odd"})", R"(insert t {"id":2,"v":"even"})",
                                R"(insert fanned_other {"n":7})", R"(update t {"id":2,"v":"odd"})",
                                R"(delete t key {"id":1})", "truncate t", "message note=hello"));
  const strings odd_ones = co_await taken_by(odd, 4);
  EXPECT_THAT(odd_ones, ElementsAre(R"(insert t {"id":1,"v":"odd"})", R"(update t {"id":2,"v":"odd"})", "truncate t",
                                    "message note=hello"))
      << "of a delete only the key is told, which does not say whether it was odd";
  const strings others = co_await taken_by(other, 1);
  EXPECT_THAT(others, ElementsAre(R"(insert fanned_other {"n":7})"));
}
TEST(FanOut, GivesEachSubscriberWhatItWants) {
  const published here{"what_they_want"};
  here.run("create table fanned_other (n int)");
  run(all_get_what_they_want(here));
}

asio::awaitable<void> one_copy(const published& here) {
  change_fan_out all = co_await fan_out_of(here.passing());
  change_subscriber a = all.subscribe();
  change_subscriber b = all.subscribe(where(field("id") == 1));
  here.run("insert into t values (1, 'shared')");
  const change_batch mine = co_await a.next();
  const change_batch yours = co_await b.next();
  EXPECT_EQ(static_cast<const void*>(mine.begin()->text().data()),
            static_cast<const void*>(yours.begin()->text().data()));
  EXPECT_EQ(&mine.begin()->relation(), &yours.begin()->relation());
}
TEST(FanOut, KeepsOneCopyOfAText) {
  const published here{"one_copy"};
  run(one_copy(here));
}

asio::awaitable<void> count_own(change_subscriber mine, std::size_t& seen) {
  while (const change_batch some = co_await mine.next()) {
    seen += some.size();
    mine.acknowledge(some.last());
  }
}
asio::awaitable<void> serve_a_thousand(const published& here) {
  constexpr std::size_t count = 1000;
  change_fan_out all = co_await fan_out_of(here.passing());
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  std::vector<std::size_t> seen(count);
  const std::size_t before = ::mallinfo2().uordblks;
  for (std::size_t i = 0; i < count; ++i)
    asio::co_spawn(on, count_own(all.subscribe(where(field("id") == i)), seen[i]), asio::detached);
  co_await asio::post(on, asio::use_awaitable);
  EXPECT_LT((::mallinfo2().uordblks - before) / count, 100'000U) << "bytes of an idle subscriber";
  change_subscriber last = all.subscribe(where(field("id") == 5000));
  here.run("insert into t select n, 'x' from generate_series(0, 1999) n; insert into t values (5000, 'last')");
  (void)co_await last.next();
  while (std::ranges::count(seen, 1U) != count) co_await asio::post(on, asio::use_awaitable);
  co_await all.close();
  EXPECT_EQ(all.subscribers(), 0U);
}
TEST(FanOut, ServesAThousandSubscribers) {
  const published here{"thousand_subscribers"};
  run(serve_a_thousand(here));
}

asio::awaitable<void> confirm_what_all_have(const published& here) {
  strings again;
  {
    change_fan_out all = co_await fan_out_of(here.kept());
    change_subscriber quick = all.subscribe();
    change_subscriber slow = all.subscribe(where(field("id") >= 2));
    for (int i = 1; i <= 3; ++i) here.run("insert into t values (" + std::to_string(i) + ", 'x')");
    (void)co_await taken_by(quick, 3);
    (void)co_await taken_by(slow, 2, false);
    co_await all.close();
  }
  {
    change_fan_out all = co_await fan_out_of(here.kept());
    change_subscriber next = all.subscribe();
    const sluice::lsn written = sluice::lsn::parse(psql("select pg_current_wal_lsn()")).value();
    again = co_await taken_by(next, 2);
    EXPECT_THAT(again, ElementsAre(R"(insert t {"id":2,"v":"x"})", R"(insert t {"id":3,"v":"x"})"))
        << "what all have acknowledged, or did not want, is not sent again";
    while (all.progress().acknowledged < written) co_await asio::post(asio::use_awaitable);
    co_await all.close();
  }
  change_fan_out all = co_await fan_out_of(here.kept());
  change_subscriber next = all.subscribe();
  here.run("insert into t values (4, 'x')");
  again = co_await taken_by(next, 1);
  EXPECT_THAT(again, ElementsAre(R"(insert t {"id":4,"v":"x"})"));
}
TEST(FanOut, ConfirmsWhatAllHaveAcknowledged) {
  const published here{"confirmed_by_all"};
  run(confirm_what_all_have(here));
}

asio::awaitable<void> leave_a_message(const published& here) {
  change_fan_out all = co_await fan_out_of(here.kept());
  change_subscriber one = all.subscribe();
  here.run("insert into t values (1, 'a')");
  const strings row = co_await taken_by(one, 1);
  EXPECT_EQ(row.size(), 1U);
  here.run("select pg_logical_emit_message(false, 'note', 'not acknowledged')");
  const strings message = co_await taken_by(one, 1, false);
  EXPECT_THAT(message, ElementsAre("message note=not acknowledged"));
  co_await all.close();
}
TEST(FanOut, KeepsAMessageUntilItIsAcknowledged) {
  const published here{"kept_message"};
  run(leave_a_message(here));
  sluice::blocking_change_stream again{dsn(), here.kept()};
  EXPECT_THAT(take(again, 1), ElementsAre("message note=not acknowledged"));
}

asio::awaitable<void> stand_still_alone(const published& here) {
  change_fan_out all = co_await fan_out_of(here.passing());
  here.run("insert into t values (1, 'before')");
  {
    change_subscriber first = all.subscribe();
    const strings seen = co_await taken_by(first, 1);
    EXPECT_THAT(seen, ElementsAre(R"(insert t {"id":1,"v":"before"})"));
  }
  EXPECT_EQ(all.subscribers(), 0U);
  here.run("insert into t values (2, 'between')");
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  for (int i = 0; i < 100; ++i) co_await asio::post(on, asio::use_awaitable);
  change_subscriber second = all.subscribe();
  const strings seen = co_await taken_by(second, 1);
  EXPECT_THAT(seen, ElementsAre(R"(insert t {"id":2,"v":"between"})"));
}
TEST(FanOut, StandsStillWithoutSubscribers) {
  const published here{"without_subscribers"};
  run(stand_still_alone(here));
}

asio::awaitable<void> pause_for_one(const published& here) {
  change_fan_out all = co_await fan_out_of(here.passing());
  change_subscriber quick = all.subscribe();
  std::optional<change_subscriber> slow{all.subscribe(bounded(2, slow_subscriber::pause))};
  here.run("insert into t select n, 'x' from generate_series(1, 100) n");
  strings seen = co_await taken_by(quick, 2);
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  for (int i = 0; i < 100; ++i) co_await asio::post(on, asio::use_awaitable);
  EXPECT_EQ(quick.queued_events(), 0U) << "nobody gets more";
  EXPECT_EQ(slow->queued_events(), 2U);
  (void)co_await slow->next();
  seen = co_await taken_by(quick, 2);
  EXPECT_EQ(seen.size(), 2U);
  slow.reset();
  seen = co_await taken_by(quick, 96);
  EXPECT_EQ(seen.back(), R"(insert t {"id":100,"v":"x"})");
}
TEST(FanOut, PausesForASlowSubscriber) {
  const published here{"paused_fan_out"};
  run(pause_for_one(here));
}

asio::awaitable<void> drop_one(const published& here) {
  change_fan_out all = co_await fan_out_of(here.passing());
  change_subscriber quick = all.subscribe(bounded(3, slow_subscriber::drop));
  change_subscriber slow = all.subscribe(bounded(3, slow_subscriber::drop));
  here.run("insert into t select n, 'x' from generate_series(1, 5000) n");
  const strings seen = co_await taken_by(quick, 5000);
  EXPECT_EQ(seen.back(), R"(insert t {"id":5000,"v":"x"})") << "one that waits is never too slow";
  EXPECT_EQ(all.subscribers(), 1U);
  for (int i = 0; i < 2; ++i) {
    const std::string words = co_await failure_of_next(slow);
    EXPECT_THAT(words, HasSubstr("too slow"));
  }
}
TEST(FanOut, DropsASlowSubscriber) {
  const published here{"dropped_subscriber"};
  run(drop_one(here));
}

asio::awaitable<void> end_for_all(const published& here) {
  change_fan_out all = co_await fan_out_of(here.passing());
  change_subscriber quick = all.subscribe();
  change_subscriber slow = all.subscribe(bounded(3, slow_subscriber::end));
  here.run("insert into t select n, 'x' from generate_series(1, 5000) n");
  strings seen;
  std::optional<sluice::error> failure;
  while (!failure) {
    try {
      const change_batch some = co_await quick.next();
      for (const shared_change& each : some) seen.push_back(line_of(each));
    } catch (const sluice::error& e) {
      failure = e;
    }
  }
  EXPECT_EQ(failure->code(), errc::stream_too_large);
  EXPECT_GE(seen.size(), 3U) << "what came before the end is there";
  const std::string words = co_await failure_of_next(slow);
  EXPECT_THAT(words, HasSubstr("too slow"));
  EXPECT_THROW((void)all.subscribe(), sluice::error);
}
TEST(FanOut, EndsForASlowSubscriber) {
  const published here{"ended_fan_out"};
  run(end_for_all(here));
}

asio::awaitable<void> bound_bytes(const published& here) {
  change_fan_out all = co_await fan_out_of(here.passing());
  subscriber_options how;
  how.max_bytes = 10'000;
  change_subscriber mine = all.subscribe(how);
  change_subscriber other = all.subscribe();
  here.run(
      "insert into t select n, repeat('x', 4000) from generate_series(1, 10) n; insert into t values (11, repeat('y', "
      "50000))");
  (void)co_await taken_by(other, 3);
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  for (int i = 0; i < 100; ++i) co_await asio::post(on, asio::use_awaitable);
  EXPECT_EQ(mine.queued_events(), 3U);
  EXPECT_LT(mine.queued_bytes(), 14'000U);
  const strings seen = co_await taken_by(mine, 11);
  EXPECT_EQ(seen.size(), 11U) << "one larger than the queue fits into an empty one";
}
TEST(FanOut, BoundsTheBytesOfAQueue) {
  const published here{"bounded_bytes"};
  run(bound_bytes(here));
}

asio::awaitable<void> fail_in_a_condition(const published& here) {
  change_fan_out all = co_await fan_out_of(here.passing());
  change_subscriber failing = all.subscribe(where(sluice::local([](const sluice::row& each) -> bool {
    if (each.text().find("bad") != std::string_view::npos) throw std::runtime_error{"a bad row"};
    return true;
  })));
  change_subscriber other = all.subscribe();
  here.run("insert into t values (1, 'good'), (2, 'bad'), (3, 'good')");
  const strings seen = co_await taken_by(other, 3);
  EXPECT_EQ(seen.size(), 3U);
  const std::string words = co_await failure_of_next(failing);
  EXPECT_EQ(words, "a bad row");
  EXPECT_EQ(all.subscribers(), 1U);
}
TEST(FanOut, OutlivesAConditionThatThrows) {
  const published here{"throwing_condition"};
  run(fail_in_a_condition(here));
}

asio::awaitable<void> act_in_conditions(const published& here) {
  std::optional<change_fan_out> all{co_await fan_out_of(here.passing())};
  std::optional<change_subscriber> leaving;
  std::optional<change_subscriber> joining;
  std::optional<change_subscriber> never;
  change_subscriber first = all->subscribe(where(sluice::local([&](const sluice::row& each) {
    if (each.text().find("leave") != std::string_view::npos) leaving.reset();
    if (each.text().find("join") != std::string_view::npos) joining = all->subscribe();
    if (each.text().find("end") != std::string_view::npos) all.reset();
    return true;
  })));
  leaving = all->subscribe(where(sluice::local([&](const sluice::row& each) {
    if (each.text().find("self") != std::string_view::npos) leaving.reset();
    return true;
  })));
  never = all->subscribe();
  here.run("insert into t values (1, 'self'), (2, 'join'), (3, 'x'), (4, 'end'), (5, 'y')");
  strings seen = co_await taken_by(first, 100);
  EXPECT_EQ(seen.size(), 3U) << "what came before the end";
  EXPECT_FALSE(leaving);
  seen = co_await taken_by(*joining, 100);
  EXPECT_THAT(seen, ElementsAre(R"(insert t {"id":3,"v":"x"})"));
}
TEST(FanOut, LetsConditionsSubscribeLeaveAndEndIt) {
  const published here{"acting_conditions"};
  run(act_in_conditions(here));
}

asio::awaitable<void> wait_in(std::shared_ptr<std::optional<change_subscriber>> mine, std::string& words) {
  words = co_await failure_of_next(**mine);
}
asio::awaitable<void> leave_while_waiting(const published& here) {
  change_fan_out all = co_await fan_out_of(here.passing());
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  const auto mine = std::make_shared<std::optional<change_subscriber>>(all.subscribe());
  std::string words;
  asio::cancellation_signal stop;
  const auto ended = [](const std::exception_ptr& failure) { EXPECT_EQ(failure, nullptr); };
  asio::co_spawn(on, wait_in(mine, words), asio::bind_cancellation_slot(stop.slot(), ended));
  co_await asio::post(on, asio::use_awaitable);
  const std::string second = co_await failure_of_next(**mine);
  EXPECT_THAT(second, HasSubstr("another call waits"));
  stop.emit(asio::cancellation_type::terminal);
  while (words.empty()) co_await asio::post(on, asio::use_awaitable);
  EXPECT_THAT(words, HasSubstr("cancelled"));
  here.run("insert into t values (1, 'a')");
  const strings seen = co_await taken_by(**mine, 1);
  EXPECT_THAT(seen, ElementsAre(R"(insert t {"id":1,"v":"a"})")) << "nothing was lost";
  words.clear();
  asio::co_spawn(on, wait_in(mine, words), ended);
  co_await asio::post(on, asio::use_awaitable);
  mine->reset();
  while (words.empty()) co_await asio::post(on, asio::use_awaitable);
  EXPECT_THAT(words, HasSubstr("has left"));
}
TEST(FanOut, SubscribersMayLeaveAndBeCancelledWhileTheyWait) {
  const published here{"leaving_subscribers"};
  run(leave_while_waiting(here));
}

asio::awaitable<void> outlive_it(const published& here) {
  change_subscriber outlives;
  change_subscriber waits;
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  {
    change_fan_out all = co_await fan_out_of(here.passing());
    change_fan_out moved = std::move(all);
    outlives = moved.subscribe();
    waits = moved.subscribe(where(field("no_such_column") == 1));
    here.run("insert into t values (1, 'a')");
    while (outlives.queued_events() == 0) co_await asio::post(on, asio::use_awaitable);
    change_options how = here.passing();
    how.slot += "_2";
    change_fan_out another = co_await fan_out_of(how);
    moved = std::move(another);
  }
  change_batch some = co_await waits.next();
  EXPECT_FALSE(some) << "no row has the column, so the end comes first";
  some = co_await outlives.next();
  EXPECT_EQ(some.size(), 1U);
  outlives.acknowledge(some.last());
  some = co_await outlives.next();
  EXPECT_FALSE(some);
  change_subscriber moved = std::move(outlives);
  EXPECT_THROW(outlives.acknowledge({}), sluice::error);  // NOLINT(bugprone-use-after-move): that is the question
  EXPECT_THROW((void)outlives.get_executor(), sluice::error);
  outlives.leave();
  moved.leave();
  moved.leave();
}
TEST(FanOut, MayEndBeforeItsSubscribers) {
  const published here{"outlived_fan_out"};
  run(outlive_it(here));
}

asio::awaitable<void> lose_the_connection(const published& here) {
  change_fan_out all = co_await fan_out_of(here.kept());
  change_subscriber mine = all.subscribe();
  here.run("insert into t values (1, 'a')");
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  while (mine.queued_events() == 0) co_await asio::post(on, asio::use_awaitable);
  psql("select pg_terminate_backend(active_pid, 5000) from pg_replication_slots where slot_name = '" + here.name() +
       "'");
  const strings seen = co_await taken_by(mine, 1);
  EXPECT_EQ(seen.size(), 1U);
  std::optional<sluice::error> failure;
  try {
    (void)co_await mine.next();
  } catch (const sluice::error& e) {
    failure = e;
  }
  EXPECT_TRUE(failure && failure->retryable());
  co_await all.close();
}
TEST(FanOut, TellsAllOfALostConnection) {
  const published here{"lost_fan_out"};
  run(lose_the_connection(here));
}

asio::awaitable<void> begin_with_a_snapshot(const published& here) {
  change_options how = here.kept();
  how.snapshot = sluice::initial_snapshot::when_created;
  change_fan_out all = co_await fan_out_of(how);
  change_subscriber a = all.subscribe();
  change_subscriber b = all.subscribe(where(field("id") == 2));
  strings seen = co_await taken_by(a, 3);
  EXPECT_EQ(seen.front(), R"(snapshot t {"id":1,"v":"x"})");
  here.run("insert into t values (4, 'new')");
  seen = co_await taken_by(b, 1, false);
  EXPECT_THAT(seen, ElementsAre(R"(snapshot t {"id":2,"v":"x"})"));
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  for (int i = 0; i < 100; ++i) co_await asio::post(on, asio::use_awaitable);
  EXPECT_TRUE(all.progress().in_snapshot) << "it waits until all have acknowledged what they wanted of it";
  b.leave();
  seen = co_await taken_by(a, 1);
  EXPECT_THAT(seen, ElementsAre(R"(insert t {"id":4,"v":"new"})"));
}
TEST(FanOut, GoesOnAfterASnapshotThatAllHaveAcknowledged) {
  const published here{"fanned_snapshot"};
  here.run("insert into t select n, 'x' from generate_series(1, 3) n");
  run(begin_with_a_snapshot(here));
}

asio::awaitable<void> begin_where_it_was(const published& here) {
  subscriber_options how;
  {
    change_fan_out all = co_await fan_out_of(here.kept());
    change_subscriber mine = all.subscribe();
    here.run("insert into t values (1, 'a'), (2, 'b'), (3, 'c')");
    const change_batch some = co_await mine.next();
    how.from = position{.commit = some.last().commit, .index = some.begin()->position().index + 1};
    EXPECT_THROW(mine.acknowledge(*position::parse("FFFF/0")), sluice::error);
  }
  change_fan_out all = co_await fan_out_of(here.kept());
  change_subscriber mine = all.subscribe(how);
  const strings seen = co_await taken_by(mine, 1);
  EXPECT_THAT(seen, ElementsAre(R"(insert t {"id":3,"v":"c"})"));
}
TEST(FanOut, PassesOverWhatASubscriberHas) {
  const published here{"fanned_from"};
  run(begin_where_it_was(here));
}

std::vector<sluice::predicate> for_the_server() {
  return {sluice::column("id") == 1, sluice::sql_predicate("true"), field("v").matches_regex("a")};
}
asio::awaitable<void> refuse_what_cannot_be(const published& here) {
  change_stream none;
  EXPECT_THROW(change_fan_out{std::move(none)}, sluice::error);
  change_fan_out all = co_await fan_out_of(here.passing());
  for (const sluice::predicate& each : for_the_server()) {
    try {
      (void)all.subscribe(where(each));
      ADD_FAILURE() << "it was not refused";
    } catch (const sluice::error& e) {
      EXPECT_EQ(e.code(), errc::bad_query);
      EXPECT_THAT(e.what(), HasSubstr("a column is a field"));
    }
  }
  EXPECT_THROW((void)all.subscribe(bounded(0, slow_subscriber::drop)), sluice::error);
  EXPECT_EQ(all.subscribers(), 0U);
  change_fan_out moved = std::move(all);
  EXPECT_THROW((void)all.subscribe(), sluice::error);  // NOLINT(bugprone-use-after-move): that is the question
  co_await moved.close();
  co_await moved.close();
  EXPECT_THROW((void)moved.subscribe(), sluice::error);
}
TEST(FanOut, RefusesWhatCannotBe) {
  const published here{"refused_fan_out"};
  run(refuse_what_cannot_be(here));
}

}  // namespace
}  // namespace fan_out_test
