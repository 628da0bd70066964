// Asio's own ssl::stream as a baseline: a coroutine that reads 64 KiB at a time and steps from message header to
// message header. It implements just enough of the protocol to log in without authentication, as the replay server
// allows.
#include <array>
#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/ssl.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <cstring>
#include <string>

#include "counting.hpp"

namespace {

using namespace std::string_literals;
using stream = asio::ssl::stream<asio::ip::tcp::socket>;

constexpr std::size_t header_size{5};

std::string value_of(const std::string& dsn, const std::string& key) {
  const std::size_t at = dsn.find(key + '=');
  if (at == dsn.npos) throw std::runtime_error{"the connection string has no " + key};
  const std::size_t begin = at + key.size() + 1;
  return dsn.substr(begin, dsn.find(' ', begin) - begin);
}

std::string big(std::size_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xffU);
  return bytes;
}

std::size_t message_size(const char* header) {
  std::size_t length = 0;
  for (int i = 1; i < 5; ++i) length = length << 8U | static_cast<unsigned char>(header[i]);
  return 1 + length;
}

/// Steps over messages until ReadyForQuery.
asio::awaitable<void> read_to_ready(stream& from, sluice::bench::tally& counted) {
  std::array<char, 65536> buffer{};
  std::size_t kept = 0;
  for (;;) {
    const std::size_t got =
        co_await from.async_read_some(asio::buffer(buffer.data() + kept, buffer.size() - kept), asio::use_awaitable);
    const std::size_t used = kept + got;
    std::size_t at = 0;
    while (at + header_size <= used) {
      const std::size_t size = message_size(buffer.data() + at);
      if (at + size > used) break;
      if (buffer[at] == 'D') counted.row(size - header_size - 6);
      if (buffer[at] == 'E') throw std::runtime_error{"the query failed"};
      if (buffer[at] == 'Z') co_return;
      at += size;
    }
    kept = used - at;
    std::memmove(buffer.data(), buffer.data() + at, kept);
  }
}

asio::awaitable<void> run(const sluice::bench::counting_options& options) {
  asio::ssl::context context{asio::ssl::context::tls_client};
  stream io{co_await asio::this_coro::executor, context};
  const auto port = static_cast<std::uint16_t>(std::stoi(value_of(options.dsn, "port")));
  const asio::ip::tcp::endpoint to{asio::ip::make_address(value_of(options.dsn, "host")), port};
  co_await io.next_layer().async_connect(to, asio::use_awaitable);
  const std::string request = big(8) + big(80877103);
  co_await asio::async_write(io.next_layer(), asio::buffer(request), asio::use_awaitable);
  char answer = 0;
  co_await asio::async_read(io.next_layer(), asio::buffer(&answer, 1), asio::use_awaitable);
  if (answer != 'S') throw std::runtime_error{"the server has no TLS"};
  co_await io.async_handshake(stream::client, asio::use_awaitable);

  sluice::bench::tally nobody;
  const std::string who = big(196608) + "user\0"s + value_of(options.dsn, "user") + "\0\0"s;
  const std::string start = big(who.size() + 4) + who;
  co_await asio::async_write(io, asio::buffer(start), asio::use_awaitable);
  co_await read_to_ready(io, nobody);

  sluice::bench::tally counted;
  const std::string text = options.query() + '\0';
  const std::string query = 'Q' + big(text.size() + 4) + text;
  co_await asio::async_write(io, asio::buffer(query), asio::use_awaitable);
  co_await read_to_ready(io, counted);
  counted.print("asio::ssl::stream");
}

void count(const sluice::bench::counting_options& options) {
  asio::io_context context{1};
  std::exception_ptr failure;
  asio::co_spawn(context, run(options), [&](std::exception_ptr thrown) { failure = std::move(thrown); });
  context.run();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

int main(int argc, char** argv) { return sluice::bench::counting_main(argc, argv, count); }
