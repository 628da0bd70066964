#pragma once
// Asks a server for encryption, and runs its handshake.
#include "messages/encryption_answer.hpp"
#include "messages/frontend.hpp"
#include "transport/link.hpp"

namespace sluice::wire {

/// SSLRequest or GSSENCRequest comes before the StartupMessage. The answer is one byte, not a message: S or G, or N.
/// Anything received with it was not encrypted and is not trusted.
/// @tparam read  what the answer means
template <class Request, proto::encryption_answer (*read)(std::span<const std::byte>) noexcept>
class encryption_request {
 public:
  explicit encryption_request(link& io) : io_{io} {
    if (!io.in.arrived().empty())  // behind the answer to another request
      io.fail(errc::tls_failed,
              "the server, or somebody in between, answered a request for encryption before it was asked");
    if (const proto::fault why = proto::encode(Request{}, io.out)) io.fail(why);
  }
  [[nodiscard]] bool advance() {
    answer_ = read(io_.in.arrived());
    if (answer_ == proto::encryption_answer::none) return false;
    io_.in.consume(1);
    return true;
  }
  [[nodiscard]] bool move() {
    const link::moved moved = io_.transfer(1);
    if (moved == link::moved::end) io_.fail_lost();
    return moved == link::moved::something;
  }
  [[nodiscard]] proto::encryption_answer answer() const noexcept { return answer_; }

 private:
  link& io_;
  proto::encryption_answer answer_{proto::encryption_answer::none};
};
using tls_request = encryption_request<proto::ssl_request, proto::read_tls_answer>;
using gss_request = encryption_request<proto::gss_request, proto::read_gss_answer>;

/// The handshake, which reads and writes by itself.
class handshake {
 public:
  explicit handshake(link& io) noexcept : io_{io} {}
  [[nodiscard]] bool advance() { return io_.handshake(); }
  [[nodiscard]] static bool move() noexcept { return false; }

 private:
  link& io_;
};

}  // namespace sluice::wire
