// Leaving a query when the server does not cooperate: the connection of the CancelRequest is refused, cut, or answered
// with garbage or not at all, and the query ends or does not. The connection is usable again or closed within the time
// allowed.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <ostream>
#include <sluice/sluice.hpp>

#include "faces.hpp"
#include "script.hpp"

namespace leaving_test {
namespace {

using namespace std::chrono_literals;
using namespace sluice::test;
using sluice::leaving;

/// What the server does on the connection of a CancelRequest, after reading it.
struct bad_cancel {
  const char* name;
  script answer;
  leaving when_obeyed;  ///< the outcome if the query ends as requested
};
std::ostream& operator<<(std::ostream& out, const bad_cancel& one) { return out << one.name; }

class CancelRequest : public testing::TestWithParam<bad_cancel> {
 protected:
  /// Sends rows until a CancelRequest arrives; then ends the query or keeps sending.
  [[nodiscard]] listener::conversation rows_until_asked(bool obeys) const {
    return [asked = asked_, obeys](const server_end& client) {
      client.let_in();
      (void)client.receive();
      client.send(rows(1).bytes);
      while (!(obeys && *asked))
        if (!client.try_send(backend{}.data_row("{}").bytes)) return;
      client.send(backend{}.error("57014", "canceling statement due to user request").ready_for_query().bytes);
      (void)client.receive();
      client.send(rows(1).command_complete("SELECT 1").ready_for_query().bytes);
      client.receive_all();
    };
  }
  [[nodiscard]] listener::conversation bad_answer() const {
    return [asked = asked_, play = GetParam().answer.play()](server_end client) {
      const std::string request = client.receive();
      if (request.empty()) return;  // the client's time was over before it had sent it
      EXPECT_EQ(request.size(), 16U);
      *asked = true;
      play(std::move(client));
    };
  }
  [[nodiscard]] std::vector<listener::conversation> server(bool obeys) const {
    std::vector<listener::conversation> all(20, bad_answer());  // the client may repeat the request
    all.insert(all.begin(), rows_until_asked(obeys));
    return all;
  }

 private:
  std::shared_ptr<std::atomic<bool>> asked_ = std::make_shared<std::atomic<bool>>(false);
};

const sluice::connection_options in_short{.leave_timeout = 500ms};

leaving leave_after_first_row(sluice::client& db) {
  sluice::row_range rows = db.stream(sluice::from("t"));
  EXPECT_TRUE(rows.next());
  return rows.cancel();
}

TEST_P(CancelRequest, ThatIsObeyedFreesTheConnection) {
  const listener hostile{server(true), listener::kind::tcp};
  sluice::client db{hostile.dsn() + " sslmode=disable", in_short};
  EXPECT_EQ(leave_after_first_row(db), GetParam().when_obeyed);
  EXPECT_EQ(db.is_closed(), GetParam().when_obeyed == leaving::closed);
  if (!db.is_closed()) {
    std::size_t count = 0;
    for ([[maybe_unused]] const sluice::row row : db.stream(sluice::from("t"))) ++count;
    EXPECT_EQ(count, 1U);
  }
}

TEST_P(CancelRequest, ThatIsIgnoredClosesTheConnection) {
  const listener hostile{server(false), listener::kind::tcp};
  sluice::client db{hostile.dsn() + " sslmode=disable", in_short};
  EXPECT_EQ(leave_after_first_row(db), leaving::closed);
  EXPECT_TRUE(db.is_closed());
}

asio::awaitable<leaving> leave_in_a_coroutine(std::string dsn) {
  sluice::connection db = co_await sluice::connect(dsn, in_short);
  const sluice::query query = sluice::from("t");
  sluice::row_stream rows = co_await db.stream(query);
  (void)co_await rows.next();
  co_return co_await rows.cancel();
}

TEST_P(CancelRequest, EndsInACoroutineToo) {
  for (const bool obeys : {true, false}) {
    const listener hostile{server(obeys), listener::kind::tcp};
    EXPECT_EQ(run(leave_in_a_coroutine(hostile.dsn() + " sslmode=disable")),
              obeys ? GetParam().when_obeyed : leaving::closed);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Of, CancelRequest,
    testing::Values(bad_cancel{"Closed", script{}.hangs_up(), leaving::cancelled},
                    bad_cancel{"Reset", script{}.resets(), leaving::cancelled},
                    bad_cancel{"Noise", script{}.says("HTTP/1.1 400\r\n\r\n").hangs_up(), leaving::cancelled},
                    bad_cancel{"NoiseWithoutEnd", script{}.repeats(backend{}.notice()), leaving::closed},
                    bad_cancel{"Silence", script{}.falls_silent(), leaving::closed}),
    [](const auto& of) { return of.param.name; });

}  // namespace
}  // namespace leaving_test
