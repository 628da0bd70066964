// Networks, servers and machines that fail while rows are streamed: a slow network, lost packets, a connection that is
// cut silently, a primary that dies and is replaced by its standby, a pooler that is killed, a full disk, a clock that
// jumps. Run by ci/chaos, which provides a private network and private mounts.
#include <gtest/gtest.h>

#include <optional>
#include <sluice/sluice.hpp>

#include "asking.hpp"
#include "checked_streams.hpp"
#include "cluster.hpp"
#include "faces.hpp"
#include "relay.hpp"

namespace {

using namespace std::chrono_literals;
using namespace sluice::test;
using sluice::errc;
using sluice::sql;

/// Applies `fate` to all packets to and from a port, for as long as it lives.
class bad_way {
 public:
  bad_way(const std::string& port, const std::string& fate) {
    const finished done = shell(
        "nft 'add table inet chaos; add chain inet chaos in { type filter hook input priority 0; }; "
        "add rule inet chaos in tcp sport " +
        port + " " + fate + "; add rule inet chaos in tcp dport " + port + " " + fate + "'");
    if (done.status != 0) throw std::runtime_error{"nft: " + done.err};
  }
  ~bad_way() { (void)shell("nft delete table inet chaos"); }
  bad_way(const bad_way&) = delete;
  bad_way& operator=(const bad_way&) = delete;
};

std::string server_port() { return cluster_value("SLUICE_TEST_PORT"); }

sluice::query numbers(int count) {
  return sql("select to_json(generate_series(1, " + std::to_string(count) + "))").as_document();
}

const sluice::connection_options briefly{.leave_timeout = 300ms};

/// The error of a stream whose packets are dropped after its first rows.
std::optional<sluice::error> cut_off(sluice::client& db, const sluice::query_options& options) {
  std::optional<bad_way> way;  // the network stays bad while the stream is left
  sluice::row_range rows = db.stream(numbers(100'000'000), options);
  (void)rows.next();
  way.emplace(server_port(), "drop");
  try {
    while (rows.next()) {
    }
  } catch (const sluice::error& e) {
    return e;
  }
  return std::nullopt;
}

TEST(AWayThatIsCut, EndsAStreamAtItsDeadline) {
  sluice::client db{as_user("trust_user"), briefly};
  const auto failure = cut_off(db, {.stall_timeout = 3s});
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->code(), errc::deadline_exceeded) << failure->what();
  EXPECT_GT(failure->rows(), 0U);
  EXPECT_TRUE(db.is_closed()) << "it could not be brought to its end";
  sluice::client again{as_user("trust_user")};
  EXPECT_EQ(answer(again, sql("select to_json(1)")), "1");
}

TEST(AWayThatIsCut, EndsATlsStreamAtItsDeadline) {
  sluice::client db{as_user("scram_user") + " sslmode=require", briefly};
  const auto failure = cut_off(db, {.timeout = 500ms});
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->code(), errc::deadline_exceeded) << failure->what();
  EXPECT_TRUE(db.is_closed());
}

TEST(AWayThatIsCut, IsNoticedByTheSystemIfAsked) {
  sluice::client db{as_user("trust_user") + " tcp_user_timeout=500", briefly};
  const bad_way cut{server_port(), "drop"};
  try {
    (void)db.stream(sql("select to_json(1)")).next();
    ADD_FAILURE() << "there was nobody to answer";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), errc::connection_lost) << e.what();
  }
}

