// Changes of transactions that still run, and of prepared ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <sluice/stream/change_fan_out.hpp>

#include "followed.hpp"

namespace changes_unfinished_test {
namespace {

using namespace std::chrono_literals;
using namespace sluice::test;
using sluice::change;
using sluice::change_chunk;
using sluice::change_options;
using sluice::errc;
using sluice::operation;
using sluice::position;
using testing::ElementsAre;
using strings = std::vector<std::string>;

/// The server keeps less than that of a transaction before it sends it.
std::string impatient_server() { return dsn() + " options='-c logical_decoding_work_mem=64kB'"; }

/// So many rows take more.
constexpr int more_than_is_kept = 2000;
std::string many_rows(int first) {
  return "insert into t select n, repeat('x', 100) || n from generate_series(" + std::to_string(first) + ", " +
         std::to_string(first + more_than_is_kept - 1) + ") n";
}

/// What a consumer makes of changes that may turn out void: it keeps those of a running transaction until its end.
class collected {
 public:
  void take(const change& each) {
    if (each.operation() == operation::abort) {
      ++aborts;
      forget(each.xid(), each.subxid());
    } else if (each.is_running()) {
      ++running;
      waiting_[each.xid()].push_back({each.subxid(), line_of(each)});
    } else {
      EXPECT_LT(last_, each.position());
      last_ = each.position();
      if (each.operation() == operation::commit)
        count_all(each.xid());
      else
        counted.push_back(line_of(each));
    }
  }

  strings counted;
  int running{0};
  int aborts{0};
  std::size_t commits{0};
  [[nodiscard]] bool is_waiting() const { return !waiting_.empty(); }

 private:
  struct kept {
    std::uint32_t part;
    std::string line;
  };
  void forget(std::uint32_t xid, std::uint32_t part) {
    if (xid == part)
      waiting_.erase(xid);
    else
      std::erase_if(waiting_[xid], [part](const kept& each) { return each.part == part; });
  }
  void count_all(std::uint32_t xid) {
    ++commits;
    for (kept& each : waiting_[xid]) counted.push_back(std::move(each.line));
    waiting_.erase(xid);
  }

