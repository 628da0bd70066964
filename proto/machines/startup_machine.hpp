#pragma once
/// @file
/// From the StartupMessage to the first ReadyForQuery: authentication, and what the server reports about itself.
///
/// Call `start` and send the output; then feed every frame to `on` and do what the step says. Nothing blocks in here:
/// hashing the password takes milliseconds by design, so it is done in slices between which the caller can check its
/// deadline. GSSAPI, which may ask a server of its own, is not called from here: its tokens pass through.
/// @see PostgreSQL documentation, sections "Start-up" and "SASL Authentication"

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/proto/fault.hpp>
#include <sluice/proto/frame.hpp>
#include "auth/scram.hpp"
#include "messages/backend.hpp"
#include "messages/frontend.hpp"

namespace sluice::proto {

/// Who logs in, and which methods are acceptable.
struct login {
  enum class binding : std::uint8_t {
    never,
    if_offered,  ///< over TLS, when the server offers it
    always,      ///< nothing but SCRAM bound to the TLS session
  };
  enum class gssapi : std::uint8_t {
    absent,     ///< not in this build, or not on this kind of socket
    forbidden,  ///< by `require_auth`
    allowed,
  };

  std::string_view user{};
  std::string_view database{};
  std::span<const startup_parameter> parameters{};  ///< in addition to user and database
  std::optional<std::string_view> password{};
  std::uint16_t minor_version{0};  ///< of protocol 3: 0 or 2
  bool allow_nothing{true};     ///< the server may let the client in without authentication (trust, peer, certificate)
  bool allow_cleartext{false};  ///< a password may be sent in clear text
  bool is_exposed{false};       ///< others could read it in transit, or the peer may be an impostor: then it may not
  bool allow_md5{true};
  bool allow_scram{true};
  gssapi gss{gssapi::absent};
  bool over_gss{false};      ///< GSSAPI encrypts the session, so both sides have already proved who they are
  bool allow_bearer{false};  ///< a bearer token may be sent: there is one, and the connection to the server is private
  scram_settings scram{};
  binding bind{binding::if_offered};
  bool over_tls{false};
  std::string_view certificate_hash{};  ///< of the server's certificate, as `channel_binding::data`; empty: none
  const scram_keys* known_keys{};       ///< of an earlier login to the same account, to skip the hashing
  const scram_keys* given_keys{};       ///< in place of a password, whatever the server's salt
};

/// What one message of the start-up means for the caller.
struct startup_step {
  enum class kind : std::uint8_t {
    nothing,    ///< feed the next frame
    send,       ///< the output contains something to send
    hash,       ///< call `hash_some` until it returns something else
    token,      ///< call `give_token`: the server accepts a bearer token
    gss,        ///< call `give_gss`, with what the context makes of `gss_token`
    aside,      ///< NoticeResponse or ParameterStatus
    refused,    ///< ErrorResponse: the frame's body says why; the server closes the connection
    ready,      ///< ReadyForQuery: logged in
    violation,  ///< `why` says how; close the connection
  };
  kind is{kind::nothing};
  fault why{};

  friend bool operator==(const startup_step&, const startup_step&) = default;
  friend std::ostream& operator<<(std::ostream& out, const startup_step& step);
};

/// @par Lifetime  what `login` refers to must outlive the machine
class startup_machine {
 public:
  explicit startup_machine(const login& who) noexcept : who_{who}, minor_{who.minor_version} {}

  /// Appends the StartupMessage.
  [[nodiscard]] fault start(output& out);
  [[nodiscard]] startup_step on(const frame& next, output& out);
  /// Hashes the next slice of the password.
  /// @return what to do next: hash again, send, or violation
  [[nodiscard]] startup_step hash_some(output& out);
  /// Supplies the token that `step::token` asked for. The token is not kept.
  /// @see RFC 7628; PostgreSQL documentation, section "OAuth Authorization/Authentication"
  [[nodiscard]] startup_step give_token(std::string_view token, output& out);

  /// The server's last token for the GSSAPI context; empty at first.
  [[nodiscard]] std::span<const std::byte> gss_token() const noexcept { return gss_token_; }
  /// Supplies what the GSSAPI context answers to it.
  /// @param token        to be sent; may be empty in the end
  /// @param is_complete  the context is established, and with it the server's identity
  [[nodiscard]] startup_step give_gss(std::span<const std::byte> token, bool is_complete, output& out);

  [[nodiscard]] bool is_ready() const noexcept { return phase_ == phase::ready; }
  /// Identifies the backend, for CancelRequest; 0 if the server sent none.
  [[nodiscard]] std::uint32_t backend_pid() const noexcept { return pid_; }
  [[nodiscard]] const std::vector<std::byte>& cancel_key() const noexcept { return key_; }
  [[nodiscard]] std::uint16_t minor_version() const noexcept { return minor_; }
  /// The result of SCRAM's hashing, for `login::known_keys` of the next login; null unless the server proved itself
  /// with it.
  [[nodiscard]] const scram_keys* proved_keys() const noexcept {
    return scram_ && scram_->server_proved() ? &scram_->keys() : nullptr;
  }

 private:
  enum class phase : std::uint8_t {
    waiting,        // for the server to choose a method
    password_sent,  // AuthenticationOk
    scram_first,    // the server's nonce, salt and iterations
    scram_hashing,
    scram_final,  // the server's proof
    scram_done,   // AuthenticationOk
    token_asked,
    token_sent,     // AuthenticationOk, or the reason for a refusal
    token_refused,  // ErrorResponse
    gss_asked,      // nothing: the client's context has the turn
    gss_sent,       // the server's next token
    gss_done,       // AuthenticationOk
    starting,       // BackendKeyData, parameters, ReadyForQuery
    ready,
  };

  [[nodiscard]] startup_step on_authentication(const frame& next, output& out);
  [[nodiscard]] startup_step send_password(std::string_view text, output& out);
  [[nodiscard]] startup_step begin_sasl(const frame& next, output& out);
  [[nodiscard]] startup_step begin_scram(bool plain_offered, bool bound_offered, output& out);
  [[nodiscard]] startup_step on_sasl_continue(const authentication& request, output& out);
  [[nodiscard]] startup_step answer_scram(output& out);
  [[nodiscard]] startup_step begin_gss(const frame& next);
  [[nodiscard]] startup_step negotiate(const frame& next);

  login who_;
  phase phase_{phase::waiting};
  std::optional<scram_client> scram_{};
  std::vector<std::byte> gss_token_{};
  std::uint32_t pid_{0};
  std::vector<std::byte> key_{};
  std::uint16_t minor_;
};

}  // namespace sluice::proto
