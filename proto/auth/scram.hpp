#pragma once
/// @file
/// The client's side of SCRAM-SHA-256, with or without channel binding, as a value without I/O and without a clock.
///
/// Call, in this order: `client_first`; `on_server_first`; `reuse` or `use`, or `hash_some` until `hashed`;
/// `client_final`; `on_server_final`. Only then has the server proved that it knows the password: an AuthenticationOk
/// that arrives while `server_proved` is false must be refused. A fault ends the exchange.
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
  /// The fewest rounds of hashing that a server may ask for. With fewer, an impostor can try passwords against the
  /// client's proof that much faster; RFC 7677 requires at least 4,096.
  std::uint32_t min_iterations{4'096};
  /// The most rounds of hashing that a server may ask for. Servers ask for 4,096 by default; without a limit a hostile
  /// one could keep the client hashing for minutes.
  std::uint32_t max_iterations{100'000};
};

/// How the exchange is bound to the underlying TLS session.
struct channel_binding {
  enum class kind : std::uint8_t {
    none,                  ///< "n": this client cannot bind, for example without TLS
    not_offered,           ///< "y": it could, but the server did not offer SCRAM-SHA-256-PLUS; detects a downgrade
    tls_server_end_point,  ///< "p": bound to the server's certificate; the mechanism is SCRAM-SHA-256-PLUS
  };

  kind what{kind::none};
  std::string data{};  ///< `tls_server_end_point`: the certificate's hash (RFC 5929, section 4.1), not empty
};

/// The result of the hashing. With it, the next login to the same account skips the hashing. As secret as the password;
/// wiped on destruction.
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

/// 18 random bytes from libcrypto's generator, in base64; nothing if it fails.
[[nodiscard]] std::optional<std::string> make_nonce();

/// One SCRAM exchange. It sends an empty user name, because servers use the one of the StartupMessage.
///
/// Faults: `auth_parameters` for an unacceptable nonce, salt or iteration count; `auth_weak` for too few iterations;
/// `malformed` for a message that does not parse, or has extensions, as no Postgres server sends any; `auth_proof` for
/// a wrong signature; `auth_refused` when the server ends the exchange with an error; `unexpected` for a call out of
/// order; `unsupported` when libcrypto fails.
class scram_client {
 public:
  /// @param password  UTF-8 or not; prepared here (`saslprep`). Neither it nor a copy is kept
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

  /// Takes the data of AuthenticationSASLContinue. Checks all of it before any hashing.
  fault on_server_first(std::string_view message);

  /// Uses the keys of an earlier exchange with the same password instead of calling `hash_some`.
  /// @return false, with nothing changed, when the server's salt or iteration count has changed since
  bool reuse(const scram_keys& keys);
  /// Uses these keys, whatever the server's salt and iteration count, instead of calling `hash_some`.
  /// @pre `on_server_first` has taken the server's message
  void use(const scram_keys::digest& client_key, const scram_keys::digest& server_key);
  /// Hashes at most this many rounds. Call it until `hashed`; between two calls the caller can check its deadline.
  /// 1,000 rounds take a fraction of a millisecond.
  /// @param rounds  greater than 0
  fault hash_some(std::uint32_t rounds);
  /// Whether the keys are available.
  [[nodiscard]] bool hashed() const noexcept;
  /// The keys, for `reuse` in another exchange.
  /// @pre `hashed`
  /// @par Lifetime  until this object is destroyed or moved from
  [[nodiscard]] const scram_keys& keys() const noexcept;

  /// Writes the data of SASLResponse to `message`, replacing it.
  /// @pre `hashed`
  fault client_final(std::string& message);

  /// Takes the data of AuthenticationSASLFinal.
  fault on_server_final(std::string_view message);
  /// Whether the server has proved that it knows the password, or the keys derived from it.
  [[nodiscard]] bool server_proved() const noexcept;

 private:
  enum class phase : std::uint8_t { first, hashing, hashed, answered, proved, failed };
  struct hasher;

  fault fail(fault::kind what, std::string_view rule) noexcept;
  fault parse_server_first(std::string_view message);

  channel_binding binding_;
  scram_settings settings_;
  std::string client_nonce_;
  std::string server_nonce_;  ///< begins with the client's nonce
  std::string server_first_;
  scram_keys keys_;
  scram_keys::digest server_signature_{};
  std::unique_ptr<hasher> hasher_;
  phase phase_{phase::first};
};

}  // namespace sluice::proto
