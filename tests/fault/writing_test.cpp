// Faulty answers to what writes: a COMMIT, a COPY, a batch. Each is met in a loop and in a coroutine.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <optional>
#include <ostream>
#include <sluice/sluice.hpp>
#include <sluice/stream/batch.hpp>
#include <sluice/stream/copy.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "faces.hpp"
#include "failures.hpp"
#include "script.hpp"

namespace sluice::test {

namespace {

using namespace std::chrono_literals;

/// What is written.
enum class work : std::uint8_t {
  commit,           ///< a statement in a transaction, and COMMIT
  copy,             ///< COPY of three bytes
  batch,            ///< three rows in a transaction
  batch_by_itself,  ///< three rows
};

struct writing_fault {
  std::string name;
  work what;
  script server;
  errc code{};  ///< zero: no error
  std::string says{};
  bool is_usable{false};

  friend std::ostream& operator<<(std::ostream& out, const writing_fault& f) { return out << f.name; }
};

constexpr query_options soon{.timeout = 1s};
constexpr std::string_view copy_statement{"copy t from stdin"};
constexpr std::string_view batch_statement{"insert into t values ($1)"};

void write(client& db, work what) {
  switch (what) {
    case work::commit: {
      blocking_transaction tx = db.begin();
      tx.execute(sql("update t set n = 1"), soon);
      return tx.commit(soon);
    }
    case work::copy: {
      blocking_copy_data_writer to = db.copy_data(copy_statement, soon);
      to.write("1\n");
      (void)to.finish();
      return;
    }
    case work::batch: {
      blocking_transaction tx = db.begin();
      blocking_batch_writer to = tx.batch(batch_statement, {.timeout = soon.timeout});
      for (int i = 0; i < 3; ++i) to.write(i);
      (void)to.finish();
      return;
    }
    case work::batch_by_itself: {
      blocking_batch_writer to = db.batch(batch_statement, {.timeout = soon.timeout});
      for (int i = 0; i < 3; ++i) to.write(i);
      (void)to.finish();
    }
  }
}

asio::awaitable<void> write(connection& db, work what) {
  if (what == work::commit) {
    transaction tx = co_await db.begin();
    (void)co_await tx.execute(sql("update t set n = 1"), soon);
    co_await tx.commit(soon);
  } else if (what == work::copy) {
    copy_data_writer to = co_await db.copy_data(copy_statement, soon);
    co_await to.write("1\n");
    (void)co_await to.finish();
  } else if (what == work::batch) {
    transaction tx = co_await db.begin();
    batch_writer to = tx.batch(batch_statement, {.timeout = soon.timeout});
    for (int i = 0; i < 3; ++i) co_await to.write(i);
    (void)co_await to.finish();
  } else {
    batch_writer to = db.batch(batch_statement, {.timeout = soon.timeout});
    for (int i = 0; i < 3; ++i) co_await to.write(i);
    (void)co_await to.finish();
  }
}

class WritingFault : public testing::TestWithParam<writing_fault> {
 protected:
  [[nodiscard]] std::string dsn() const { return server_.dsn() + " sslmode=disable connect_timeout=5"; }
  static connection_options options() { return {.leave_timeout = 300ms}; }
  static void expect(const std::optional<error>& seen) {
    const writing_fault& what = GetParam();
    if (what.code == errc{}) {
      EXPECT_FALSE(seen) << seen->what();
      return;
    }
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->code(), what.code) << seen->what();
    EXPECT_NE(std::string_view{seen->what()}.find(what.says), std::string_view::npos) << seen->what();
    EXPECT_EQ(seen->connection_usable(), what.is_usable) << seen->what();
  }