TEST(AWayThatLosesPackets, LosesNoRow) {
  sluice::client db{as_user("trust_user")};
  const bad_way lossy{server_port(), "numgen random mod 100 < 3 drop"};
  std::uint64_t sum = 0;
  for (const sluice::row row : db.stream(numbers(200'000))) sum += std::stoull(std::string{row.text()});
  EXPECT_EQ(sum, 200'000ULL * 200'001 / 2);
}

TEST(AWayThatIsLong, LosesNoRowAndNoDeadline) {
  for (const char* mode : {" sslmode=disable", " sslmode=require"})
    for (const sluice::fetch_mode fetching :
         {sluice::fetch_mode::plain, sluice::fetch_mode::paged, sluice::fetch_mode::bulk}) {
      relay between{static_cast<std::uint16_t>(std::stoi(server_port())), relay::all, cut::close, 20ms};
      sluice::client db{
          "host=127.0.0.1 dbname=sluice user=scram_user password=secret port=" + std::to_string(between.port()) + mode,
          briefly};
      std::uint64_t sum = 0;
      for (const sluice::row row :
           db.stream(numbers(3'000), {.timeout = 30s, .stall_timeout = 10s, .mode = fetching, .page_rows = 500}))
        sum += std::stoull(std::string{row.text()});
      EXPECT_EQ(sum, 3'000ULL * 3'001 / 2);
      EXPECT_THROW((void)db.stream(sql("select pg_sleep(60)::text"), {.timeout = 100ms}).next(), sluice::error);
    }
}

TEST(AHostThatIsSilent, IsPassedOver) {
  const bad_way silent{server_port(), "drop"};
  sluice::client db{"host=127.0.0.1,127.0.0.1 port=" + server_port() + "," + cluster_value("SLUICE_TEST_STANDBY_PORT") +
                    " user=trust_user dbname=sluice connect_timeout=1"};
  EXPECT_EQ(answer(db, sql("select to_json(pg_is_in_recovery())")), "true");
}

/// Streams through a pool while `blow` is done to its servers.
void bear(const std::string& conninfo, const std::function<void()>& blow) {
  asio::io_context context{1};
  sluice::pool from{context.get_executor(), conninfo, {.max_size = 8, .backoff = 5ms, .max_backoff = 50ms}, briefly};
  const auto work = [](sluice::pool& on, const std::function<void()>& strike) -> asio::awaitable<void> {
    checked_streams seen;
    bool over = false;
    seen.start(16, on, co_await asio::this_coro::executor, over);
    co_await seen.more(50);
    strike();
    co_await seen.more(200);
    over = true;
    co_await seen.all_have_ended();
    seen.expect_only_lost_servers();
    EXPECT_EQ(on.stats().lent, 0U);
    on.close();
  };
  asio::co_spawn(context, work(from, blow), asio::detached);
  context.run();
}

TEST(APoolerThatIsKilled, IsFoundAgain) {
  const std::string folder = cluster_value("SLUICE_TEST_POOLER_DIR");
  const std::string port = cluster_value("SLUICE_TEST_POOLER_PORT");
  bear("host=127.0.0.1 port=" + port + " user=trust_user dbname=sluice", [&] {
    EXPECT_EQ(as_server("bash -c 'kill -9 $(cat " + folder + "/pid); sleep 0.2; rm -f " + folder +
                        "/pid; PATH=$PATH:/usr/sbin pgbouncer -d " + folder + "/pgbouncer.ini'")
                  .status,
              0);
  });
}

/// A file system of limited size, for as long as it lives.
class small_disk {
 public:
  explicit small_disk(const std::string& size) {
    const finished done = shell("mount -t tmpfs -o size=" + size + " none " + folder_.path());
    if (done.status != 0) throw std::runtime_error{"mount: " + done.err};
  }
  ~small_disk() { (void)shell("umount " + folder_.path()); }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;

  [[nodiscard]] std::string path(const std::string& name) const { return folder_.path(name); }

 private:
  temporary_folder folder_;
};

const std::string ask_with_command = std::string{SLUICE_COMMAND} + " -d '" + as_user("trust_user") + "' ";

TEST(ADiskThatFillsUp, EndsTheExportAndTheQuery) {
  const small_disk disk{"1m"};
  const finished end = shell(
      ask_with_command + "--sql \"select to_json(repeat('x', 100)) from generate_series(1, 10000000)\" --format raw >" +
      disk.path("out"));
  EXPECT_EQ(end.status, 1);
  EXPECT_NE(end.err.find("sluice: output: "), std::string::npos) << end.err;
  EXPECT_NE(end.err.find("No space left on device"), std::string::npos) << end.err;
  sluice::client watching{as_user("trust_user")};
  const sluice::query running =
      sql("select to_json(count(*)) from pg_stat_activity where query like '%repeat%x%' "
          "and state = 'active' and pid <> pg_backend_pid()");
  while (answer(watching, running) != "0") {  // the suite's time limit bounds this loop
  }
}

/// Runs a shell command while the clock is set forward and back by ten days.
finished with_a_jumping_clock(const std::string& line) {
  const temporary_folder folder;
  const std::string clock = folder.path("clock");
  return shell("set_clock() { echo $1 >" + clock + ".new; mv " + clock + ".new " + clock +
               "; }; set_clock +0; (for days in +10d -10d +10d +0; do sleep 0.3; set_clock $days; done) & "
               "LD_PRELOAD=" +
               cluster_value("SLUICE_TEST_FAKETIME") + " FAKETIME_TIMESTAMP_FILE=" + clock +
               " FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 " + line);
}

TEST(AClockThatJumps, IsSeen) {
  const finished end = with_a_jumping_clock("bash -c 'from=$(date +%s); sleep 0.5; echo $(($(date +%s) - from))'");
  EXPECT_GT(std::stol(end.out), 86'400) << "otherwise the next two tests show nothing";
}

TEST(AClockThatJumps, IsNoDeadline) {
  const finished end = with_a_jumping_clock(
      ask_with_command +
      "--timeout 60s --format raw --sql 'select to_json(n) from generate_series(1, 3) n, pg_sleep(0.5)'");
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_EQ(end.out, "1\n2\n3\n");
}

TEST(AClockThatJumps, PutsNoDeadlineOff) {
  const finished end = with_a_jumping_clock(ask_with_command + "--timeout 1s --sql 'select pg_sleep(600)::text'");
  EXPECT_EQ(end.status, 10) << end.err;
}

// The last test, because the primary is gone afterwards.
TEST(APrimaryThatDies, IsFollowedByItsStandby) {
  bear("host=127.0.0.1,127.0.0.1 port=" + server_port() + "," + cluster_value("SLUICE_TEST_STANDBY_PORT") +
           " user=trust_user dbname=sluice target_session_attrs=read-write connect_timeout=2",
       [] {
         EXPECT_EQ(pg_ctl("stop -m immediate").status, 0);
         EXPECT_EQ(pg_ctl("promote -w", cluster_value("SLUICE_TEST_STANDBY_DIR")).status, 0);
       });
}

}  // namespace
