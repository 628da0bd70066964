#include "transport/secure.hpp"

#include <utility>

#include <asio/this_coro.hpp>

#include "messages/frontend.hpp"

namespace sluice::wire {

namespace {

/// Reads the single byte that answers an SSLRequest. Any bytes that arrive with it were sent before there was any
/// protection, by the server or by somebody else, and must not be treated as the server's (CVE-2021-23222).
asio::awaitable<char> ask_for_tls(link& io) {
  if (const proto::fault why = proto::encode(proto::ssl_request{}, io.out)) io.fail(why);
  while (io.in.arrived().empty()) {
    const link::moved moved = co_await io.read(1);
    if (moved == link::moved::end) io.fail_lost();
  }
  const auto answer = static_cast<char>(io.in.arrived().front());
  if (answer == 'S' && io.in.arrived().size() > 1)
    io.fail(errc::tls_failed, "the server, or somebody in between, sent data before TLS began");
  io.in.consume(1);
  co_return answer;
}

}  // namespace

asio::awaitable<bool> start_tls(link& io, std::shared_ptr<const tls_context> with, const conninfo::host& host) {
  io.where.doing = "starting TLS with";
  if (with->negotiation() == tls_negotiation::postgres) {
    const char answer = co_await ask_for_tls(io);
    if (answer == 'N') {
      if (with->mode() >= tls_mode::require)
        io.fail(errc::tls_unavailable, "sslmode requires TLS, and the server does not have it");
      co_return false;
    }
    if (answer == 'E') io.fail(errc::tls_unavailable, "the server answered the request for TLS with an error");
    if (answer != 'S') io.fail(errc::tls_failed, "the server answered the request for TLS with neither yes nor no");
  }
  io.secure(std::make_unique<tls_stream>(std::move(with), io.native_handle(), host));
  while (!io.handshake()) {
    co_await io.ready();
    const asio::cancellation_state asked = co_await asio::this_coro::cancellation_state;
    io.check_wait(asked);
  }
  co_return true;
}

}  // namespace sluice::wire
