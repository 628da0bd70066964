#pragma once
// A server that a test scripts: it listens on a Unix socket in its own folder, or on a port of 127.0.0.1, and plays one
// conversation per connection, each in its own thread. It is not a Postgres: it sends exactly what the test tells it
// to, when the test tells it to.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "backend.hpp"
#include "temporary_folder.hpp"

namespace sluice::test {

/// The server's end of one connection. Blocking; if a test hangs here, the suite's time limit ends it.
class server_end {
 public:
  explicit server_end(int descriptor) : descriptor_{descriptor} {}
  ~server_end() { close(); }
  server_end(server_end&& other) noexcept : descriptor_{std::exchange(other.descriptor_, -1)} {}
  server_end& operator=(server_end&&) = delete;

  void send(std::string_view bytes) const { (void)try_send(bytes); }
  /// @return false if the client has closed the connection
  [[nodiscard]] bool try_send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  /// The bytes of one recv; empty at the end.
  [[nodiscard]] std::string receive() const {
    std::string bytes(65536, '\0');
    const ssize_t count = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
  }
  /// Reads until the client closes the connection.
  void receive_all() const {
    while (!receive().empty()) {
    }
  }
  /// The bytes that have arrived; they can still be received.
  [[nodiscard]] std::string peek() const {
    std::string bytes(64, '\0');
    const ssize_t count = ::recv(descriptor_, bytes.data(), bytes.size(), MSG_PEEK);
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
  }
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  /// Whether the client sends something, or closes the connection, within the time.
  [[nodiscard]] bool hears_something_within(int milliseconds) const {
    pollfd watched{descriptor_, POLLIN, 0};
    return ::poll(&watched, 1, milliseconds) > 0;
  }
  void close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }
  /// Sends a FIN; the connection can still be read.
  void finish() const { ::shutdown(descriptor_, SHUT_WR); }
  /// Closes the connection with a reset (RST); TCP only.
  void reset() {
    const linger at_once{1, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }
  /// Reads the start-up packet and accepts the client without authentication.
  void let_in() const {
    (void)receive();
    send(backend{}.authentication_ok().backend_key_data(4711, "key!").ready_for_query().bytes);
  }

 private:
  int descriptor_;
};

class listener {
 public:
  using conversation = std::function<void(server_end)>;
  enum class kind : std::uint8_t { unix_socket, tcp };

  /// @param conversations  one per connection, in the order in which they arrive
  explicit listener(std::vector<conversation> conversations, kind where = kind::unix_socket) {
    if (where == kind::unix_socket)
      listen_on_unix_socket();
    else
      listen_on_port();
    acceptor_ = std::thread{[this, all = std::move(conversations)] {
      std::vector<std::thread> running;
      for (const conversation& play : all) {
        const int accepted = ::accept(descriptor_, nullptr, nullptr);
        if (accepted < 0) break;
        const int at_once = 1;
        ::setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
        running.emplace_back([&play, accepted] { play(server_end{accepted}); });
      }
      for (std::thread& one : running) one.join();
    }};
  }
  ~listener() {
    ::shutdown(descriptor_, SHUT_RDWR);  // wakes an accept that still waits for a connection
    acceptor_.join();
    ::close(descriptor_);
  }
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;

  [[nodiscard]] std::string dsn() const { return "host=" + host_ + " user=me dbname=app"; }

 private:
  void listen_on_unix_socket() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = folder_.path() + "/.s.PGSQL.5432";
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    listen_on(reinterpret_cast<const sockaddr*>(&address), sizeof address);
    host_ = folder_.path() + " port=5432";
  }
  void listen_on_port() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    listen_on(reinterpret_cast<const sockaddr*>(&address), size);
    if (::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("no port");
    host_ = "127.0.0.1 port=" + std::to_string(ntohs(address.sin_port));
  }
  void listen_on(const sockaddr* address, socklen_t size) {
    descriptor_ = ::socket(address->sa_family, SOCK_STREAM, 0);
    if (::bind(descriptor_, address, size) != 0 || ::listen(descriptor_, 16) != 0)
      throw std::runtime_error("cannot listen");
  }

  temporary_folder folder_;
  std::string host_;
  int descriptor_{-1};
  std::thread acceptor_;
};

}  // namespace sluice::test
