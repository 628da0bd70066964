// What is known of a change stream and its slot beside the changes; heartbeats; options that need a newer server; TLS.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "followed.hpp"

namespace changes_health_test {
namespace {

using namespace std::chrono_literals;
using namespace sluice::test;
using sluice::change;
using sluice::change_chunk;
using sluice::change_options;
using sluice::change_stream;
using sluice::change_stream_event;
using sluice::errc;
using sluice::slot_lag;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using strings = std::vector<std::string>;

/// The events of a change stream.
class slot_watch : public sluice::observer {
 public:
  void on_change_stream(const change_stream_event& event) noexcept override {
    const std::scoped_lock lock{mutex_};
    kinds_.push_back(event.is);
    changes_ += event.changes;
    statuses_.emplace_back(event.wal_status);
  }
  [[nodiscard]] std::vector<change_stream_event::kind> kinds() const {
    const std::scoped_lock lock{mutex_};
    return kinds_;
  }
  [[nodiscard]] std::uint64_t changes() const {
    const std::scoped_lock lock{mutex_};
    return changes_;
  }
  [[nodiscard]] strings statuses() const {
    const std::scoped_lock lock{mutex_};
    return statuses_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<change_stream_event::kind> kinds_;
  std::uint64_t changes_{0};
  strings statuses_;
};

TEST(ChangesHealth, IsToldByCall) {
  const published here{"healthy_slot"};
  sluice::blocking_change_stream changes{dsn(), here.kept()};
  here.run("insert into t select n, repeat('x', 500) from generate_series(1, 1000) n");
  const change_chunk some = changes.next();
  for (const change each : some) EXPECT_EQ(each.operation(), sluice::operation::insert);
  const auto confirmed_now = [&] { return sluice::lsn::parse(here.slot("confirmed_flush_lsn")); };
  const auto confirmed_before = confirmed_now();
  slot_lag lag = changes.lag();
  EXPECT_TRUE(lag.is_active);
  EXPECT_EQ(lag.wal_status, "reserved");
  EXPECT_GT(lag.behind_bytes, 500'000U);
  EXPECT_GE(lag.retained_bytes, lag.behind_bytes);
  EXPECT_EQ(lag.safe_bytes, std::nullopt) << "max_slot_wal_keep_size is not set";
  EXPECT_LE(confirmed_before, lag.confirmed) << "it moves up to what is unacknowledged";
  EXPECT_GE(confirmed_now(), lag.confirmed);
  EXPECT_GT(lag.server, lag.confirmed);
  std::this_thread::sleep_for(2ms);
  EXPECT_GE(changes.lag().unacknowledged_for, 1ms) << "some changes are not acknowledged";
  changes.acknowledge(some.last());
  changes.close();
  const std::string confirmed = here.slot("confirmed_flush_lsn");
  lag = changes.lag();
  EXPECT_FALSE(lag.is_active) << "asked although the stream is closed";
  EXPECT_EQ(lag.confirmed.to_string(), confirmed);
}

asio::awaitable<void> ask_while_waiting(const published& here) {
  change_stream changes = co_await sluice::follow(dsn(), here.kept());
  slot_lag lag = co_await changes.lag();
  EXPECT_TRUE(lag.is_active);
  EXPECT_EQ(lag.unacknowledged_for, 0ms) << "nothing waits to be acknowledged";
  co_await changes.close();
  lag = co_await sluice::lag_of(sluice::conninfo::parse(dsn()), here.name());
  EXPECT_FALSE(lag.is_active);
  std::string words;
  try {
    (void)co_await sluice::lag_of(sluice::conninfo::parse(dsn()), "no_such_slot");
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), errc::position_lost);
    words = e.what();
  }
  EXPECT_THAT(words, HasSubstr("no_such_slot"));
  change_stream none;
  EXPECT_THROW((void)none.lag(), sluice::error);
}
TEST(ChangesHealth, IsToldToCoroutines) {
  const published here{"healthy_coroutines"};
  run(ask_while_waiting(here));
}

TEST(ChangesHealth, OfABoundedSlotSaysHowMuchIsSafe) {
  const published here{"bounded_slot"};
  psql("alter system set max_slot_wal_keep_size = '1GB'");
  psql("select pg_reload_conf()");
  wait_until("current_setting('max_slot_wal_keep_size') = '1GB'");
  {
    sluice::blocking_change_stream changes{dsn(), here.kept()};
    const slot_lag lag = changes.lag();
    EXPECT_GT(lag.safe_bytes.value_or(0), 500U << 20U);
  }
  psql("alter system reset max_slot_wal_keep_size");
  psql("select pg_reload_conf()");
}

TEST(ChangesHealth, IsObserved) {
  const published here{"observed_slot"};
  slot_watch watch;
  change_options how = here.kept();
  how.connection.watch = &watch;
  how.health_interval = 5ms;
  how.acknowledge_interval = 1ms;
  how.reconnect = true;
  how.backoff = 1ms;
  sluice::blocking_change_stream changes{dsn(), how};
  here.run("insert into t values (1, 'a'), (2, 'b')");
  std::uint64_t seen = 0;
  const auto read = [&](std::uint64_t upto) {
    while (seen < upto) {
      const change_chunk some = changes.next();
      for ([[maybe_unused]] const change each : some) ++seen;
      changes.acknowledge(some.last());
    }
  };
  read(2);
  psql("select pg_terminate_backend(active_pid, 5000) from pg_replication_slots where slot_name = 'observed_slot'");
  here.run("insert into t values (3, 'c')");
  read(3);
  while (std::ranges::count(watch.statuses(), "reserved") < 2) std::this_thread::sleep_for(1ms);
  changes.close();
  EXPECT_EQ(watch.changes(), 3U);
  EXPECT_THAT(watch.kinds(), Contains(change_stream_event::kind::received));
  EXPECT_THAT(watch.kinds(), Contains(change_stream_event::kind::acknowledged));
  EXPECT_THAT(watch.kinds(), Contains(change_stream_event::kind::reconnected));
  EXPECT_THAT(watch.kinds(), Contains(change_stream_event::kind::lag));
}

TEST(ChangesHeartbeat, IsSentAndNotHandedOut) {
  const published here{"with_heartbeat"};
  change_options how = here.passing();
  how.heartbeat = 2ms;
  how.heartbeat_prefix = "it's \\beating";
  sluice::blocking_change_stream beating{dsn(), how};
  how.slot += "_2";
  how.heartbeat = 0ms;
  strings heard;
  {
    sluice::blocking_change_stream listening{dsn(), how};
    while (heard.size() < 2) {
      const change_chunk some = listening.next();
      for (const change each : some)
        if (each.operation() == sluice::operation::message) heard.push_back(line_of(each));
    }
  }
  EXPECT_EQ(heard.front(), "message it's \\beating=");
  here.run("insert into t values (1, 'a')");
  heard.clear();
  while (heard.empty()) {
    const change_chunk some = beating.next();
    for (const change each : some) heard.push_back(line_of(each));
  }
  EXPECT_THAT(heard, ElementsAre(R"(insert t {"id":1,"v":"a"})"));
}

TEST(ChangesHeartbeat, MovesThePositionOfAQuietDatabase) {
  const published here{"quiet_database"};
  change_options how = here.kept();
  how.heartbeat = 2ms;
  how.progress = true;
  sluice::blocking_change_stream changes{dsn(), how};
  sluice::position last{};
  for (int moves = 0; moves < 3; ++moves) {
    const change_chunk some = changes.next();
    for (const change each : some) ADD_FAILURE() << line_of(each);
    EXPECT_LT(last, some.last());
    last = some.last();
    changes.acknowledge(last);
  }
}

struct impossible {
  const char* name;
  void (*ask)(change_options& how);
  const char* words;
};
class ImpossibleOption : public testing::TestWithParam<impossible> {};
TEST_P(ImpossibleOption, IsRefused) {
  const published here{"impossible_option"};
  change_options how = here.kept();
  GetParam().ask(how);
  try {
    sluice::blocking_change_stream changes{dsn(), how};
    ADD_FAILURE() << "it was not refused";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), errc::bad_query);
    EXPECT_THAT(e.what(), HasSubstr(GetParam().words));
  }
  EXPECT_EQ(here.slot("slot_name"), "") << "nothing was made";
}
INSTANTIATE_TEST_SUITE_P(Of, ImpossibleOption,
                         testing::Values(impossible{"FailoverOfATemporarySlot",
                                                    [](change_options& how) {
                                                      how.failover = true;
                                                      how.create = sluice::slot_creation::temporary;
                                                    },
                                                    "nothing to fail over to"},
                                         impossible{"HeartbeatWithoutPrefix",
                                                    [](change_options& how) {
                                                      how.heartbeat = 1s;
                                                      how.heartbeat_prefix.clear();
                                                    },
                                                    "needs a prefix"},
                                         impossible{"NegativeHeartbeat",
                                                    [](change_options& how) { how.heartbeat = -1s; }, "not positive"}),
                         [](const auto& of) { return of.param.name; });

