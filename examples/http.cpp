// Answers every HTTP request with the users as NDJSON, in chunks. A slow client slows down the reading from the server,
// so that nothing accumulates in memory.
//
//     http PORT [CONNINFO]
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <span>
#include <string>
#include <utility>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read_until.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <sluice/sluice.hpp>
#include <sluice/stream/document_writer.hpp>

namespace {

using asio::ip::tcp;

/// RFC 9112, section 7.1: the size in hexadecimal digits, the bytes, an empty line.
asio::awaitable<void> write_chunk(tcp::socket& to, std::span<const asio::const_buffer> text) {
  std::array<char, 20> head{};
  const std::size_t bytes = asio::buffer_size(text);
  const int digits = std::snprintf(head.data(), head.size(), "%zx\r\n", bytes);
  co_await asio::async_write(to, asio::buffer(head.data(), static_cast<std::size_t>(digits)), asio::use_awaitable);
  if (bytes != 0) co_await asio::async_write(to, text, asio::use_awaitable);
  co_await asio::async_write(to, asio::buffer("\r\n", 2), asio::use_awaitable);
}

asio::awaitable<void> answer(tcp::socket client, sluice::pool& pool) try {
  std::string request;
  co_await asio::async_read_until(client, asio::dynamic_buffer(request, 8'192), "\r\n\r\n", asio::use_awaitable);
  const std::string head =
      "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\nConnection: "
      "close\r\n\r\n";
  co_await asio::async_write(client, asio::buffer(head), asio::use_awaitable);

  sluice::document_writer lines;
  sluice::pooled_stream users = pool.stream(sluice::from("v_user"));
  while (const sluice::chunk rows = co_await users.next()) {
    lines.add(rows);
    co_await write_chunk(client, lines.text());  // reads the next rows only after these have been sent
  }
  co_await write_chunk(client, {});
} catch (const std::exception& e) {  // a client that disconnects also ends its query
  std::fprintf(stderr, "http: %s\n", e.what());
}

asio::awaitable<void> serve(tcp::acceptor listening, std::string conninfo) {
  sluice::pool pool{listening.get_executor(), conninfo, {.max_size = 8}};
  for (;;) {
    tcp::socket client = co_await listening.async_accept(asio::use_awaitable);
    asio::co_spawn(listening.get_executor(), answer(std::move(client), pool), asio::detached);
  }
}

}  // namespace

int main(int argc, char** argv) try {
  asio::io_context context{1};
  const auto port = static_cast<unsigned short>(argc > 1 ? std::atoi(argv[1]) : 8080);
  tcp::acceptor listening{context, {asio::ip::address_v4::loopback(), port}};
  std::printf("http://127.0.0.1:%d\n", int{listening.local_endpoint().port()});
  std::fflush(stdout);
  asio::co_spawn(context, serve(std::move(listening), argc > 2 ? argv[2] : ""), asio::detached);
  context.run();
} catch (const std::exception& e) {
  std::fprintf(stderr, "http: %s\n", e.what());
  return 1;
}
