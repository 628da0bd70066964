// Another user's process listens where a server is expected. On a Unix socket, the kernel tells who the peer is.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <optional>
#include <sluice/sluice.hpp>
#include <string>
#include <thread>

#include "bytes.hpp"
#include "script.hpp"
#include "tls_server.hpp"

namespace squatters_test {
namespace {

using namespace std::chrono_literals;
using namespace sluice::test;
using sluice::errc;

constexpr uid_t nobody = 65534;

/// Runs `work` as another user. The raw system call affects only this thread; the C library's function would affect
/// all.
template <class Work>
void as_nobody(Work work) {
  std::thread{[&] {
    ASSERT_EQ(::syscall(SYS_setresuid, -1, nobody, -1), 0);
    work();
  }}.join();
}

class Squatter : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can listen as somebody else";
  }
};

errc code_of(const sluice::conninfo& info) {
  try {
    const sluice::client db{info};
  } catch (const sluice::error& e) {
    return static_cast<errc>(e.code().value());
  }
  return errc{};
}

TEST_F(Squatter, GetsNoPasswordInClearText) {
  std::atomic<int> secrets{0};
  const auto asks_with = [&secrets](const backend& question) {
    return [&secrets, bytes = question.bytes](const server_end& client) {
      (void)client.receive();
      client.send(bytes);
      if (!client.receive().empty()) ++secrets;
    };
  };
  const backend bearer = backend{}.authentication(10, raw("OAUTHBEARER\0\0"));
  std::optional<listener> squatter;
  as_nobody([&] {
    squatter.emplace(std::vector<listener::conversation>{asks_with(backend{}.authentication(3)), asks_with(bearer)});
  });
  sluice::conninfo info = sluice::conninfo::parse(squatter->dsn() + " password=hunter2");
  info.token = []() -> sluice::secret { return "abc.def"; };
  EXPECT_EQ(code_of(info), errc::auth_method) << "a password";
  EXPECT_EQ(code_of(info), errc::auth_method) << "a token";
  squatter.reset();
  EXPECT_EQ(secrets, 0);
}

TEST_F(Squatter, WhomRequirepeerNamesIsNone) {
  std::string heard;
  std::optional<listener> server;
  as_nobody([&] {
    server.emplace(std::vector<listener::conversation>{[&](const server_end& client) {
      (void)client.receive();
      client.send(backend{}.authentication(3).bytes);
      heard = client.receive();
      client.send(backend{}.authentication_ok().ready_for_query().bytes);
      client.receive_all();
    }});
  });
  EXPECT_EQ(code_of(sluice::conninfo::parse(server->dsn() + " password=hunter2 requirepeer=nobody")), errc{});
  server.reset();
  EXPECT_NE(heard.find("hunter2"), std::string::npos);
}

/// Takes the server's place: listens at `path` as another user.
class usurper {
 public:
  explicit usurper(const std::string& path) : descriptor_{::socket(AF_UNIX, SOCK_STREAM, 0)} {
    (void)::unlink(path.c_str());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    EXPECT_EQ(::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    as_nobody([this] { EXPECT_EQ(::listen(descriptor_, 4), 0); });
    listening_ = std::thread{[this] {
      for (;;) {
        const int accepted = ::accept(descriptor_, nullptr, nullptr);
        if (accepted < 0) return;
        const server_end client{accepted};
        heard_ += client.receive().size();
      }
    }};
  }
  ~usurper() { stop(); }
  usurper(const usurper&) = delete;
  usurper& operator=(const usurper&) = delete;

  std::size_t heard() {
    stop();
    return heard_;
  }

 private:
  void stop() {
    if (!listening_.joinable()) return;
    ::shutdown(descriptor_, SHUT_RDWR);
    listening_.join();
    ::close(descriptor_);
  }

  int descriptor_;
  std::size_t heard_{0};
  std::thread listening_;
};

TEST_F(Squatter, GetsNoKeyToCancelWith) {
  const listener server{{script{}.lets_in().hears().says(rows(1)).falls_silent().play()}};
  const sluice::connection_options in_short{.leave_timeout = 500ms};
  sluice::client db{server.dsn(), in_short};
  sluice::row_range rows = db.stream(sluice::from("t"));
  EXPECT_TRUE(rows.next());
  const std::string folder = server.dsn().substr(5, server.dsn().find(' ') - 5);
  usurper other{folder + "/.s.PGSQL.5432"};
  EXPECT_EQ(rows.cancel(), sluice::leaving::closed);
  EXPECT_EQ(other.heard(), 0U);
}

struct refused_name {
  const char* common_name;
  const char* others;  ///< subjectAltName
  const char* host;
  const char* says;
};

TEST(Certificate, OfWhichLibpqIsLessStrictSaysWhatItLacks) {
  for (const auto& [common_name, others, host, says] :
       {refused_name{"127.0.0.1", nullptr, "127.0.0.1", "in its subjectAltName, as an IP address"},
        refused_name{"x", "DNS:127.0.0.1", "127.0.0.1", "in its subjectAltName, as an IP address"},
        refused_name{"x", "DNS:*.test", "bug.test", "a wildcard stands for one label, before two others at least"}}) {
    const tls_identity identity{common_name, others};
    const listener server{{[&](const server_end& client) {
                            (void)client.receive();
                            client.send("S");
                            const tls_end secured{client, identity};
                          }},
                          listener::kind::tcp};
    std::string dsn = server.dsn();
    dsn.replace(dsn.find("host="), 5, "host=" + std::string{host} + " hostaddr=");
    try {
      const sluice::client db{dsn + " sslmode=verify-full sslrootcert=" + identity.root()};
      ADD_FAILURE() << host;
    } catch (const sluice::error& e) {
      EXPECT_EQ(e.code(), errc::tls_failed);
      EXPECT_NE(std::string{e.what()}.find(says), std::string::npos) << e.what();
    }
  }
}

}  // namespace
}  // namespace squatters_test
