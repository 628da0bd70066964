#pragma once
// The server's share of the time: reads an answer from the socket and discards it.
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace sluice::bench {

/// A session on the private server's Unix socket that looks only at the last bytes of an answer. It sleeps briefly
/// between reads, because waking up for each of the server's writes costs both sides more than the bytes do.
class recv_loop {
 public:
  recv_loop() : descriptor_{::socket(AF_UNIX, SOCK_STREAM, 0)} {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    const std::string path = std::string{std::getenv("PGHOST")} + "/.s.PGSQL." + std::getenv("PGPORT");
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("connect");
    std::string startup{"\0\x03\0\0", 4};  // the protocol's version, 3.0
    for (const char* text : {"user", "sluice", "database", "sluice", ""}) startup.append(text).append(1, '\0');
    send({}, startup);
    (void)read_answer();
  }
  ~recv_loop() { (void)::close(descriptor_); }
  recv_loop(const recv_loop&) = delete;
  recv_loop& operator=(const recv_loop&) = delete;

  /// @return the number of bytes received
  std::size_t ask(const std::string& sql) {
    send("Q", sql + '\0');
    return read_answer();
  }
  /// The same, with all columns in the binary format.
  std::size_t ask_in_binary(const std::string& sql) {
    using namespace std::string_literals;
    send("P", "\0"s + sql + "\0\0\0"s);
    send("B", "\0\0\0\0\0\0\0\1\0\1"s);
    send("E", "\0\0\0\0\0"s);
    send("S", {});
    return read_answer();
  }

 private:
  [[noreturn]] static void fail(const char* what) { throw std::system_error{errno, std::generic_category(), what}; }

  void send(std::string_view type, const std::string& body) const {
    std::string message{type};
    const auto length = static_cast<std::uint32_t>(body.size() + 4);
    for (const unsigned shift : {24U, 16U, 8U, 0U}) message += static_cast<char>(length >> shift);
    message += body;
    if (::send(descriptor_, message.data(), message.size(), 0) != static_cast<ssize_t>(message.size())) fail("send");
  }

  std::size_t read_answer() {
    constexpr std::string_view ready{"Z\0\0\0\5I", 6};
    std::size_t bytes = 0;
    for (;;) {
      const timespec moment{.tv_sec = 0, .tv_nsec = 30'000};
      (void)::nanosleep(&moment, nullptr);
      const ssize_t got = ::recv(descriptor_, buffer_.data(), buffer_.size(), 0);
      if (got < 0) fail("recv");
      if (got == 0) throw std::runtime_error{"the server went"};
      bytes += static_cast<std::size_t>(got);
      if (std::string_view{buffer_.data(), static_cast<std::size_t>(got)}.ends_with(ready)) return bytes;
    }
  }

  int descriptor_;
  std::vector<char> buffer_ = std::vector<char>(std::size_t{64} << 10U);
};

}  // namespace sluice::bench
