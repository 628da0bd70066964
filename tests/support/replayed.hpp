#pragma once
// Replays recorded conversations of a real server: cut, in pieces, or with a flipped byte. It runs on an io_context, so
// that a test can replay many at once.
#include <sys/socket.h>

#include <algorithm>
#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <sluice/wire/asio_errors.hpp>

#include "relay.hpp"

namespace sluice::test {

/// What a server sent, one string for each time after the client had sent something.
using conversation = std::vector<std::string>;

inline std::size_t size_of(const conversation& all) {
  std::size_t bytes = 0;
  for (const std::string& answer : all) bytes += answer.size();
  return bytes;
}

/// How a conversation is replayed.
struct delivery {
  std::size_t bytes{std::numeric_limits<std::size_t>::max()};  ///< after which the connection is cut
  cut then{cut::close};
  std::size_t pause_after{0};  ///< bytes after which the client must read again; 0: none
  bool byte_by_byte{false};
};

/// Replays a conversation to the first client that connects; closes other connections, such as those of a
/// CancelRequest.
class replayed {
 public:
  replayed(asio::io_context& context, conversation what, delivery how)
      : acceptor_{context, {asio::ip::address_v4::loopback(), 0}}, what_{std::move(what)}, how_{how} {
    asio::co_spawn(context, serve(), asio::detached);
  }

  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  void stop() { acceptor_.close(); }

 private:
  static auto to(wire::asio_code& failure) { return asio::redirect_error(asio::use_awaitable, failure); }

  asio::awaitable<void> serve() {
    bool is_first = true;
    for (;;) {
      wire::asio_code failure;
      asio::ip::tcp::socket client = co_await acceptor_.async_accept(to(failure));
      if (failure) co_return;
      if (std::exchange(is_first, false))
        asio::co_spawn(acceptor_.get_executor(), talk(std::move(client), what_, how_), asio::detached);
    }
  }

  static asio::awaitable<void> talk(asio::ip::tcp::socket client, conversation what, delivery how) {
    client.set_option(asio::ip::tcp::no_delay{true});
    std::string heard(65536, '\0');
    std::size_t said = 0;
    wire::asio_code failure;
    for (const std::string& answer : what) {
      co_await client.async_read_some(asio::buffer(heard), to(failure));
      if (failure) co_return;
      for (std::size_t at = 0; at < answer.size();) {
        if (said == how.bytes) break;
        std::size_t piece = answer.size() - at;
        if (how.byte_by_byte) piece = 1;
        if (how.pause_after > said) piece = std::min(piece, how.pause_after - said);
        piece = std::min(piece, how.bytes - said);
        const std::string bytes = answer.substr(at, piece);
        co_await asio::async_write(client, asio::buffer(bytes), to(failure));
        if (failure) co_return;
        said += piece;
        at += piece;
        for (int turn = 0; turn < 4 && (how.byte_by_byte || said == how.pause_after); ++turn)
          co_await asio::post(client.get_executor(), asio::use_awaitable);  // gives the client time to read
      }
      if (said == how.bytes) break;
    }
    if (how.then == cut::reset && said == how.bytes) client.set_option(asio::socket_base::linger{true, 0});
    if (how.then == cut::silence && said == how.bytes)
      while (!failure) co_await client.async_read_some(asio::buffer(heard), to(failure));
  }

  asio::ip::tcp::acceptor acceptor_;
  conversation what_;
  delivery how_;
};

/// Runs a client for each delivery, against a server that replays a conversation that way; at most a hundred at a time.
/// @param what    the conversation of an index
/// @param client  makes the client's coroutine from a port and an index
template <class What, class Client>
void replay_all(const std::vector<delivery>& deliveries, const What& what, const Client& client) {
  constexpr std::size_t at_once = 100;
  for (std::size_t from = 0; from < deliveries.size(); from += at_once) {
    asio::io_context context{1};
    std::vector<std::unique_ptr<replayed>> servers;
    std::size_t open = 0;
    for (std::size_t i = from; i < std::min(from + at_once, deliveries.size()); ++i) {
      servers.push_back(std::make_unique<replayed>(context, what(i), deliveries[i]));
      ++open;
      asio::co_spawn(context, client(servers.back()->port(), i), [&](std::exception_ptr) {
        if (--open == 0)
          for (const auto& server : servers) server->stop();
      });
    }
    context.run();
  }
}

}  // namespace sluice::test