 private:
  // The second connection is for a CancelRequest.
  listener server_{{GetParam().server.play(), script{}.hears().play()}, listener::kind::tcp};
};

TEST_P(WritingFault, EndsAsItMustInALoop) {
  client db{dsn(), options()};
  expect(failure_of([&] {
    write(db, GetParam().what);
    return 0;
  }));
}

TEST_P(WritingFault, EndsAsItMustInACoroutine) {
  const auto body = [](std::string where, work what, std::optional<error>& seen) -> asio::awaitable<void> {
    connection db = co_await connect(where, options());
    try {
      co_await write(db, what);
    } catch (const error& why) {
      seen = why;
    }
  };
  std::optional<error> seen;
  run(body(dsn(), GetParam().what, seen));
  expect(seen);
}

backend begun() { return backend{}.parse_complete().bind_complete().command_complete("BEGIN"); }

std::vector<writing_fault> commits() {
  const backend updated =
      begun().parse_complete().bind_complete().no_data().command_complete("UPDATE 1").ready_for_query('T');
  const auto answered = [&](const backend& messages) {
    return script{}.lets_in().hears().says(updated).hears().says(messages);
  };
  const auto unknown = [&](std::string name, script server, std::string says) {
    return writing_fault{std::move(name), work::commit, std::move(server), errc::outcome_unknown, std::move(says)};
  };
  return {
      {"Good", work::commit, answered(backend{}.command_complete("COMMIT").ready_for_query()).falls_silent()},
      {"RolledBack", work::commit, answered(backend{}.command_complete("ROLLBACK").ready_for_query()).falls_silent(),
       errc::rolled_back, "rolled back instead", true},
      {"Refused", work::commit, answered(backend{}.error("40001", "in the way").ready_for_query()).falls_silent(),
       errc::server_error, "in the way", true},
      {"AnsweredAndLost", work::commit, answered(backend{}.command_complete("COMMIT")).hangs_up()},
      {"AnsweredAndBroken", work::commit, answered(backend{}.command_complete("COMMIT").data_row("{}")).falls_silent()},
      unknown("NotAnswered", answered(backend{}.ready_for_query()).falls_silent(), "message out of order"),
      unknown("AnsweredWithARow", answered(backend{}.data_row("{}")).falls_silent(), "message out of order"),
      unknown("AnsweredInPart", answered(backend{backend{}.command_complete("COMMIT").bytes.substr(0, 9)}).hangs_up(),
              "closed the connection"),
      unknown("Silent", answered(backend{}).falls_silent(), "deadline"),
      unknown("HungUp", answered(backend{}).hangs_up(), "closed the connection"),
      unknown("Reset", answered(backend{}).resets(), "the connection broke"),
      unknown("Terminated", answered(backend{}.error("57P01", "terminating", "FATAL")).hangs_up(), "terminating"),
  };
}

std::vector<writing_fault> copies_in() {
  const auto copies = [](backend messages = {}) {
    return script{}.lets_in().hears().says(backend{}.message('G', std::string_view{"\0\0\1\0\0", 5}).bytes +
                                           messages.bytes);
  };
  const auto broken = [&](std::string name, script server) {
    return writing_fault{std::move(name), work::copy, std::move(server), errc::protocol_violation};
  };
  return {
      {"Good", work::copy,
       copies().hears().says(backend{}.command_complete("COPY 1").ready_for_query()).falls_silent()},
      {"Refused", work::copy,
       copies().hears().says(backend{}.error("22P02", "no number").ready_for_query()).falls_silent(),
       errc::server_error, "no number", true},
      {"RefusedBeforeTheData", work::copy,
       copies(backend{}.error("57014", "too late").ready_for_query()).falls_silent(), errc::server_error, "too late",
       true},
      {"NotBegun", work::copy,
       script{}.lets_in().hears().says(backend{}.command_complete("SELECT 1").ready_for_query()).falls_silent(),
       errc::unsupported_result, "not a COPY FROM STDIN", true},
      broken("EndedWithoutTheData", copies(backend{}.ready_for_query()).falls_silent()),
      broken("BegunTwice", copies(backend{}.message('G', std::string_view{"\0\0\0", 3})).falls_silent()),
      {"BegunInBothDirections", work::copy,
       script{}.lets_in().hears().says(backend{}.message('W', std::string_view{"\0\0\0", 3})).falls_silent(),
       errc::unsupported_result, "COPY BOTH"},
      broken("BegunWithoutItsColumns",
             script{}.lets_in().hears().says(backend{}.message('G', std::string_view{"\0\0\1", 3})).falls_silent()),
      broken("WithARow", copies().hears().says(backend{}.data_row("{}")).falls_silent()),
      {"Silent", work::copy, copies().falls_silent(), errc::deadline_exceeded},
      {"SilentFromTheStart", work::copy, script{}.lets_in().hears().falls_silent(), errc::deadline_exceeded},
      {"HungUp", work::copy, copies().hears().hangs_up(), errc::connection_lost},
      {"Terminated", work::copy, copies().hears().says(backend{}.error("57P01", "terminating", "FATAL")).hangs_up(),
       errc::server_error, "terminating"},
  };
}

backend row_done() { return backend{}.bind_complete().command_complete("INSERT 0 1"); }
backend row_done_by_itself() {
  return backend{}.parse_complete().bind_complete().no_data().command_complete("INSERT 0 1").ready_for_query();
}
std::string three(const backend& each) { return each.bytes + each.bytes + each.bytes; }

std::vector<writing_fault> batches() {
  const std::string before = begun().parse_complete().parameter_description({23}).no_data().bytes;
  const auto answered = [&](const std::string& bytes) { return script{}.lets_in().hears().says(before + bytes); };
  const std::string ready = backend{}.ready_for_query('T').bytes;
  const auto broken = [&](std::string name, const std::string& bytes) {
    return writing_fault{std::move(name), work::batch, answered(bytes).falls_silent(), errc::protocol_violation};
  };
  const std::string refusal = backend{}.bind_complete().error("23505", "double").bytes;
  // ROLLBACK is heard at the end of a transaction that is left.
  const backend rolled_back = backend{}.command_complete("ROLLBACK").ready_for_query();
  return {
      {"Good", work::batch, answered(three(row_done()) + ready).hears().says(rolled_back).falls_silent()},
      {"RowRefused", work::batch,
       answered(row_done().bytes + refusal + backend{}.ready_for_query('E').bytes)
           .hears()
           .says(rolled_back)
           .falls_silent(),
       errc::server_error, "(row 2 of the batch)", true},
      {"CopyInstead", work::batch,
       answered(backend{}.bind_complete().message('G', std::string_view{"\0\0\0", 3}).bytes).falls_silent(),
       errc::unsupported_result, "COPY FROM STDIN"},
      broken("TooFewAnswers", row_done().bytes + row_done().bytes + ready),
      broken("TooManyAnswers", three(row_done()) + row_done().bytes + ready),
      broken("PortalSuspended", backend{}.bind_complete().portal_suspended().bytes),
      broken("RowWithoutColumns", backend{}.bind_complete().data_row("{}").bytes),
      broken("AnswersAfterAnError", refusal + row_done().bytes),
      broken("TagWithoutAnEnd", backend{}.bind_complete().message('C', "INSERT 0 1").bytes),
      {"Silent", work::batch, answered(row_done().bytes).falls_silent(), errc::deadline_exceeded, "1 of 3 rows"},
      {"HungUp", work::batch, answered(row_done().bytes).hangs_up(), errc::connection_lost, "1 of 3 rows"},
      {"Terminated", work::batch,
       answered(row_done().bytes + backend{}.error("57P01", "terminating", "FATAL").bytes).hangs_up(),
       errc::server_error, "1 of 3 rows"},
  };
}

std::vector<writing_fault> batches_by_themselves() {
  const auto answered = [](const std::string& bytes) { return script{}.lets_in().hears().says(bytes); };
  const auto broken = [&](std::string name, const std::string& bytes) {
    return writing_fault{std::move(name), work::batch_by_itself, answered(bytes).falls_silent(),
                         errc::protocol_violation};
  };
  const std::string done = row_done_by_itself().bytes;
  const std::string refused = backend{}.parse_complete().error("23505", "double").bytes;
  const std::string ready = backend{}.ready_for_query().bytes;
  return {
      {"Good", work::batch_by_itself, answered(three(row_done_by_itself())).falls_silent()},
      {"RowRefused", work::batch_by_itself, answered(done + refused + ready + done).falls_silent(), errc::server_error,
       "(row 2 of the batch)", true},
      broken("WithoutItsEnd",
             done + backend{}.parse_complete().bind_complete().no_data().command_complete("INSERT 0 1").bytes + done),
      broken("RefusedWithoutItsEnd", refused + done),
      broken("EndedTwice", done + ready),
      broken("StatusUnknown", backend{}.parse_complete().error("23505", "double").ready_for_query('X').bytes),
      {"Silent", work::batch_by_itself, answered(done + refused).falls_silent(), errc::deadline_exceeded,
       "2 of 3 rows"},
      {"HungUp", work::batch_by_itself, answered(done + done).hangs_up(), errc::connection_lost, "2 of 3 rows"},
  };
}

std::string fault_name(const testing::TestParamInfo<writing_fault>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Commits, WritingFault, testing::ValuesIn(commits()), fault_name);
INSTANTIATE_TEST_SUITE_P(CopiesIn, WritingFault, testing::ValuesIn(copies_in()), fault_name);
INSTANTIATE_TEST_SUITE_P(Batches, WritingFault, testing::ValuesIn(batches()), fault_name);
INSTANTIATE_TEST_SUITE_P(BatchesByThemselves, WritingFault, testing::ValuesIn(batches_by_themselves()), fault_name);

}  // namespace

}  // namespace sluice::test
