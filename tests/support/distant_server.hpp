#pragma once
// A proxy that makes a server distant: everything arrives later, in both directions, and as much as comes in that time
// is on its way at once.
#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <sluice/wire/asio_errors.hpp>

namespace sluice::test {

class distant_server {
 public:
  using clock = std::chrono::steady_clock;

  /// @param port        of the server at 127.0.0.1
  /// @param round_trip  time that a message and its answer take longer
  distant_server(std::uint16_t port, clock::duration round_trip) : server_{address(), port}, delay_{round_trip / 2} {
    asio::co_spawn(context_, accept(), asio::detached);
    thread_ = std::jthread{[this] { context_.run(); }};
  }
  ~distant_server() { context_.stop(); }
  distant_server(const distant_server&) = delete;
  distant_server& operator=(const distant_server&) = delete;

  /// The port of 127.0.0.1 to connect to.
  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  using tcp = asio::ip::tcp;
  using sockets = std::pair<tcp::socket, tcp::socket>;

  /// What is on its way in one direction; empty bytes: the end.
  struct way {
    explicit way(const asio::any_io_executor& on) : news{on} {}
    struct batch {
      clock::time_point due;
      std::vector<std::byte> bytes;
    };
    std::deque<batch> under_way;
    asio::steady_timer news;
  };

  static asio::ip::address address() { return asio::ip::address_v4::loopback(); }

  asio::awaitable<void> accept() {
    for (;;) {
      tcp::socket client = co_await acceptor_.async_accept(asio::use_awaitable);
      asio::co_spawn(context_, serve(std::move(client)), asio::detached);
    }
  }

  asio::awaitable<void> serve(tcp::socket client) {
    tcp::socket server{context_};
    co_await server.async_connect(server_, asio::use_awaitable);
    client.set_option(tcp::no_delay{true});
    server.set_option(tcp::no_delay{true});
    const auto both = std::make_shared<sockets>(std::move(client), std::move(server));
    carry(both, both->first, both->second);
    carry(both, both->second, both->first);
  }

  void carry(const std::shared_ptr<sockets>& owned, tcp::socket& from, tcp::socket& to) {
    const auto on = std::make_shared<way>(context_.get_executor());
    asio::co_spawn(context_, take(owned, from, on), asio::detached);
    asio::co_spawn(context_, hand_over(owned, to, on), asio::detached);
  }

  asio::awaitable<void> take(std::shared_ptr<sockets> owned, tcp::socket& from, std::shared_ptr<way> on) {
    constexpr std::size_t at_once = 256U << 10U;
    for (wire::asio_code failed; !failed;) {
      std::vector<std::byte> some(at_once);
      const std::size_t count =
          co_await from.async_read_some(asio::buffer(some), asio::redirect_error(asio::use_awaitable, failed));
      some.resize(count);
      some.shrink_to_fit();
      on->under_way.push_back({clock::now() + delay_, std::move(some)});
      on->news.cancel();
    }
    (void)owned;
  }

  static asio::awaitable<void> hand_over(std::shared_ptr<sockets> owned, tcp::socket& to, std::shared_ptr<way> on) {
    for (wire::asio_code failed; !failed;) {
      wire::asio_code ignored;
      const bool is_empty = on->under_way.empty();
      on->news.expires_at(is_empty ? clock::time_point::max() : on->under_way.front().due);
      co_await on->news.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      if (is_empty || clock::now() < on->under_way.front().due) continue;
      const std::vector<std::byte> bytes = std::move(on->under_way.front().bytes);
      on->under_way.pop_front();
      if (bytes.empty()) break;
      co_await asio::async_write(to, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, failed));
    }
    owned->first.close();
    owned->second.close();
  }

  asio::io_context context_{1};
  tcp::endpoint server_;
  clock::duration delay_;
  tcp::acceptor acceptor_{context_, {address(), 0}};
  std::jthread thread_;
};

}  // namespace sluice::test
