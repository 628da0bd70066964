// Trouble on the client's machine: no free descriptors, interrupted system calls, a server that never reads, a server
// that reads only after it has been read from.
#include <gtest/gtest.h>
#include <sys/time.h>

#include <algorithm>
#include <csignal>
#include <sluice/sluice.hpp>
#include <string>
#include <thread>

#include "faces.hpp"
#include "script.hpp"

namespace machine_test {
namespace {

using namespace std::chrono_literals;
using namespace sluice::test;
using sluice::errc;

template <class Face>
class Machine : public testing::Test {};
using faces = testing::Types<blocking_face, coroutine_face>;
TYPED_TEST_SUITE(Machine, faces);

/// Raises a signal every millisecond, without SA_RESTART.
class interruptions {
 public:
  interruptions() {
    struct sigaction action{};
    action.sa_handler = [](int) { count = count + 1; };
    ::sigaction(SIGALRM, &action, &before_);
    const itimerval often{{0, 1'000}, {0, 1'000}};
    ::setitimer(ITIMER_REAL, &often, nullptr);
  }
  ~interruptions() {
    const itimerval never{};
    ::setitimer(ITIMER_REAL, &never, nullptr);
    ::sigaction(SIGALRM, &before_, nullptr);
  }
  interruptions(const interruptions&) = delete;
  interruptions& operator=(const interruptions&) = delete;

  inline static volatile std::sig_atomic_t count = 0;

 private:
  struct sigaction before_{};
};

TYPED_TEST(Machine, ThatInterruptsEveryCallLosesNothing) {
  const std::string answer = rows(2'000).command_complete("SELECT 2000").ready_for_query().bytes;
  sigset_t alarms{};
  sigemptyset(&alarms);
  sigaddset(&alarms, SIGALRM);
  // Blocked while the server's threads start, so that the signals interrupt only this thread.
  pthread_sigmask(SIG_BLOCK, &alarms, nullptr);
  const listener server{{script{}
                             .lets_in()
                             .hears()
                             .drips(answer.substr(0, 300), 1ms)
                             .says(answer.substr(300))
                             .hears()
                             .says(backend{}.command_complete("SELECT 1").ready_for_query())
                             .falls_silent()
                             .play()}};
  pthread_sigmask(SIG_UNBLOCK, &alarms, nullptr);
  const interruptions often;
  const outcome seen = TypeParam::ask(server.dsn(), sluice::from("t"));
  EXPECT_FALSE(seen.failure) << seen.failure->what();
  EXPECT_EQ(seen.rows.size(), 2'000U);
  EXPECT_GT(interruptions::count, 50);
}

sluice::query large_query() {
  return sluice::sql("select to_json($1::text)", std::string(32U << 20U, 'x')).as_document();
}

TYPED_TEST(Machine, WhoseServerTakesNothingIsLeftAtTheDeadline) {
  const listener server{{[](const server_end& client) {
                          client.let_in();
                          (void)client.hears_something_within(60'000);
                          std::this_thread::sleep_for(1s);  // reads nothing more
                        }},
                        listener::kind::tcp};
  const outcome seen =
      TypeParam::ask(server.dsn() + " sslmode=disable", large_query(), {.timeout = 300ms}, {.leave_timeout = 200ms});
  ASSERT_TRUE(seen.failure);
  EXPECT_EQ(seen.failure->code(), errc::deadline_exceeded) << seen.failure->what();
  EXPECT_FALSE(seen.usable);
}

// If a pending write kept the client from reading, both sides would wait forever.
TYPED_TEST(Machine, WhoseServerSpeaksBeforeItListensIsHeard) {
  const listener server{{[](const server_end& client) {
                          client.let_in();
                          (void)client.hears_something_within(60'000);
                          const std::string notice = backend{}.notice(std::string(20'000, 'n')).bytes;
                          for (int i = 0; i < 1'000; ++i)
                            if (!client.try_send(notice)) return;
                          for (std::size_t left = 32U << 20U; left != 0;) {
                            const std::size_t count = client.receive().size();
                            if (count == 0) return;
                            left -= std::min(left, count);
                          }
                          client.send(rows(1).command_complete("SELECT 1").ready_for_query().bytes);
                          (void)client.receive();
                          client.send(backend{}.command_complete("SELECT 1").ready_for_query().bytes);
                          client.receive_all();
                        }},
                        listener::kind::tcp};
  const outcome seen =
      TypeParam::ask(server.dsn() + " sslmode=disable", large_query(), {.timeout = 20s}, {.leave_timeout = 200ms});
  EXPECT_FALSE(seen.failure) << seen.failure->what();
  EXPECT_EQ(seen.rows.size(), 1U);
  EXPECT_TRUE(seen.usable);
}

}  // namespace
}  // namespace machine_test
