#include "engine/cancel_request.hpp"

#include <utility>

#include "drive/coroutine_driver.hpp"
#include "drive/dial.hpp"
#include "drive/gss.hpp"
#include "drive/secure.hpp"
#include "messages/frontend.hpp"
#include "transport/peer.hpp"

namespace sluice::wire {

namespace {

/// The server closes the connection once it has processed the request, and should say nothing before.
class cancel_request {
 public:
  cancel_request(link& io, const server_facts& target) : io_{io} {
    const proto::cancel_request request{.pid = target.backend_pid, .key = target.cancel_key};
    if (const proto::fault why = proto::encode(request, io.out)) io.fail(why);
  }
  [[nodiscard]] bool advance() {
    io_.in.consume(io_.in.arrived().size());
    return is_over_;
  }
  [[nodiscard]] bool move() {
    const link::moved moved = io_.transfer(1);
    is_over_ = moved == link::moved::end;
    return moved != link::moved::nothing;
  }

 private:
  link& io_;
  bool is_over_{false};
};

}  // namespace

asio::awaitable<void> send_cancel(session& target, clock::time_point deadline) {
  const server_facts& server = target.server;
  socket connected = co_await dial(target.io.get_executor(), target.io.remote(), deadline, target.io.where);
  if (server.peer != peer_user(connected))
    throw error{errc::auth_proof, target.io.where.after("another user than the server's listens on its socket now")};
  constexpr std::size_t answer_bytes = 64;
  link to{std::move(connected), target.io.limits, answer_bytes};
  to.where = {.place = target.io.where.place, .doing = "cancelling a query on"};
  to.set_deadline(deadline);
  if (server.security != nullptr && !co_await start_tls(to, server.security, server.host))
    to.fail(errc::tls_unavailable, "the session is in TLS, and the server has none for the request to cancel");
  if (server.gss) {
    gss_target service = *server.gss;
    service.delegates = false;  // Kerberos would have to ask the KDC for what it hands out
    asio::awaitable<bool> encrypted = start_gss(to, std::move(service));
    if (!co_await std::move(encrypted))
      to.fail(errc::tls_unavailable, "GSSAPI encrypts the session, and the server has none for the request to cancel");
  }
  to.where.doing = "cancelling a query on";
  cancel_request request{to, server};
  co_await run(to, request);
}

}  // namespace sluice::wire
