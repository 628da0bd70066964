#pragma once
/// @file
/// The client's side of SCRAM-SHA-256, with or without channel binding, as a value without I/O and without a clock.
///
/// Use, in this order: `client_first`; `on_server_first`; `reuse`, or `hash_some` until `hashed`; `client_final`;
/// `on_server_final`. Only then has the server proved that it knows the password: an AuthenticationOk that comes
/// while `server_proved` is false must be refused. A fault ends the exchange.
/// @see RFC 5802, RFC 7677; PostgreSQL documentation, section "SASL Authentication"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/proto/fault.hpp>

namespace sluice::proto {

struct scram_settings {
  /// The fewest rounds of hashing that a server may ask for. With less, whoever poses as the server can try passwords
  /// against the client's proof that much faster; RFC 7677 asks for 4,096 at least.
  std::uint32_t min_iterations{4'096};
  /// The most rounds of hashing that a server may ask for. Servers ask for 4,096 unless told otherwise; without a limit
  /// a hostile one could keep the client hashing for minutes.
  std::uint32_t max_iterations{100'000};
};

/// How the exchange is tied to the TLS session below it.
struct channel_binding {
  enum class kind : std::uint8_t {
    none,                  ///< "n": this client cannot bind, as without TLS
    not_offered,           ///< "y": it could, but the server did not offer SCRAM-SHA-256-PLUS; detects a downgrade
    tls_server_end_point,  ///< "p": bound to the server's certificate; the mechanism is SCRAM-SHA-256-PLUS
  };

  kind what{kind::none};
  std::string data{};  ///< `tls_server_end_point`: the certificate's hash (RFC 5929, section 4.1), not empty
};

/// What hashing yields; with it, the next login to the same account skips the hashing. As secret as the password.
/// Wiped on destruction.
struct scram_keys {
  using digest = std::array<std::byte, 32>;

  std::vector<std::byte> salt;
  std::uint32_t iterations{};
  digest client_key{};
  digest server_key{};

  scram_keys() = default;
  scram_keys(const scram_keys&) = default;
  scram_keys(scram_keys&&) noexcept = default;
  scram_keys& operator=(const scram_keys&) = default;
  scram_keys& operator=(scram_keys&&) noexcept = default;
  ~scram_keys();
};

/// 18 random bytes from libcrypto's generator, in base64; nothing when it fails.
[[nodiscard]] std::optional<std::string> make_nonce();

/// One SCRAM exchange. The user name in it is empty, because servers take the one of the start-up message.
///
/// Faults: `auth_parameters` for a nonce, salt or iteration count that is not acceptable; `auth_weak` for too few
/// iterations; `malformed` for a message that does not parse, extensions included, as no Postgres server sends any;
/// `auth_proof` for a wrong signature; `auth_refused` when the server ends the exchange with an error; `unexpected` for
/// a call out of order; `unsupported` when libcrypto fails.
class scram_client {
 public:
  /// @param password  UTF-8 or not; prepared here (`saslprep`), and neither it nor a copy is kept
  /// @param nonce     never used before; printable ASCII without commas, not empty (`make_nonce`)
  scram_client(std::string_view password, std::string nonce, channel_binding binding = {},
               scram_settings settings = {});
  scram_client(scram_client&&) noexcept;
  scram_client& operator=(scram_client&&) noexcept;
  ~scram_client();

  /// The SASL mechanism to name in SASLInitialResponse.
  [[nodiscard]] std::string_view mechanism() const noexcept;
  /// The data of SASLInitialResponse.
  [[nodiscard]] std::string client_first() const;

  /// Takes the data of AuthenticationSASLContinue. All is checked before any hashing.
  fault on_server_first(std::string_view message);

  /// Takes keys of an earlier exchange with the same password, and with them the place of `hash_some`.
  /// @return false, and nothing has changed, when the server's salt or iteration count is another one now
  bool reuse(const scram_keys& keys);
  /// Hashes at most so many rounds, and is to be called until `hashed`: between two calls the caller may look at its
  /// deadline. 1,000 rounds take a fraction of a millisecond.
  /// @param rounds  greater than 0
  fault hash_some(std::uint32_t rounds);
  /// The keys are there.
  [[nodiscard]] bool hashed() const noexcept;
  /// For `reuse` in another exchange.
  /// @pre `hashed`
  /// @par Lifetime  until this object is destroyed or moved from
  [[nodiscard]] const scram_keys& keys() const noexcept;

  /// Writes the data of SASLResponse to `message`, replacing it.
  /// @pre `hashed`
  fault client_final(std::string& message);

  /// Takes the data of AuthenticationSASLFinal.
  fault on_server_final(std::string_view message);
  /// The server has proved that it knows the password, or what was derived from it.
  [[nodiscard]] bool server_proved() const noexcept;

 private:
  enum class phase : std::uint8_t { first, hashing, hashed, answered, proved, failed };
  struct hasher;

  fault fail(fault::kind what, std::string_view rule) noexcept;
  fault parse_server_first(std::string_view message);

  channel_binding binding_;
  scram_settings settings_;
  std::string client_nonce_;
  std::string server_nonce_;  ///< begins with the client's
  std::string server_first_;
  scram_keys keys_;
  scram_keys::digest server_signature_{};
  std::unique_ptr<hasher> hasher_;
  phase phase_{phase::first};
};

}  // namespace sluice::proto
