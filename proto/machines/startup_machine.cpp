#include "machines/startup_machine.hpp"

#include <algorithm>
#include <array>
#include <ostream>

#include "auth/md5.hpp"
#include "messages/backend.hpp"

#include "auth/wiping.hpp"

namespace sluice::proto {

using enum startup_step::kind;

namespace {

constexpr std::uint32_t rounds_per_slice = 1'000;  // a fraction of a millisecond

startup_step violated(fault::kind what, char type, std::string_view rule) { return {violation, {what, type, rule}}; }
startup_step malformed(char type) {
  return violated(fault::kind::malformed, type, "the fields do not fill the body exactly");
}
startup_step unbound() {
  return violated(fault::kind::auth_refused, 'R',
                  "channel_binding=require, and the server does not do SCRAM bound to a TLS session");
}
startup_step out_of_order(char type) {
  return violated(fault::kind::unexpected, type, "message out of order during start-up");
}

}  // namespace

fault startup_machine::start(output& out) {
  std::vector<startup_parameter> all{{"user", who_.user}, {"database", who_.database}};
  all.insert(all.end(), who_.parameters.begin(), who_.parameters.end());
  return encode(startup_message{.major = 3, .minor = who_.minor_version, .parameters = all}, out);
}

/// Before AuthenticationOk come authentication requests, and NegotiateProtocolVersion if the server does not support
/// everything that was asked for. After it come ParameterStatus and BackendKeyData in any order, and ReadyForQuery. A
/// notice, or an error that ends the session, may come at any time.
startup_step startup_machine::on(const frame& next, output& out) {
  if (phase_ == phase::ready || phase_ == phase::scram_hashing || phase_ == phase::token_asked ||
      phase_ == phase::gss_asked)
    return out_of_order(next.type);
  switch (next.type) {
    case 'N': return {aside};
    case 'E': return {refused};
    case 'R': return on_authentication(next, out);
    case 'v': return negotiate(next);
    default: break;
  }
  if (phase_ != phase::starting) return out_of_order(next.type);
  switch (next.type) {
    case 'S': return {aside};
    case 'K': {
      const auto key = decode_backend_key_data(next.body);
      if (!key) return malformed(next.type);
      pid_ = key->pid;
      key_.assign(key->key.begin(), key->key.end());
      return {nothing};
    }
    case 'Z':
      if (!decode_ready_for_query(next.body)) return malformed(next.type);
      phase_ = phase::ready;
      return {startup_step::kind::ready};
    default: return out_of_order(next.type);
  }
}

/// The server chooses the method, so each request is checked against what the caller allows before anything is sent in
/// answer: an impostor would ask for the weakest one.
startup_step startup_machine::on_authentication(const frame& next, output& out) {
  using method = authentication::kind;
  const auto request = decode_authentication(next.body);
  if (!request) return malformed(next.type);
  if (phase_ == phase::starting)  // nothing is ever sent in response to a request after AuthenticationOk
    return violated(fault::kind::unexpected, next.type, "an authentication request after AuthenticationOk");

  switch (request->what) {
    case method::ok:
      if (phase_ == phase::gss_sent)
        return violated(fault::kind::auth_proof, next.type,
                        "the server ended GSSAPI authentication without proving who it is");
      if (phase_ != phase::waiting && phase_ != phase::password_sent && phase_ != phase::token_sent &&
          phase_ != phase::scram_done && phase_ != phase::gss_done)
        return violated(fault::kind::auth_proof, next.type,
                        "the server ended SCRAM without proving that it knows the password");
      if (who_.bind == login::binding::always && phase_ != phase::scram_done) return unbound();
      if (phase_ == phase::waiting && !who_.allow_nothing && !(who_.over_gss && who_.gss == login::gssapi::allowed))
        return violated(fault::kind::auth_refused, next.type,
                        "the server asks for no proof at all, which require_auth does not allow");
      phase_ = phase::starting;
      return {nothing};
    case method::cleartext_password:
      if (phase_ != phase::waiting) return out_of_order(next.type);
      if (who_.bind == login::binding::always) return unbound();
      if (!who_.allow_cleartext)
        return violated(fault::kind::auth_refused, next.type,
                        "the server asks for the password in clear text, which require_auth does not allow");
      if (who_.is_exposed)
        return violated(fault::kind::auth_refused, next.type,
                        "the server asks for the password in clear text, which is sent only over TLS, or over a Unix "
                        "socket to a server that runs as root, as this user, or as the user that requirepeer names");
      return send_password(who_.password.value_or(std::string_view{}), out);
    case method::md5_password: {
      if (phase_ != phase::waiting) return out_of_order(next.type);
      if (who_.bind == login::binding::always) return unbound();
      if (!who_.allow_md5)
        return violated(fault::kind::auth_refused, next.type,
                        "the server asks for MD5, which require_auth does not allow");
      const auto answer = md5_password(who_.user, who_.password.value_or(std::string_view{}), request->salt);
      if (!answer)
        return violated(fault::kind::auth_refused, next.type, "the server asks for MD5, which libcrypto does not have");
      return send_password(*answer, out);
    }
    case method::sasl: return begin_sasl(next, out);
    case method::sasl_continue: return on_sasl_continue(*request, out);
    case method::sasl_final: {
      if (phase_ != phase::scram_final) return out_of_order(next.type);
      if (const fault why = scram_->on_server_final(request->text())) return {violation, why};
      phase_ = phase::scram_done;
      return {nothing};
    }
    case method::gss: return begin_gss(next);
    case method::gss_continue:
      if (phase_ != phase::gss_sent) return out_of_order(next.type);
      gss_token_.assign(request->data.begin(), request->data.end());
      phase_ = phase::gss_asked;
      return {gss};
    default:
      return violated(fault::kind::auth_refused, next.type,
                      "the server asks for an authentication method that is not supported (SSPI or Kerberos 5 without "
                      "GSSAPI)");
  }
}

startup_step startup_machine::send_password(std::string_view text, output& out) {
  if (!who_.password)
    return violated(fault::kind::auth_refused, 'R', "the server asks for a password, and none was given");
  if (const fault why = encode(password_message{text}, out)) return {violation, why};
  phase_ = phase::password_sent;
  return {send};
}

/// AuthenticationSASL lists mechanisms, and SASLInitialResponse chooses one. A password is preferred to a token,
/// because SCRAM also proves that the server knows the password.
startup_step startup_machine::begin_sasl(const frame& next, output& out) {
  if (phase_ != phase::waiting) return out_of_order(next.type);
  const auto mechanisms = decode_authentication(next.body)->mechanisms;
  const auto offers = [&](std::string_view name) {
    return std::find(mechanisms.begin(), mechanisms.end(), name) != mechanisms.end();
  };
  const bool plain = offers("SCRAM-SHA-256");
  const bool bound = offers("SCRAM-SHA-256-PLUS");
  if (plain || bound) return begin_scram(plain, bound, out);
  if (!offers("OAUTHBEARER"))
    return violated(fault::kind::auth_refused, next.type, "the server offers no SASL mechanism that is known here");
  if (who_.bind == login::binding::always) return unbound();
  if (!who_.allow_bearer)
    return violated(fault::kind::auth_refused, next.type,
                    "the server asks for an OAuth bearer token, and there is none that may be sent: it needs a source "
                    "of tokens, TLS or a Unix socket to a server that runs as root, as this user, or as the user that "
                    "requirepeer names, and a require_auth that does not exclude oauth");
  phase_ = phase::token_asked;
  return {token};
}

/// Sends client-first-message; AuthenticationSASLContinue follows with the nonce, the salt and the iteration count.
/// Over TLS without an offer of channel binding the message says that the client would have supported it: the server
/// rejects the login if somebody in between has removed its offer.
startup_step startup_machine::begin_scram(bool plain_offered, bool bound_offered, output& out) {
  if (!who_.allow_scram)
    return violated(fault::kind::auth_refused, 'R', "the server asks for SCRAM, which require_auth does not allow");
  if (bound_offered && !who_.over_tls)
    return violated(fault::kind::unexpected, 'R', "SCRAM-SHA-256-PLUS is offered without TLS");
  channel_binding binding;
  if (bound_offered && who_.bind != login::binding::never) {
    if (who_.certificate_hash.empty())
      return violated(fault::kind::auth_refused, 'R',
                      "the server's certificate has no hash to bind SCRAM to: set channel_binding=disable if that is "
                      "acceptable");
    binding = {channel_binding::kind::tls_server_end_point, std::string{who_.certificate_hash}};
  } else if (who_.bind == login::binding::always) {
    return unbound();
  } else if (!plain_offered) {
    return violated(fault::kind::auth_refused, 'R', "the server takes SCRAM with channel binding only");
  } else if (who_.over_tls && who_.bind != login::binding::never) {
    binding = {channel_binding::kind::not_offered};
  }
  if (!who_.password && who_.given_keys == nullptr)
    return violated(fault::kind::auth_refused, 'R', "the server asks for a password, and none was given");
  std::optional<std::string> nonce = make_nonce();
  if (!nonce) return violated(fault::kind::unsupported, 'R', "libcrypto gives no random numbers");

  scram_.emplace(who_.password.value_or(std::string_view{}), *std::move(nonce), std::move(binding), who_.scram);
  const std::string first = scram_->client_first();
  if (const fault why = encode(sasl_initial_response{.mechanism = scram_->mechanism(), .data = first}, out))
    return {violation, why};
  phase_ = phase::scram_first;
  return {send};
}

startup_step startup_machine::on_sasl_continue(const authentication& request, output& out) {
  if (phase_ == phase::token_sent) {  // the server sends the reason as a document; an empty answer ends the mechanism
    phase_ = phase::token_refused;
    const fault why = encode(sasl_response{"\x01"}, out);
    return why ? startup_step{violation, why} : startup_step{send};
  }
  if (phase_ != phase::scram_first) return out_of_order('R');
  if (const fault why = scram_->on_server_first(request.text())) return {violation, why};
  phase_ = phase::scram_hashing;
  if (who_.given_keys != nullptr) {
    scram_->use(who_.given_keys->client_key, who_.given_keys->server_key);
    return answer_scram(out);
  }
  if (who_.known_keys != nullptr && scram_->reuse(*who_.known_keys)) return answer_scram(out);
  return {hash};
}

startup_step startup_machine::hash_some(output& out) {
  if (phase_ != phase::scram_hashing) return out_of_order('R');
  if (const fault why = scram_->hash_some(rounds_per_slice)) return {violation, why};
  return scram_->hashed() ? answer_scram(out) : startup_step{hash};
}

/// Sends client-final-message with the client's proof. AuthenticationSASLFinal has to follow with the server's, and
/// only then AuthenticationOk.
startup_step startup_machine::answer_scram(output& out) {
  std::string last;
  if (const fault why = scram_->client_final(last)) return {violation, why};
  if (const fault why = encode(sasl_response{last}, out)) return {violation, why};
  phase_ = phase::scram_final;
  return {send};
}

/// RFC 7628: the token is in SASLInitialResponse. AuthenticationOk follows, or AuthenticationSASLContinue with the
/// reason for a refusal.
startup_step startup_machine::give_token(std::string_view text, output& out) {
  if (phase_ != phase::token_asked) return out_of_order('R');
  constexpr std::string_view allowed{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/="};
  if (text.empty() || text.find_first_not_of(allowed) != text.npos)
    return violated(fault::kind::auth_refused, 'R', "the bearer token is empty or has characters that none may have");
  secret_vector<char> first;
  for (const std::string_view part : {std::string_view{"n,,\x01"
                                                       "auth=Bearer "},
                                      text, std::string_view{"\x01\x01"}})
    first.insert(first.end(), part.begin(), part.end());
  const sasl_initial_response response{.mechanism = "OAUTHBEARER", .data = {first.data(), first.size()}};
  if (const fault why = encode(response, out)) return {violation, why};
  phase_ = phase::token_sent;
  return {send};
}

/// Tokens go back and forth in GSSResponse and AuthenticationGSSContinue until the contexts of both sides are
/// established; AuthenticationOk follows.
startup_step startup_machine::begin_gss(const frame& next) {
  if (phase_ != phase::waiting) return out_of_order(next.type);
  if (who_.bind == login::binding::always) return unbound();
  switch (who_.gss) {
    case login::gssapi::absent:
      return violated(fault::kind::auth_refused, next.type,
                      "the server asks for GSSAPI (Kerberos), which needs TCP and a build with -Dgssapi=enabled");
    case login::gssapi::forbidden:
      return violated(fault::kind::auth_refused, next.type,
                      "the server asks for GSSAPI, which require_auth does not allow");
    case login::gssapi::allowed: break;
  }
  phase_ = phase::gss_asked;
  return {gss};
}

startup_step startup_machine::give_gss(std::span<const std::byte> token, bool is_complete, output& out) {
  if (phase_ != phase::gss_asked) return out_of_order('R');
  phase_ = is_complete ? phase::gss_done : phase::gss_sent;
  if (!token.empty()) {
    const fault why = encode(gss_response{token}, out);
    return why ? startup_step{violation, why} : startup_step{send};
  }
  if (!is_complete)
    return violated(fault::kind::auth_proof, 'R', "GSSAPI has nothing more to say, but has not identified the server");
  return {nothing};
}

/// A server that does not support the requested minor version, or an option, replies with what it does support.
startup_step startup_machine::negotiate(const frame& next) {
  if (phase_ == phase::starting) return out_of_order(next.type);
  const auto offer = decode_negotiate_protocol_version(next.body);
  if (!offer) return malformed(next.type);
  if (offer->newest_minor >= who_.minor_version)
    return violated(fault::kind::unexpected, next.type, "nothing was asked for that the server could decline");
  if (offer->newest_minor == 1) return violated(fault::kind::unexpected, next.type, "there is no protocol 3.1");
  minor_ = static_cast<std::uint16_t>(offer->newest_minor);
  return {nothing};
}

std::ostream& operator<<(std::ostream& out, const startup_step& step) {
  static constexpr std::array names{"nothing", "send",    "hash",  "token",    "gss",
                                    "aside",   "refused", "ready", "violation"};
  out << names[static_cast<std::size_t>(step.is)];
  if (step.why) out << " '" << step.why.type << "': " << step.why.rule;
  return out;
}

}  // namespace sluice::proto
