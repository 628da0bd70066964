#pragma once
/// @file
/// The replay server's end of TLS: a temporary certificate, and records of the size that Postgres writes.

#include <openssl/types.h>

#include <cstddef>
#include <memory>
#include <string_view>

namespace sluice::bench {

class replay_tls {
 public:
  /// Performs the handshake on a connected, blocking socket.
  /// @par Errors  throws std::runtime_error
  explicit replay_tls(int descriptor);

  /// @return bytes moved; 0 when the client has disconnected
  std::size_t receive(char* into, std::size_t size);
  /// Writes at most 8 KiB, the size of Postgres' send buffer, as one record.
  std::size_t send(std::string_view bytes);

 private:
  struct release {
    void operator()(SSL* stream) const noexcept;
  };
  std::unique_ptr<SSL, release> stream_;
};

}  // namespace sluice::bench