TEST(ChangesFailover, IsASlotsPropertyFrom17On) {
  const published here{"failover_slot"};
  here.run("insert into t values (1, 'a')");
  change_options how = here.kept();
  how.failover = true;
  how.snapshot = sluice::initial_snapshot::when_created;
  if (server_version() < 170000) {
    try {
      sluice::blocking_change_stream changes{dsn(), how};
      ADD_FAILURE() << "it was not refused";
    } catch (const sluice::error& e) {
      EXPECT_EQ(e.code(), errc::bad_query);
      EXPECT_THAT(e.what(), HasSubstr("from Postgres 17 on; the server is"));
    }
    EXPECT_EQ(here.slot("slot_name"), "");
    return;
  }
  {
    sluice::blocking_change_stream changes{dsn(), how};
    bool is_over = false;
    while (!is_over) {
      const change_chunk some = changes.next();
      for ([[maybe_unused]] const change each : some) continue;
      changes.acknowledge(some.last());
      is_over = some.last().index == 0;
    }
    changes.close();
  }
  EXPECT_EQ(here.slot("failover"), "t");
  psql("select pg_drop_replication_slot('failover_slot')");
  how.snapshot = sluice::initial_snapshot::none;
  how.failover = false;
  sluice::blocking_change_stream{dsn(), how}.close();
  EXPECT_EQ(here.slot("failover"), "f");
  how.failover = true;
  sluice::blocking_change_stream{dsn(), how}.close();
  EXPECT_EQ(here.slot("failover"), "t") << "one that exists is changed";
}

