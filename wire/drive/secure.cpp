#include "drive/secure.hpp"

#include <utility>

#include "drive/coroutine_driver.hpp"
#include "messages/frontend.hpp"
#include "transport/tls_answer.hpp"

namespace sluice::wire {

namespace {

/// SSLRequest comes before the StartupMessage. The answer is one byte, not a message: S or N. Anything received with it
/// was not encrypted and is not trusted.
class tls_request {
 public:
  explicit tls_request(link& io) : io_{io} {
    if (const proto::fault why = proto::encode(proto::ssl_request{}, io.out)) io.fail(why);
  }
  [[nodiscard]] bool advance() {
    answer_ = read_tls_answer(io_.in.arrived());
    if (answer_ == tls_answer::none) return false;
    io_.in.consume(1);
    return true;
  }
  [[nodiscard]] bool move() {
    const link::moved moved = io_.transfer(1);
    if (moved == link::moved::end) io_.fail_lost();
    return moved == link::moved::something;
  }
  [[nodiscard]] tls_answer answer() const noexcept { return answer_; }

 private:
  link& io_;
  tls_answer answer_{tls_answer::none};
};

/// The handshake, which reads and writes by itself.
class tls_handshake {
 public:
  explicit tls_handshake(link& io) noexcept : io_{io} {}
  [[nodiscard]] bool advance() { return io_.handshake(); }
  [[nodiscard]] static bool move() noexcept { return false; }

 private:
  link& io_;
};

}  // namespace

asio::awaitable<bool> start_tls(link& io, std::shared_ptr<const tls_context> with, const conninfo::host& host) {
  io.where.doing = "starting TLS with";
  if (with->negotiation() == tls_negotiation::postgres) {
    tls_request request{io};
    co_await run(io, request);
    switch (request.answer()) {
      case tls_answer::yes: break;
      case tls_answer::no:
        if (with->mode() >= tls_mode::require)
          io.fail(errc::tls_unavailable, "sslmode requires TLS, and the server does not have it");
        co_return false;
      case tls_answer::error: io.fail(errc::tls_unavailable, "the server answered the request for TLS with an error");
      case tls_answer::early:
        io.fail(errc::tls_failed, "the server, or somebody in between, sent data before TLS began");
      case tls_answer::none:
      case tls_answer::unknown:
        io.fail(errc::tls_failed, "the server answered the request for TLS with neither yes nor no");
    }
  }
  io.secure(std::make_unique<tls_stream>(std::move(with), io.native_handle(), host));
  tls_handshake handshake{io};
  co_await run(io, handshake);
  co_return true;
}

}  // namespace sluice::wire
