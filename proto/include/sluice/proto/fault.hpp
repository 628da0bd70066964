#pragma once
/// @file
/// The reason why the protocol layer refuses something. A small value, because this layer neither throws nor logs. The
/// wire layer turns it into a `sluice::error`, where the host and the phase are known.

#include <cstdint>
#include <string_view>

namespace sluice::proto {

/// A refusal, or none.
struct [[nodiscard]] fault {
  enum class kind : std::uint8_t {
    none,
    bad_length,       ///< a length field that no server sends
    too_large,        ///< a length beyond a configured limit, seen on the header, before the body arrived
    malformed,        ///< the body ends early, has trailing bytes, or holds a value that its field does not allow
    unexpected,       ///< a message that this phase of the conversation does not allow
    unsupported,      ///< legal, but not supported by this client (COPY, GSSAPI)
    unencodable,      ///< a frontend message that the protocol cannot carry
    auth_refused,     ///< the server asks for an authentication method that is not allowed or not known here
    auth_proof,       ///< the server did not prove that it knows the password
    auth_parameters,  ///< a SCRAM exchange whose nonce, salt or iteration count is unacceptable
    auth_weak,        ///< a SCRAM exchange with fewer iterations than required
  };

  kind what{kind::none};
  char type{};              ///< the message's type byte; 0 when there is none
  std::string_view rule{};  ///< the rule that was broken; a string literal
  std::uint64_t limit{};    ///< the limit that the rule refers to; 0: none

  explicit operator bool() const noexcept { return what != kind::none; }
  friend bool operator==(const fault&, const fault&) = default;
};

}  // namespace sluice::proto
