// Waits over TCP while rows flow: they end when there is much to read, when little comes for a moment, and at the end.
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_future.hpp>
#include <asio/write.hpp>

#include <sys/socket.h>

#include "transport/link.hpp"

namespace low_water_test {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;
using sluice::wire::link;

enum class by { thread, coroutine };

/// A link over TCP.
class LowWater : public testing::TestWithParam<by> {
 protected:
  LowWater() {
    tcp::acceptor listening{context_, {asio::ip::address_v4::loopback(), 0}};
    tcp::socket ours{context_};
    ours.connect(listening.local_endpoint());
    server_ = listening.accept();
    server_.set_option(tcp::no_delay{true});
    link_ = std::make_unique<link>(sluice::wire::socket{std::move(ours)}, sluice::proto::limits{}, 64U << 10U);
  }

  void say(const std::string& bytes) { asio::write(server_, asio::buffer(bytes)); }

  void wait() {
    link_->set_deadline(sluice::wire::from_now(deadline_));
    if (GetParam() == by::thread) return link_->wait(nullptr);
    const auto waits = [](link& io) -> asio::awaitable<void> {
      link::waiting mine;
      co_await io.ready(mine);
      const asio::cancellation_state asked = co_await asio::this_coro::cancellation_state;
      io.check_wait(mine, asked);
    };
    auto done = asio::co_spawn(context_, waits(*link_), asio::use_future);
    context_.restart();
    while (done.wait_for(0s) != std::future_status::ready) context_.run_one();
    done.get();
  }

  /// One wait, and what it brought.
  /// @return bytes; 0: the stream has ended
  std::size_t receive() {
    for (;;) {
      wait();
      if (link_->transfer(1) == link::moved::end) return 0;
      const std::size_t came = link_->in.arrived().size();
      link_->in.consume(came);
      if (came != 0) return came;
    }
  }
  /// @return whether they came
  bool receive(std::size_t count) {
    while (count != 0) {
      const std::size_t came = receive();
      if (came == 0 || came > count) return false;
      count -= came;
    }
    return true;
  }
  /// Bytes flow until it is raised.
  /// @return how many are still to come
  std::size_t flow() {
    constexpr std::size_t many = 1'000'000;
    for (int tries = 0; tries < 100; ++tries) {  // a busy machine may take long for each read
      say(std::string(many, 'x'));
      for (std::size_t left = many; left != 0;) {
        left -= receive();
        if (low_water() > 1) return left;
      }
    }
    ADD_FAILURE() << "it is never raised";
    return 0;
  }

  [[nodiscard]] int low_water() const {
    int bytes = 0;
    socklen_t size = sizeof bytes;
    EXPECT_EQ(::getsockopt(link_->native_handle(), SOL_SOCKET, SO_RCVLOWAT, &bytes, &size), 0);
    return bytes;
  }

  asio::io_context context_{1};
  std::chrono::seconds deadline_{20};
  tcp::socket server_{context_};
  std::unique_ptr<link> link_;
};

TEST_P(LowWater, DoesNotHoldBackTheLastBytes) {
  EXPECT_TRUE(receive(flow()));
  say("the last row");
  EXPECT_TRUE(receive(12));
  EXPECT_EQ(low_water(), 1) << "nothing more came";
}

TEST_P(LowWater, DoesNotHoldBackTheEnd) {
  const std::size_t left = flow();
  server_.close();
  EXPECT_TRUE(receive(left));
  EXPECT_EQ(receive(), 0U);
}

TEST_P(LowWater, IsLowForTheAnswerToWhatIsSent) {
  EXPECT_TRUE(receive(flow()));
  link_->out.resize(5);
  link_->flush();
  say("an answer");
  EXPECT_TRUE(receive(9));
  EXPECT_EQ(low_water(), 1);
}

TEST_P(LowWater, DoesNotOutliveTheDeadline) {
  EXPECT_TRUE(receive(flow()));
  deadline_ = 0s;
  EXPECT_THROW((void)receive(), sluice::error);
}

INSTANTIATE_TEST_SUITE_P(Waits, LowWater, testing::Values(by::thread, by::coroutine),
                         [](const auto& each) { return each.param == by::thread ? "InAThread" : "InACoroutine"; });

}  // namespace
}  // namespace low_water_test
