#pragma once
// Stands between a client and a real server on 127.0.0.1, passes every byte on, counts what the server sends, and how
// often they waited for each other.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>

namespace sluice::test {

/// One connection's relay.
class relay {
 public:
  explicit relay(std::uint16_t server_port) {
    sockaddr_in address = loopback(0);
    listening_ = ::socket(AF_INET, SOCK_STREAM, 0);
    socklen_t size = sizeof address;
    if (::bind(listening_, reinterpret_cast<const sockaddr*>(&address), size) != 0 || ::listen(listening_, 1) != 0 ||
        ::getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("cannot listen");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread{[this, server_port] { serve(server_port); }};
  }
  ~relay() {
    ::shutdown(listening_, SHUT_RDWR);
    thread_.join();
    ::close(listening_);
  }
  relay(const relay&) = delete;
  relay& operator=(const relay&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  /// How often the client spoke after the server had, the first time included: round trips, when the server answered
  /// the last.
  [[nodiscard]] int flights() const noexcept { return flights_; }

  /// Bytes that the server has sent.
  [[nodiscard]] std::uint64_t from_server() const noexcept { return from_server_; }

 private:
  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
  }

  void serve(std::uint16_t server_port) {
    const int client = ::accept(listening_, nullptr, nullptr);
    if (client < 0) return;
    const int server = ::socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in address = loopback(server_port);
    if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      bool servers_turn = false;
      std::array<pollfd, 2> both{pollfd{client, POLLIN, 0}, pollfd{server, POLLIN, 0}};
      for (bool open = true; open && ::poll(both.data(), both.size(), -1) > 0;) {
        if (both[0].revents != 0) {
          if (!servers_turn) ++flights_;
          servers_turn = true;
          open = pass(client, server);
        } else if (both[1].revents != 0) {
          servers_turn = false;
          open = pass(server, client, &from_server_);
        }
      }
    }
    ::close(server);
    ::close(client);
  }

  static bool pass(int from, int to, std::atomic<std::uint64_t>* counted = nullptr) {
    std::array<char, 65536> bytes{};
    const ssize_t count = ::recv(from, bytes.data(), bytes.size(), 0);
    if (counted != nullptr && count > 0) *counted += static_cast<std::uint64_t>(count);
    for (ssize_t sent = 0; sent < count;) {
      const ssize_t now = ::send(to, bytes.data() + sent, static_cast<std::size_t>(count - sent), MSG_NOSIGNAL);
      if (now <= 0) return false;
      sent += now;
    }
    return count > 0;
  }

  int listening_{-1};
  std::uint16_t port_{};
  std::atomic<int> flights_{0};
  std::atomic<std::uint64_t> from_server_{0};
  std::thread thread_;
};

}  // namespace sluice::test
