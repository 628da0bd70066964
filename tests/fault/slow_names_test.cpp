// A name server that does not answer: this program's getaddrinfo blocks until the test releases it.
#include <dlfcn.h>
#include <netdb.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string_view>

#include <gtest/gtest.h>
#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>

#include <sluice/sluice.hpp>
#include <sluice/stream/async.hpp>

namespace {

using namespace std::chrono_literals;

constexpr std::string_view slow_name{"slow.invalid"};

/// Blocks lookups of the slow name, one at a time, until the test answers. If the test never does, the lookup ends by
/// itself, so that the test fails instead of hanging.
class name_server {
 public:
  /// @pre a lookup of the slow name has begun or is about to begin
  void answer() {
    std::unique_lock locked{mutex_};
    news_.wait(locked, [this] { return is_ == state::asked || is_ == state::ended; });
    if (is_ == state::asked) is_ = state::answered;
    news_.notify_all();
  }
  [[nodiscard]] bool was_asked() const {
    const std::lock_guard locked{mutex_};
    return is_ == state::asked;
  }
  /// Waits for the end of the lookup.
  /// @return whether it ended without an answer
  [[nodiscard]] bool gave_up() {
    std::unique_lock locked{mutex_};
    news_.wait(locked, [this] { return is_ == state::ended; });
    is_ = state::unasked;
    return gave_up_;
  }

  /// Called by the lookup; returns when the lookup may end.
  void block() {
    std::unique_lock locked{mutex_};
    is_ = state::asked;
    news_.notify_all();
    gave_up_ = !news_.wait_for(locked, 20s, [this] { return is_ == state::answered; });
    is_ = state::ended;
    news_.notify_all();
  }

 private:
  enum class state : std::uint8_t { unasked, asked, answered, ended };

  mutable std::mutex mutex_;
  std::condition_variable news_;
  state is_{state::unasked};
  bool gave_up_{false};
};

name_server& server() {
  static name_server one;
  return one;
}

TEST(SlowNames, ABlockingCallReturnsAtItsDeadline) {
  sluice::conninfo info = sluice::conninfo::parse("host=slow.invalid user=somebody");
  info.connect_timeout = 20ms;
  try {
    const sluice::client db{info};
    ADD_FAILURE() << "connected";
  } catch (const sluice::error& failure) {
    EXPECT_EQ(failure.code(), sluice::errc::deadline_exceeded) << failure.what();
  }
  server().answer();
  EXPECT_FALSE(server().gave_up()) << "the call returned only after the lookup";
}

TEST(SlowNames, ACoroutineMayBeDestroyedWithItsContext) {
  {
    asio::io_context context;
    asio::co_spawn(context, sluice::connect("host=slow.invalid user=somebody"), asio::detached);
    while (!server().was_asked()) context.poll();
    context.poll();
  }
  server().answer();
  EXPECT_FALSE(server().gave_up());
}

}  // namespace

// Replaces the system's function, and forwards all other names to it.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** found) {
  if (name != nullptr && name == slow_name) {
    server().block();
    return EAI_AGAIN;
  }
  const auto system = reinterpret_cast<decltype(&getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return system(name, service, hints, found);
}
