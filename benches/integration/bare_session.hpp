#pragma once
// A session on the private server's Unix socket without a client: whoever uses it writes messages and reads bytes. And
// a loop that reads several of them in one thread.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace sluice::bench {

class bare_session {
 public:
  bare_session() : descriptor_{::socket(AF_UNIX, SOCK_STREAM, 0)} {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    const std::string path = std::string{std::getenv("PGHOST")} + "/.s.PGSQL." + std::getenv("PGPORT");
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("connect");
    std::string startup{"\0\x03\0\0", 4};  // the protocol's version, 3.0
    for (const char* text : {"user", "sluice", "database", "sluice", ""}) startup.append(text).append(1, '\0');
    write(message({}, startup));
    while (!is_ready(read())) continue;
  }
  ~bare_session() { (void)::close(descriptor_); }
  bare_session(const bare_session&) = delete;
  bare_session& operator=(const bare_session&) = delete;

  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

  [[nodiscard]] static std::string message(std::string_view type, std::string_view body) {
    std::string made{type};
    const auto length = static_cast<std::uint32_t>(body.size() + 4);
    for (const unsigned shift : {24U, 16U, 8U, 0U}) made += static_cast<char>(length >> shift);
    return made.append(body);
  }

  void write(std::string_view bytes) const {
    if (::send(descriptor_, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) fail("send");
  }
  /// @return what one read brings; valid until the next
  std::string_view read() {
    const ssize_t got = ::recv(descriptor_, buffer_.data(), buffer_.size(), 0);
    if (got < 0) fail("recv");
    if (got == 0) throw std::runtime_error{"the server went"};
    return {buffer_.data(), static_cast<std::size_t>(got)};
  }
  /// Whether an answer ends with these bytes.
  [[nodiscard]] static bool is_ready(std::string_view bytes) noexcept {
    constexpr std::string_view ready{"Z\0\0\0\5I", 6};
    return bytes.ends_with(ready);
  }

 private:
  [[noreturn]] static void fail(const char* what) { throw std::system_error{errno, std::generic_category(), what}; }

  int descriptor_;
  std::vector<char> buffer_ = std::vector<char>(std::size_t{64} << 10U);
};

/// Sessions that one thread reads, each as soon as something arrives.
class bare_loop {
 public:
  explicit bare_loop(std::size_t sessions) : on_(sessions) {
    for (bare_session& each : on_) {
      epoll_event wanted{.events = EPOLLIN, .data = {.ptr = &each}};
      if (::epoll_ctl(reactor_, EPOLL_CTL_ADD, each.descriptor(), &wanted) != 0) throw std::runtime_error{"epoll_ctl"};
    }
  }
  ~bare_loop() { (void)::close(reactor_); }
  bare_loop(const bare_loop&) = delete;
  bare_loop& operator=(const bare_loop&) = delete;

  [[nodiscard]] std::deque<bare_session>& sessions() noexcept { return on_; }

  /// Reads until no session has an answer to expect.
  /// @param answered  called with a session whose answer is complete: whether it was asked something else
  /// @return the bytes that were read
  template <class Answered>
  std::size_t run(const Answered& answered) {
    std::size_t bytes = 0;
    std::array<epoll_event, 16> ready{};
    for (std::size_t under_way = on_.size(); under_way != 0;) {
      const int count = ::epoll_wait(reactor_, ready.data(), static_cast<int>(ready.size()), -1);
      for (int i = 0; i < count; ++i) {
        auto& from = *static_cast<bare_session*>(ready.at(static_cast<std::size_t>(i)).data.ptr);
        const std::string_view some = from.read();
        bytes += some.size();
        if (bare_session::is_ready(some) && !answered(from)) --under_way;
      }
    }
    return bytes;
  }

 private:
  std::deque<bare_session> on_;
  int reactor_{::epoll_create1(EPOLL_CLOEXEC)};
};

}  // namespace sluice::bench