  std::map<std::uint32_t, std::vector<kept>> waiting_;
  position last_{};
};

/// Reads on until the condition holds.
template <class Condition>
void collect(collected& into, sluice::blocking_change_stream& from, Condition is_enough) {
  while (!is_enough()) {
    const change_chunk some = from.next();
    for (const change each : some) into.take(each);
    from.acknowledge(some.last());
  }
}

strings as_inserts(const std::string& rows) {
  strings lines;
  std::size_t begin = 0;
  while (begin < rows.size()) {
    const std::size_t end = std::min(rows.find('\n', begin), rows.size());
    lines.push_back("insert t " + rows.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

change_options running_too(change_options how) {
  how.streaming = true;
  return how;
}

TEST(RunningChanges, AreHandedOutBeforeTheirTransactionEnds) {
  const published here{"handed_out_running"};
  sluice::blocking_change_stream changes{impatient_server(), running_too(here.passing())};
  sluice::client writer{dsn() + " options='-c search_path=handed_out_running'"};
  collected seen;
  sluice::blocking_transaction tx = writer.begin();
  tx.execute(many_rows(1));
  collect(seen, changes, [&] { return seen.running > 100; });
  here.run("insert into t values (-1, 'another')");
  collect(seen, changes, [&] { return !seen.counted.empty(); });
  EXPECT_THAT(seen.counted, ElementsAre(R"(insert t {"id":-1,"v":"another"})"));
  {
    sluice::blocking_transaction inner = tx.begin();
    inner.execute(many_rows(10'000));
    collect(seen, changes, [&] { return seen.running > more_than_is_kept; });
    inner.rollback();
  }
  tx.execute(many_rows(20'000));
  tx.commit();
  collect(seen, changes, [&] { return seen.commits == 1; });
  EXPECT_GE(seen.aborts, 1) << "of the savepoint";
  EXPECT_EQ(seen.counted, as_inserts(here.ask("select row_to_json(t) from t order by id")));
  EXPECT_FALSE(seen.is_waiting());
}

TEST(RunningChanges, AreVoidWhenTheirTransactionIsRolledBack) {
  const published here{"rolled_back_running"};
  sluice::blocking_change_stream changes{impatient_server(), running_too(here.passing())};
  sluice::client writer{dsn() + " options='-c search_path=rolled_back_running'"};
  collected seen;
  {
    sluice::blocking_transaction tx = writer.begin();
    tx.execute(many_rows(1));
    collect(seen, changes, [&] { return seen.running > 100; });
    tx.rollback();
  }
  here.run("insert into t values (1, 'stays')");
  collect(seen, changes, [&] { return !seen.counted.empty(); });
  EXPECT_GE(seen.aborts, 1);
  EXPECT_FALSE(seen.is_waiting());
  EXPECT_THAT(seen.counted, ElementsAre(R"(insert t {"id":1,"v":"stays"})"));
}

TEST(RunningChanges, AreSentAnewAfterALostConnection) {
  const published here{"sent_anew"};
  change_options how = running_too(here.kept());
  how.reconnect = true;
  sluice::blocking_change_stream changes{impatient_server(), how};
  sluice::client writer{dsn() + " options='-c search_path=sent_anew'"};
  collected seen;
  sluice::blocking_transaction tx = writer.begin();
  tx.execute(many_rows(1));
  collect(seen, changes, [&] { return seen.running > 100; });
  psql("select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = 'sent_anew'");
  tx.execute(many_rows(10'000));
  collect(seen, changes, [&] { return seen.aborts == 1 && seen.is_waiting(); });
  tx.commit();
  collect(seen, changes, [&] { return seen.commits == 1; });
  EXPECT_EQ(seen.counted, as_inserts(here.ask("select row_to_json(t) from t order by id")));
}

/// The commits among the changes up to the message "end".
std::set<std::string> commits_until_end(sluice::blocking_change_stream& from) {
  std::set<std::string> commits;
  for (;;) {
    const change_chunk some = from.next();
    for (const change each : some) {
      if (each.operation() == operation::message && each.prefix() == "end") return commits;
      if (each.operation() == operation::commit) commits.insert(each.position().to_string());
    }
  }
}

TEST(RunningChanges, EndAtThePositionsThatTheyHaveOtherwise) {
  const published here{"same_positions"};
  change_options how = here.kept();
  how.transactions = true;
  sluice::blocking_change_stream whole{dsn(), how};
  how.slot += "_running";
  how.create = sluice::slot_creation::temporary;
  sluice::blocking_change_stream in_parts{impatient_server(), running_too(how)};
  here.run("begin; " + many_rows(1) + "; savepoint a; " + many_rows(10'000) +
           "; rollback to a; delete from t where id < 10; " +
           "savepoint b; update t set v = v || 'y' where id < 500; release b; truncate t; " + many_rows(20'000) +
           "; commit");
  here.run("begin; select pg_logical_emit_message(true, 'in it', 'x'); " + many_rows(30'000) + "; commit");
  here.run("insert into t values (1, 'small')");
  psql("select pg_logical_emit_message(false, 'end', '')");
  const std::set<std::string> commits = commits_until_end(whole);
  EXPECT_EQ(commits.size(), 3U);
  EXPECT_EQ(commits_until_end(in_parts), commits);
}

TEST(RunningChanges, LeaveTheColumnsThatATableHasMeanwhile) {
  const published here{"altered_meanwhile"};
  here.run("create table altered_last (id int)");
  change_options how = running_too(here.passing());
  how.schema = true;
  sluice::blocking_change_stream changes{impatient_server(), how};
  sluice::client writer{dsn() + " options='-c search_path=altered_meanwhile'"};
  strings seen;
  std::size_t running = 0;
  const auto read_until = [&](const auto& is_enough) {
    while (!is_enough()) {
      for (const change each : changes.next())
        if (each.is_running() && each.operation() == operation::insert)
          ++running;
        else if (!each.is_running() && each.operation() != operation::commit)
          seen.push_back(each.operation() == operation::schema ? "schema" : line_of(each));
    }
  };
  sluice::blocking_transaction tx = writer.begin();
  {
    sluice::blocking_transaction inner = tx.begin();
    inner.execute(many_rows(1));
    read_until([&] { return running > 100; });
    inner.rollback();
  }
  here.run("alter table t drop v, add w text; insert into t values (1, 'before')");
  read_until([&] { return seen.size() == 2; });
  tx.execute("insert into altered_last values (1)");
  tx.commit();
  here.run("insert into t values (2, 'behind')");
  read_until([&] { return seen.back().find("behind") != std::string::npos; });
  EXPECT_THAT(seen, ElementsAre("schema", R"(insert t {"id":1,"w":"before"})", R"(insert t {"id":2,"w":"behind"})"));
}

TEST(RunningChanges, HaveTheirOwnTypesOnceTheyAreCommitted) {
  const published here{"types_of_its_own"};
  sluice::blocking_change_stream changes{impatient_server(), running_too(here.passing())};
  here.run("begin; create type running_pair as (x int, y text); create table pairs (p running_pair); " + many_rows(1) +
           "; insert into pairs select row(n, repeat('x', 100))::running_pair from generate_series(1, 2000) n; commit");
  here.run("insert into pairs values (row(1, 'z'))");
  strings seen;
  while (seen.empty())
    for (const change each : changes.next())
      if (!each.is_running() && each.operation() == operation::insert) seen.push_back(line_of(each));
  EXPECT_THAT(seen, ElementsAre(R"(insert pairs {"p":{"x":1,"y":"z"}})"));
}

TEST(RunningChanges, AreNotShared) {
  const published here{"not_shared"};
  run([](const published& where) -> asio::awaitable<void> {
    sluice::change_stream changes = co_await sluice::follow(impatient_server(), running_too(where.passing()));
    where.run("begin; " + many_rows(1) + "; commit");
    sluice::change_fan_out all{std::move(changes)};
    sluice::change_subscriber one = all.subscribe({});
    try {
      (void)co_await one.next();
      ADD_FAILURE() << "nothing was thrown";
    } catch (const sluice::error& e) {
      EXPECT_EQ(e.code(), errc::bad_state) << e.what();
    }
  }(here));
}

strings told_until(const char* words, sluice::blocking_change_stream& from) {
  strings seen;
  for (;;) {
    const change_chunk some = from.next();
    for (const change each : some) {
      const std::string line = line_of(each);
      if (line.find(words) != std::string::npos) return seen;
      seen.push_back((each.gid().empty() ? "" : std::string{each.gid()} + ": ") + line);
    }
    from.acknowledge(some.last());
  }
}

/// Rolls a prepared transaction back that a failed test has left: its locks outlive every connection.
class leaves_no_prepared {
 public:
  explicit leaves_no_prepared(std::string gid) : gid_{std::move(gid)} {}
  ~leaves_no_prepared() {
    if (psql("select count(*) from pg_prepared_xacts where gid = '" + gid_ + "'") == "1")
      psql("rollback prepared '" + gid_ + "'");
  }
  leaves_no_prepared(const leaves_no_prepared&) = delete;
  leaves_no_prepared& operator=(const leaves_no_prepared&) = delete;

 private:
  std::string gid_;
};

TEST(PreparedChanges, AreHandedOutWhenTheyArePrepared) {
  if (server_version() < 150000) GTEST_SKIP() << "the server sends them from 15 on";
  const published here{"prepared_changes"};
  const leaves_no_prepared one{"prepared_one"};
  const leaves_no_prepared two{"prepared_two"};
  change_options how = here.kept();
  how.two_phase = true;
  {
    sluice::blocking_change_stream changes{dsn(), how};
    here.run("begin; insert into t values (1, 'a'); prepare transaction 'prepared_one'");
    here.run("insert into t values (2, 'small')");
    EXPECT_THAT(told_until("small", changes),
                ElementsAre(R"(prepared_one: insert t {"id":1,"v":"a"})", "prepared_one: prepare"));
    here.run("begin; insert into t values (3, 'b'); prepare transaction 'prepared_two'");
    psql("rollback prepared 'prepared_two'");
    here.run("insert into t values (4, 'small')");
    EXPECT_THAT(told_until("small", changes), ElementsAre(R"(prepared_two: insert t {"id":3,"v":"b"})",
                                                          "prepared_two: prepare", "prepared_two: rollback_prepared"));
    changes.close();
  }
  psql("commit prepared 'prepared_one'");
  here.run("insert into t values (5, 'last')");
  sluice::blocking_change_stream again{dsn(), how};
  const strings seen = told_until("last", again);
  ASSERT_FALSE(seen.empty());
  EXPECT_EQ(seen.back(), "prepared_one: commit_prepared");
}

TEST(PreparedChanges, MayHaveComeBeforeTheyWerePrepared) {
  if (server_version() < 150000) GTEST_SKIP() << "the server sends them from 15 on";
  const published here{"prepared_running"};
  const leaves_no_prepared late{"prepared_late"};
  change_options how = running_too(here.passing());
  how.two_phase = true;
  sluice::blocking_change_stream changes{impatient_server(), how};
  here.run("begin; " + many_rows(1) + "; prepare transaction 'prepared_late'");
  psql("commit prepared 'prepared_late'");
  here.run("insert into t values (0, 'small')");
  const strings seen = told_until("small", changes);
  ASSERT_EQ(seen.size(), static_cast<std::size_t>(more_than_is_kept) + 2);
  EXPECT_EQ(seen[more_than_is_kept], "prepared_late: prepare");
  EXPECT_EQ(seen.back(), "prepared_late: commit_prepared");
}

/// What the stream tells up to that message, with "running " before what has no position of its own. The others'
/// positions have to grow.
strings in_places_until(const char* end, sluice::blocking_change_stream& from) {
  strings seen;
  position last{};
  for (;;) {
    const change_chunk some = from.next();
    for (const change each : some) {
      if (each.operation() == operation::message && each.prefix() == end) {
        from.acknowledge(some.last());
        return seen;
      }
      if (!each.is_running()) {
        EXPECT_LT(last, each.position()) << line_of(each);
        last = each.position();
      }
      seen.push_back((each.is_running() ? "running " : "") + line_of(each));
    }
    from.acknowledge(some.last());
  }
}

TEST(PreparedChanges, OfBeforeTheSettingComeWithTheirCommit) {
  if (server_version() < 150000) GTEST_SKIP() << "the server sends them from 15 on";
  const published here{"prepared_early"};
  const leaves_no_prepared early{"prepared_early"};
  change_options how = here.kept();
  {
    sluice::blocking_change_stream changes{dsn(), how};
    here.run("begin; insert into t values (1, 'a'); prepare transaction 'prepared_early'");
    here.run("insert into t values (2, 'small')");
    psql("select pg_logical_emit_message(false, 'end', '')");
    EXPECT_THAT(in_places_until("end", changes), ElementsAre(R"(insert t {"id":2,"v":"small"})"));
    changes.close();
  }
  how.two_phase = true;
  sluice::blocking_change_stream changes{dsn(), how};
  here.run("insert into t values (3, 'small')");
  psql("commit prepared 'prepared_early'");
  psql("select pg_logical_emit_message(false, 'last', '')");
  EXPECT_THAT(in_places_until("last", changes),
              ElementsAre(R"(insert t {"id":3,"v":"small"})", R"(running insert t {"id":1,"v":"a"})", "running prepare",
                          "commit_prepared"));
}

TEST(PreparedChanges, ComeBehindAMessage) {
  if (server_version() < 150000) GTEST_SKIP() << "the server sends them from 15 on";
  const published here{"prepared_behind"};
  const leaves_no_prepared one{"prepared_behind"};
  change_options how = here.passing();
  how.two_phase = true;
  how.transactions = true;
  sluice::blocking_change_stream changes{dsn(), how};
  // Nothing lies between the records of the message and of what follows it.
  here.run(
      "begin; insert into t values (1, 'a'); select pg_logical_emit_message(false, 'm', 'x'); prepare transaction "
      "'prepared_behind'");
  psql("select pg_logical_emit_message(false, 'm', 'x')");
  psql("commit prepared 'prepared_behind'");
  here.run("begin; insert into t values (2, 'b'); select pg_logical_emit_message(false, 'm', 'x'); commit");
  psql("select pg_logical_emit_message(false, 'end', '')");
  EXPECT_THAT(in_places_until("end", changes),
              ElementsAre("message m=x", "begin", R"(insert t {"id":1,"v":"a"})", "prepare", "message m=x",
                          "commit_prepared", "message m=x", "begin", R"(insert t {"id":2,"v":"b"})", "commit"));
}

TEST(PreparedChanges, OfAnOrdinaryStreamComeWithTheirCommit) {
  const published here{"prepared_as_usual"};
  const leaves_no_prepared three{"prepared_three"};
  sluice::blocking_change_stream changes{dsn(), here.passing()};
  here.run("begin; insert into t values (1, 'a'); prepare transaction 'prepared_three'");
  here.run("insert into t values (2, 'small')");
  EXPECT_THAT(told_until("small", changes), ElementsAre());
  psql("commit prepared 'prepared_three'");
  here.run("insert into t values (3, 'small')");
  EXPECT_THAT(told_until("small", changes), ElementsAre(R"(insert t {"id":1,"v":"a"})"));
}

}  // namespace
}  // namespace changes_unfinished_test
