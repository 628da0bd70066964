#include "drive/secure.hpp"

#include <utility>

#include "drive/coroutine_driver.hpp"
#include "drive/encryption_request.hpp"

namespace sluice::wire {

asio::awaitable<bool> start_tls(link& io, std::shared_ptr<const tls_context> with, const conninfo::host& host) {
  io.where.doing = "starting TLS with";
  if (with->negotiation() == tls_negotiation::postgres) {
    tls_request request{io};
    co_await run(io, request);
    switch (request.answer()) {
      using enum proto::encryption_answer;
      case yes: break;
      case no:
        if (with->mode() >= tls_mode::require)
          io.fail(errc::tls_unavailable, "sslmode requires TLS, and the server does not have it");
        co_return false;
      case error: io.fail(errc::tls_unavailable, "the server answered the request for TLS with an error");
      case early: io.fail(errc::tls_failed, "the server, or somebody in between, sent data before TLS began");
      case none:
      case unknown: io.fail(errc::tls_failed, "the server answered the request for TLS with neither yes nor no");
    }
  }
  io.secure(std::make_unique<tls_stream>(std::move(with), io.native_handle(), host));
  handshake shake{io};
  co_await run(io, shake);
  co_return true;
}

}  // namespace sluice::wire
