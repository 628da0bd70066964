#pragma once
// What a server says to an SSLRequest: one byte. See the PostgreSQL documentation, section "SSL Session Encryption".
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <span>

namespace sluice::wire {

enum class tls_answer : std::uint8_t {
  none,     ///< nothing has arrived yet
  yes,      ///< the handshake may begin
  no,       ///< the server has no TLS
  error,    ///< an ErrorResponse, which nothing vouches for
  unknown,  ///< something else
  early,    ///< yes, but more came with it. That was sent before there was any protection, by the server or by somebody
            ///< in between, and must not be treated as the server's (CVE-2021-23222)
};
std::ostream& operator<<(std::ostream& out, tls_answer what);

[[nodiscard]] tls_answer read_tls_answer(std::span<const std::byte> arrived) noexcept;

}  // namespace sluice::wire
