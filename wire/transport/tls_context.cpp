// Translates the TLS settings of a connection string to OpenSSL.
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509err.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "transport/openssl_words.hpp"
#include "transport/tls.hpp"

namespace sluice::wire {

namespace {

[[noreturn]] void refuse(const link::context& where, const std::string& what) {
  throw error{errc::tls_failed, where.after(what)};
}

int number_of(tls_version version) noexcept {
  switch (version) {
    case tls_version::any: return 0;
    case tls_version::v1_0: return TLS1_VERSION;
    case tls_version::v1_1: return TLS1_1_VERSION;
    case tls_version::v1_2: return TLS1_2_VERSION;
    case tls_version::v1_3: break;
  }
  return TLS1_3_VERSION;
}

/// As in libpq: a key owned by root may be readable by its group, any other only by its owner.
void check_permissions(const std::string& key, const link::context& where) {
  struct stat file{};
  if (::stat(key.c_str(), &file) != 0) refuse(where, "the private key " + key + ": " + std::strerror(errno));
  if (!S_ISREG(file.st_mode)) refuse(where, "the private key " + key + " is not a regular file");
  const mode_t too_much = file.st_uid == 0 ? S_IWGRP | S_IXGRP | S_IRWXO : S_IRWXG | S_IRWXO;
  if ((file.st_mode & too_much) != 0)
    refuse(where, "the private key " + key + " can be used by others: chmod 600 it, or 640 if it belongs to root");
}

/// Gives OpenSSL the password of the key; otherwise it would prompt on the terminal.
int give_password(char* to, int size, int /*writing*/, void* from) {
  const std::string_view password = static_cast<const secret*>(from)->view();
  if (size < 0 || password.size() > static_cast<std::size_t>(size)) return -1;
  std::ranges::copy(password, to);
  return static_cast<int>(password.size());
}

void load_certificate(SSL_CTX* context, const conninfo& info, const link::context& where) {
  if (SSL_CTX_use_certificate_chain_file(context, info.sslcert.c_str()) != 1)
    refuse(where, "the client certificate " + info.sslcert + " cannot be used: " + openssl_reason());
  if (info.sslkey.empty()) refuse(where, "the client certificate " + info.sslcert + " has no private key: set sslkey");
  if (info.sslkey.starts_with("engine:")) refuse(where, "sslkey names an engine: only files are supported");
  check_permissions(info.sslkey, where);
  SSL_CTX_set_default_passwd_cb(context, give_password);
  SSL_CTX_set_default_passwd_cb_userdata(context, const_cast<secret*>(&info.sslpassword));
  bool loaded = SSL_CTX_use_PrivateKey_file(context, info.sslkey.c_str(), SSL_FILETYPE_PEM) == 1;
  const bool mismatch = ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_VALUES_MISMATCH;
  const std::string why = openssl_reason();
  loaded = loaded || SSL_CTX_use_PrivateKey_file(context, info.sslkey.c_str(), SSL_FILETYPE_ASN1) == 1;
  ERR_clear_error();
  SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
  if (mismatch || (loaded && SSL_CTX_check_private_key(context) != 1))
    refuse(where, "the private key " + info.sslkey + " does not belong to the certificate " + info.sslcert);
  if (!loaded)
    refuse(where, "the private key " + info.sslkey + " cannot be used (is sslpassword needed, or wrong?): " + why);
}

int on_certificate(int good, X509_STORE_CTX* checked) {
  if (good != 1) {
    auto* const ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(checked, SSL_get_ex_data_X509_STORE_CTX_idx()));
    static_cast<tls_stream*>(SSL_get_app_data(ssl))->on_bad_certificate(checked);
  }
  return good;
}

int on_certificate_request(SSL* ssl, void* /*unused*/) {
  static_cast<tls_stream*>(SSL_get_app_data(ssl))->on_certificate_request();
  return 1;  // with what was loaded, if anything
}

void load_revoked(SSL_CTX* context, const conninfo& info, const link::context& where) {
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  const auto load = [&](const std::string& file, const std::string& folder) {
    if (file.empty() && folder.empty()) return;
    if (X509_STORE_load_locations(store, file.empty() ? nullptr : file.c_str(),
                                  folder.empty() ? nullptr : folder.c_str()) != 1)
      refuse(where, "the certificate revocation list " + file + folder + " cannot be used: " + openssl_reason());
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  };
  load(info.sslcrl, {});
  load({}, info.sslcrldir);
}

/// @return whether there is anything to verify the server's certificate against
bool load_roots(SSL_CTX* context, const conninfo& info, const link::context& where) {
  load_revoked(context, info, where);  // first: a named list must be usable, even where none is needed
  if (info.sslrootcert.empty()) {
    if (info.sslmode >= tls_mode::verify_ca)
      refuse(where,
             "there are no authorities to check the server's certificate by: name a file in sslrootcert, or "
             "sslrootcert=system for those of this machine");
    return false;
  }
  const bool loaded = info.sslrootcert == "system"
                          ? SSL_CTX_set_default_verify_paths(context) == 1
                          : SSL_CTX_load_verify_locations(context, info.sslrootcert.c_str(), nullptr) == 1;
  if (!loaded) refuse(where, "sslrootcert " + info.sslrootcert + " cannot be used: " + openssl_reason());
  return true;
}

}  // namespace

