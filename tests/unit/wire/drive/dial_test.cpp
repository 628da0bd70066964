#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include <sluice/stream/client.hpp>

#include "temporary_folder.hpp"

namespace dial_test {
namespace {

/// A Unix socket on which nobody accepts connections, and whose queue is full of them.
class full_listener {
 public:
  full_listener() {
    const std::string path = folder_.path(".s.PGSQL.5432");
    std::memcpy(address_.sun_path, path.c_str(), path.size() + 1);
    const int listening = open();
    EXPECT_EQ(::bind(listening, address(), sizeof address_), 0);
    EXPECT_EQ(::listen(listening, 0), 0);
    while (::connect(open(), address(), sizeof address_) == 0) continue;
    EXPECT_EQ(errno, EAGAIN);
  }
  ~full_listener() {
    for (const int each : descriptors_) ::close(each);
  }
  full_listener(const full_listener&) = delete;
  full_listener& operator=(const full_listener&) = delete;

  [[nodiscard]] std::string dsn() const { return "host=" + folder_.path() + " user=u dbname=d"; }

 private:
  int open() { return descriptors_.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)); }
  [[nodiscard]] const sockaddr* address() const noexcept { return reinterpret_cast<const sockaddr*>(&address_); }

  sluice::test::temporary_folder folder_;
  sockaddr_un address_{.sun_family = AF_UNIX, .sun_path = {}};
  std::vector<int> descriptors_;
};

TEST(Dial, FailsWhereTheQueueOfAUnixSocketIsFull) {
  const full_listener server;
  try {
    const sluice::client db{server.dsn()};
    FAIL() << "nobody has accepted it";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), sluice::errc::connect_failed) << e.what();
    EXPECT_TRUE(e.retryable());
  }
}

}  // namespace
}  // namespace dial_test