TEST(ChangesOverTls, AreTheSame) {
  const published here{"over_tls"};
  psql(
      "alter role tls_user replication; grant usage on schema over_tls to tls_user; grant select on over_tls.t to "
      "tls_user");
  here.run("insert into t select n, repeat('x', 1000) from generate_series(1, 300) n");
  change_options how = here.passing();
  how.snapshot = sluice::initial_snapshot::when_created;
  how.heartbeat = 5ms;
  sluice::blocking_change_stream changes{
      as_user("tls_user") + " sslmode=verify-full host=localhost sslrootcert=" + tls_file("ca.crt"), how};
  here.run("insert into t select n, repeat('y', 1000) from generate_series(301, 600) n");
  int next = 0;
  while (next < 600) {
    const change_chunk some = changes.next();
    for (const change each : some) {
      ++next;
      EXPECT_EQ(each.text(),
                "{\"id\":" + std::to_string(next) + ",\"v\":\"" + std::string(1000, next <= 300 ? 'x' : 'y') + "\"}");
    }
    changes.acknowledge(some.last());
  }
  EXPECT_EQ(psql("select count(*) from pg_stat_ssl s join pg_stat_replication r using (pid) where s.ssl and r.usename "
                 "= 'tls_user'"),
            "1");
  EXPECT_TRUE(changes.lag().is_active);
  psql("alter role tls_user noreplication");
}

}  // namespace
}  // namespace changes_health_test