void openssl_free::operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
void openssl_free::operator()(SSL* stream) const noexcept { SSL_free(stream); }

tls_context::tls_context(const conninfo& info, const link::context& where)
    : context_{SSL_CTX_new(TLS_client_method())},
      mode_{info.sslmode},
      negotiation_{info.sslnegotiation},
      sni_{info.sslsni},
      needs_certificate_{info.sslcertmode == certificate_mode::require},
      roots_{info.sslrootcert == "system" ? "this machine's trusted authorities" : info.sslrootcert} {
  SSL_CTX* const context = context_.get();
  if (context == nullptr) refuse(where, "OpenSSL cannot be used: " + openssl_reason());
  ERR_clear_error();
  if (SSL_CTX_set_min_proto_version(context, number_of(info.ssl_min_protocol_version)) != 1 ||
      SSL_CTX_set_max_proto_version(context, number_of(info.ssl_max_protocol_version)) != 1)
    refuse(where, "OpenSSL does not allow these TLS versions: " + openssl_reason());

  // No resumption, so that nothing links two connections; and no renegotiation.
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);  // many records per recv
  constexpr std::size_t ahead = 64U << 10U;
  SSL_CTX_set_default_read_buffer_len(context, ahead);

  // Servers before 18 accept only P-256 by default. If the first message carries no key share for it, they answer with
  // a request to retry, which costs a round trip. Before OpenSSL 3.5, only the first group of the list has a key share.
#if OPENSSL_VERSION_NUMBER < 0x30500000L
  constexpr const char* groups = "P-256:X25519:P-384:P-521";
#else
  constexpr const char* groups = "?*X25519MLKEM768:?*X25519:*P-256:P-384:P-521";
#endif
  if (SSL_CTX_set1_groups_list(context, groups) != 1)
    refuse(where, "OpenSSL lacks the groups for a key exchange: " + openssl_reason());

  constexpr unsigned char postgresql[]{10, 'p', 'o', 's', 't', 'g', 'r', 'e', 's', 'q', 'l'};
  if (SSL_CTX_set_alpn_protos(context, postgresql, sizeof postgresql) != 0) refuse(where, "OpenSSL has no ALPN");

  if (load_roots(context, info, where)) SSL_CTX_set_verify(context, SSL_VERIFY_PEER, on_certificate);
  if (!info.sslcert.empty())
    load_certificate(context, info, where);
  else if (needs_certificate_)
    refuse(where, "sslcertmode=require, and there is no certificate: set sslcert and sslkey");
  SSL_CTX_set_cert_cb(context, on_certificate_request, nullptr);
}

}  // namespace sluice::wire
