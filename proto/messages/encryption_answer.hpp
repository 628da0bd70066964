#pragma once
// What a server says to an SSLRequest or a GSSENCRequest: one byte. See the PostgreSQL documentation, sections "SSL
// Session Encryption" and "GSSAPI Session Encryption".
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <span>

namespace sluice::proto {

enum class encryption_answer : std::uint8_t {
  none,     ///< nothing has arrived yet
  yes,      ///< the handshake may begin
  no,       ///< the server does not have this encryption
  error,    ///< an ErrorResponse, which nothing vouches for
  unknown,  ///< something else
  early,    ///< yes, but more came with it. That was sent before there was any protection, by the server or by somebody
            ///< in between, and must not be treated as the server's (CVE-2021-23222)
};
std::ostream& operator<<(std::ostream& out, encryption_answer what);

[[nodiscard]] encryption_answer read_tls_answer(std::span<const std::byte> arrived) noexcept;
[[nodiscard]] encryption_answer read_gss_answer(std::span<const std::byte> arrived) noexcept;

}  // namespace sluice::proto
