#include <sluice/proto/startup_machine.hpp>

#include <algorithm>
#include <array>
#include <ostream>

#include <sluice/proto/backend.hpp>
#include <sluice/proto/md5.hpp>

namespace sluice::proto {

using enum startup_step::kind;

namespace {

constexpr std::uint32_t rounds_per_slice = 1'000;  // a fraction of a millisecond

startup_step violated(fault::kind what, char type, std::string_view rule) { return {violation, {what, type, rule}}; }
startup_step malformed(char type) {
  return violated(fault::kind::malformed, type, "the fields do not fill the body exactly");
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

startup_step startup_machine::on(const frame& next, output& out) {
  if (phase_ == phase::ready || phase_ == phase::scram_hashing) return out_of_order(next.type);
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

startup_step startup_machine::on_authentication(const frame& next, output& out) {
  using method = authentication::kind;
  const auto request = decode_authentication(next.body);
  if (!request) return malformed(next.type);
  if (phase_ == phase::starting)  // nothing is ever sent in answer to a request after AuthenticationOk
    return violated(fault::kind::unexpected, next.type, "an authentication request after AuthenticationOk");

  switch (request->what) {
    case method::ok:
      if (phase_ != phase::waiting && phase_ != phase::password_sent && phase_ != phase::scram_done)
        return violated(fault::kind::auth_proof, next.type,
                        "the server ended SCRAM without proving that it knows the password");
      if (phase_ == phase::waiting && !who_.allow_nothing)
        return violated(fault::kind::auth_refused, next.type,
                        "the server asks for no proof at all, which require_auth does not allow");
      phase_ = phase::starting;
      return {nothing};
    case method::cleartext_password:
      if (phase_ != phase::waiting) return out_of_order(next.type);
      if (!who_.allow_cleartext)
        return violated(fault::kind::auth_refused, next.type,
                        "the server asks for the password in clear text, which is sent over TLS or a Unix socket only");
      return send_password(who_.password.value_or(std::string_view{}), out);
    case method::md5_password: {
      if (phase_ != phase::waiting) return out_of_order(next.type);
      if (!who_.allow_md5)
        return violated(fault::kind::auth_refused, next.type, "the server asks for MD5, which is not allowed");
      const auto answer = md5_password(who_.user, who_.password.value_or(std::string_view{}), request->salt);
      if (!answer)
        return violated(fault::kind::auth_refused, next.type, "the server asks for MD5, which libcrypto does not have");
      return send_password(*answer, out);
    }
    case method::sasl: return begin_scram(next, out);
    case method::sasl_continue: {
      if (phase_ != phase::scram_first) return out_of_order(next.type);
      if (const fault why = scram_->on_server_first(request->text())) return {violation, why};
      phase_ = phase::scram_hashing;
      return {hash};
    }
    case method::sasl_final: {
      if (phase_ != phase::scram_final) return out_of_order(next.type);
      if (const fault why = scram_->on_server_final(request->text())) return {violation, why};
      phase_ = phase::scram_done;
      return {nothing};
    }
    default:
      return violated(fault::kind::auth_refused, next.type,
                      "the server asks for an authentication method that is not supported (GSSAPI, SSPI or Kerberos)");
  }
}

startup_step startup_machine::send_password(std::string_view text, output& out) {
  if (!who_.password)
    return violated(fault::kind::auth_refused, 'R', "the server asks for a password, and none was given");
  if (const fault why = encode(password_message{text}, out)) return {violation, why};
  phase_ = phase::password_sent;
  return {send};
}

startup_step startup_machine::begin_scram(const frame& next, output& out) {
  if (phase_ != phase::waiting) return out_of_order(next.type);
  if (!who_.allow_scram)
    return violated(fault::kind::auth_refused, next.type, "the server asks for SCRAM, which is not allowed");
  const auto mechanisms = decode_authentication(next.body)->mechanisms;
  if (std::find(mechanisms.begin(), mechanisms.end(), "SCRAM-SHA-256") == mechanisms.end())
    return violated(fault::kind::auth_refused, next.type, "the server offers no SASL mechanism that is known here");
  if (!who_.password)
    return violated(fault::kind::auth_refused, next.type, "the server asks for a password, and none was given");
  std::optional<std::string> nonce = make_nonce();
  if (!nonce) return violated(fault::kind::unsupported, next.type, "libcrypto gives no random numbers");

  scram_.emplace(*who_.password, *std::move(nonce), channel_binding{}, scram_settings{who_.max_iterations});
  const std::string first = scram_->client_first();
  if (const fault why = encode(sasl_initial_response{.mechanism = scram_->mechanism(), .data = first}, out))
    return {violation, why};
  phase_ = phase::scram_first;
  return {send};
}

startup_step startup_machine::hash_some(output& out) {
  if (phase_ != phase::scram_hashing) return out_of_order('R');
  if (const fault why = scram_->hash_some(rounds_per_slice)) return {violation, why};
  if (!scram_->hashed()) return {hash};
  std::string last;
  if (const fault why = scram_->client_final(last)) return {violation, why};
  if (const fault why = encode(sasl_response{last}, out)) return {violation, why};
  phase_ = phase::scram_final;
  return {send};
}

/// A server that does not speak the minor version or an option that was asked for names what it does speak.
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
  static constexpr std::array names{"nothing", "send", "hash", "aside", "refused", "ready", "violation"};
  out << names[static_cast<std::size_t>(step.is)];
  if (step.why) out << " '" << step.why.type << "': " << step.why.rule;
  return out;
}

}  // namespace sluice::proto
