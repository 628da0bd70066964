#pragma once
// A proxy between a client and a real server on 127.0.0.1. It forwards every byte, and counts the server's bytes and
// the round trips. It can also record what the server sends, or cut the connection in the middle of what either
// side sends.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace sluice::test {

/// What happens when a connection is cut.
enum class cut : std::uint8_t {
  close,    ///< FIN
  reset,    ///< RST
  silence,  ///< nothing more is forwarded until the client closes the connection
};

/// The proxy of one connection.
class relay {
 public:
  static constexpr std::uint64_t all = std::numeric_limits<std::uint64_t>::max();

  /// @param bytes  of the server, after which the connection is cut
  /// @param delay  added to everything that is forwarded
  explicit relay(std::uint16_t server_port, std::uint64_t bytes = all, cut how = cut::close,
                 std::chrono::milliseconds delay = {})
      : left_{bytes}, how_{how}, delay_{delay} {
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
    if (thread_.joinable()) thread_.join();
    ::close(listening_);
  }
  relay(const relay&) = delete;
  relay& operator=(const relay&) = delete;

  /// Cuts the connection after so many bytes of the client. To be called before it connects.
  void cut_requests_after(std::uint64_t bytes) noexcept { requests_left_ = bytes; }

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  /// How often the client sent something after the server had, counting the first time: the number of round trips, if
  /// the server answered the last one.
  [[nodiscard]] int flights() const noexcept { return flights_; }

  /// The bytes of the client that were passed on so far.
  [[nodiscard]] std::uint64_t from_client() const noexcept { return all - requests_left_; }
  /// The bytes that the server has sent so far.
  [[nodiscard]] std::uint64_t from_server() const noexcept { return from_server_; }

  /// What the server sent between the client's turns, one string per turn. Call it once, after the client has closed
  /// the connection.
  [[nodiscard]] std::vector<std::string> conversation() {
    thread_.join();
    return std::move(answers_);
  }

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
        std::this_thread::sleep_for(delay_);
        if (both[0].revents != 0) {
          if (!servers_turn) {
            ++flights_;
            answers_.emplace_back();
          }
          servers_turn = true;
          open = pass_on(client, server);
        } else if (both[1].revents != 0) {
          servers_turn = false;
          open = answer(server, client);
        }
      }
    }
    ::close(server);
    ::close(client);
  }

  static std::string_view receive(int from, std::array<char, 65536>& into) {
    const ssize_t count = ::recv(from, into.data(), into.size(), 0);
    return {into.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
  }
  static bool send(int to, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  bool pass_on(int client, int server) {
    std::array<char, 65536> memory{};
    const std::string_view bytes = receive(client, memory);
    const std::string_view passed = bytes.substr(0, requests_left_);
    requests_left_ -= passed.size();
    return !bytes.empty() && send(server, passed) && (passed.size() == bytes.size() || end(client));
  }
  bool answer(int server, int client) {
    std::array<char, 65536> memory{};
    const std::string_view bytes = receive(server, memory);
    if (bytes.empty()) return false;
    from_server_ += bytes.size();
    if (!answers_.empty()) answers_.back().append(bytes);
    const bool is_whole = bytes.size() <= left_;
    const std::string_view passed = bytes.substr(0, left_);
    left_ -= passed.size();
    return send(client, passed) && (is_whole || end(client));
  }
  bool end(int client) const {
    std::array<char, 65536> memory{};
    if (how_ == cut::silence)
      while (!receive(client, memory).empty()) {
      }
    if (how_ == cut::reset) {
      const linger at_once{1, 0};
      ::setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    return false;
  }

  int listening_{-1};
  std::uint16_t port_{};
  std::atomic<int> flights_{0};
  std::atomic<std::uint64_t> from_server_{0};
  std::uint64_t left_;
  std::atomic<std::uint64_t> requests_left_{all};
  cut how_;
  std::chrono::milliseconds delay_;
  std::vector<std::string> answers_;
  std::thread thread_;
};

}  // namespace sluice::test
