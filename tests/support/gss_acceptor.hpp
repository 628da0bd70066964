#pragma once
// The other side of GSSAPI, which a test plays with the server's key.
#include <gssapi/gssapi.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "backend.hpp"

namespace sluice::test {

/// What GSSAPI allocated.
inline std::string taken(gss_buffer_desc& buffer) {
  const std::string text{static_cast<const char*>(buffer.value), buffer.length};
  OM_uint32 minor = 0;
  gss_release_buffer(&minor, &buffer);
  return text;
}

/// The server's side of a context. It needs `KRB5_KTNAME` to name the server's keytab.
class acceptor {
 public:
  acceptor() = default;
  ~acceptor() {
    OM_uint32 minor = 0;
    gss_delete_sec_context(&minor, &context_, GSS_C_NO_BUFFER);
    gss_release_cred(&minor, &delegated_);
  }
  acceptor(const acceptor&) = delete;
  acceptor& operator=(const acceptor&) = delete;

  /// @return the server's token
  std::string accept(std::span<const std::byte> token) {
    gss_buffer_desc in{token.size(), const_cast<std::byte*>(token.data())};
    gss_buffer_desc out{};
    OM_uint32 minor = 0;
    const OM_uint32 major =
        gss_accept_sec_context(&minor, &context_, GSS_C_NO_CREDENTIAL, &in, GSS_C_NO_CHANNEL_BINDINGS, nullptr, nullptr,
                               &out, &flags_, nullptr, &delegated_);
    const std::string answer = taken(out);
    if (GSS_ERROR(major)) throw std::runtime_error{"not accepted"};
    return answer;
  }
  /// @param is_secret  whether it is encrypted, and not only signed
  std::string wrapped(const std::string& text, bool is_secret = true) {
    gss_buffer_desc in{text.size(), const_cast<char*>(text.data())};
    gss_buffer_desc out{};
    OM_uint32 minor = 0;
    if (GSS_ERROR(gss_wrap(&minor, context_, is_secret ? 1 : 0, GSS_C_QOP_DEFAULT, &in, nullptr, &out)))
      throw std::runtime_error{"not wrapped"};
    return taken(out);
  }
  std::string unwrapped(std::string_view packet) {
    gss_buffer_desc in{packet.size(), const_cast<char*>(packet.data())};
    gss_buffer_desc out{};
    OM_uint32 minor = 0;
    int was_secret = 0;
    if (gss_unwrap(&minor, context_, &in, &out, &was_secret, nullptr) != GSS_S_COMPLETE || was_secret == 0)
      throw std::runtime_error{"not unwrapped"};
    return taken(out);
  }
  [[nodiscard]] bool has_delegated_credentials() const { return delegated_ != GSS_C_NO_CREDENTIAL; }
  [[nodiscard]] OM_uint32 flags() const { return flags_; }

 private:
  gss_ctx_id_t context_{GSS_C_NO_CONTEXT};
  gss_cred_id_t delegated_{GSS_C_NO_CREDENTIAL};
  OM_uint32 flags_{0};
};

/// What goes over the wire: a token, or what is wrapped.
inline std::string packet(const std::string& content) {
  return be32(static_cast<std::uint32_t>(content.size())) + content;
}

}  // namespace sluice::test
