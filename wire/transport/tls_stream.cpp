#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <new>
#include <utility>

#include "transport/certificate_words.hpp"
#include "transport/openssl_words.hpp"
#include "transport/tls.hpp"

namespace sluice::wire {

namespace {

constexpr std::size_t most_read_at_once = 256U << 10U;  // by one call of OpenSSL

// OpenSSL's own BIO for sockets writes without MSG_NOSIGNAL: if the peer is gone, SIGPIPE would end the process.

template <class Call>
int moved_or_why(BIO* bio, int retry, Call call) {
  auto& transport = *static_cast<tls_stream::transport*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  for (;;) {
    const ssize_t count = call(transport);
    if (count >= 0) return static_cast<int>(count);
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK)
      BIO_set_flags(bio, BIO_FLAGS_SHOULD_RETRY | retry);
    else
      transport.error = errno;
    return -1;
  }
}

int receive(BIO* bio, char* into, int size) {
  return moved_or_why(bio, BIO_FLAGS_READ, [&](tls_stream::transport& from) -> ssize_t {
    const std::size_t room = std::min(static_cast<std::size_t>(size), from.budget);
    if (room == 0) {  // the rest is left to the next call: the socket is ready for it
      errno = EAGAIN;
      return -1;
    }
    const ssize_t count = ::recv(from.descriptor, into, room, 0);
    if (count > 0) from.budget -= static_cast<std::size_t>(count);
    return count;
  });
}

int send(BIO* bio, const char* from, int size) {
  return moved_or_why(bio, BIO_FLAGS_WRITE, [&](const tls_stream::transport& to) {
    return ::send(to.descriptor, from, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  });
}

long control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

const BIO_METHOD* socket_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sluice socket");
    if (made == nullptr) throw std::bad_alloc{};
    BIO_meth_set_read(made, receive);
    BIO_meth_set_write(made, send);
    BIO_meth_set_ctrl(made, control);
    return made;
  }();
  return method;
}

bool is_ip_address(const std::string& name) {
  ASN1_OCTET_STRING* const address = a2i_IPADDRESS(name.c_str());
  ASN1_OCTET_STRING_free(address);
  ERR_clear_error();
  return address != nullptr;
}

int at_most_int(std::size_t size) noexcept {
  return static_cast<int>(std::min<std::size_t>(size, std::numeric_limits<int>::max()));
}

}  // namespace

tls_stream::tls_stream(std::shared_ptr<const tls_context> with, int descriptor, const conninfo::host& peer)
    : context_{std::move(with)}, ssl_{SSL_new(context_->get())}, transport_{descriptor, 0, 0}, peer_{peer.name} {
  BIO* const bio = ssl_ == nullptr ? nullptr : BIO_new(socket_method());
  if (bio == nullptr) throw std::bad_alloc{};
  BIO_set_data(bio, &transport_);
  BIO_set_init(bio, 1);
  SSL* const ssl = ssl_.get();
  SSL_set_bio(ssl, bio, bio);
  if (SSL_set_app_data(ssl, this) != 1) throw std::bad_alloc{};
  SSL_set_connect_state(ssl);

  const bool numeric = is_ip_address(peer_);
  bool set = true;
  if (context_->names_the_host() && !numeric && !peer_.empty()) set = SSL_set_tlsext_host_name(ssl, peer_.c_str()) == 1;
  if (context_->mode() == tls_mode::verify_full && !peer_.empty()) {
    X509_VERIFY_PARAM* const check = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(check, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    set = set && (numeric ? X509_VERIFY_PARAM_set1_ip_asc(check, peer_.c_str())
                          : X509_VERIFY_PARAM_set1_host(check, peer_.c_str(), peer_.size())) == 1;
  }
  if (context_->mode() == tls_mode::verify_full && peer_.starts_with('.'))  // to OpenSSL: any host below it
    failure_ = "sslmode=verify-full needs the name of one host, and \"" + peer_ + "\" is a whole domain";
  else if (!set)
    failure_ = "the host name \"" + peer_ + "\" cannot be in a certificate";
}

tls_stream::~tls_stream() = default;

tls_stream::status tls_stream::handshake() {
  if (!failure_.empty()) return status::failed;
  if (context_->mode() == tls_mode::verify_full && peer_.empty()) {
    failure_ = "sslmode=verify-full needs a host name to check the certificate by: set host besides hostaddr";
    return status::failed;
  }
  ERR_clear_error();
  transport_.budget = most_read_at_once;
  const status now = status_of(SSL_do_handshake(ssl_.get()));
  return now == status::done ? check_handshake() : now;
}

tls_stream::status tls_stream::check_handshake() {
  shaken_ = true;
  if (context_->negotiation() == tls_negotiation::direct) {
    const unsigned char* protocol = nullptr;
    unsigned int size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &protocol, &size);
    if (std::string_view{reinterpret_cast<const char*>(protocol), size} != "postgresql") {
      failure_ = "the server speaks TLS, but did not agree to speak the Postgres protocol in it";
      return status::failed;
    }
  }
  if (context_->needs_certificate() && !certificate_wanted_) {
    failure_ = "sslcertmode=require, and the server did not ask for a certificate";
    return status::failed;
  }
  return status::done;
}

tls_stream::result tls_stream::read(std::span<std::byte> into) noexcept {
  std::size_t count = 0;
  transport_.budget = most_read_at_once;
  while (count < into.size()) {
    ERR_clear_error();
    const int got = SSL_read(ssl_.get(), into.data() + count, at_most_int(into.size() - count));
    if (got <= 0) {
      const status now = status_of(got);
      return {count != 0 ? status::done : now, count};  // an end or a failure is reported again by the next call
    }
    count += static_cast<std::size_t>(got);
  }
  wants_to_send_ = false;
  return {status::done, count};
}

tls_stream::result tls_stream::write(std::span<const std::byte> from) noexcept {
  ERR_clear_error();
  transport_.budget = most_read_at_once;
  const int sent = SSL_write(ssl_.get(), from.data(), at_most_int(from.size()));
  if (sent > 0) return {status::done, static_cast<std::size_t>(sent)};
  return {status_of(sent), 0};
}

void tls_stream::close() noexcept {
  if (!shaken_ || !failure_.empty() || transport_.error != 0) return;
  ERR_clear_error();
  (void)SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

tls_stream::status tls_stream::status_of(int returned) noexcept {
  const int now = SSL_get_error(ssl_.get(), returned);
  wants_to_send_ = now == SSL_ERROR_WANT_WRITE;
  switch (now) {
    case SSL_ERROR_NONE: return status::done;
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return status::later;
    case SSL_ERROR_SYSCALL:
    case SSL_ERROR_ZERO_RETURN: return status::ended;
    default: break;
  }
  try {
    if (failure_.empty()) failure_ = reason();
  } catch (const std::bad_alloc&) {
    failure_ = "out of memory";  // short enough to need none
    ERR_clear_error();
  }
  return status::failed;
}

std::string tls_stream::reason() {
  const unsigned long code = ERR_peek_error();
  if (ERR_GET_LIB(code) == ERR_LIB_SSL) {
    const int why = ERR_GET_REASON(code);
    if (why == SSL_R_WRONG_VERSION_NUMBER || why == SSL_R_PACKET_LENGTH_TOO_LONG)
      return "what the server answers is not TLS (" + openssl_reason() + ")";
    if (why == SSL_R_UNSUPPORTED_PROTOCOL || why == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION)
      return "no TLS version is allowed on both sides (" + openssl_reason() +
             "): look at ssl_min_protocol_version and ssl_max_protocol_version";
    if (why > SSL_AD_REASON_OFFSET) return "the server refused: " + openssl_reason();
  }
  return openssl_reason();
}

void tls_stream::on_bad_certificate(X509_STORE_CTX* checked) {
  try {
    failure_ = describe_bad_certificate(checked, peer_, context_->roots());
  } catch (...) {  // out of memory, and exceptions must not pass OpenSSL's frames below: its own words have to do
    failure_.clear();
  }
}

std::string_view tls_stream::version() const noexcept { return SSL_get_version(ssl_.get()); }

std::string tls_stream::certificate_hash() const {
  X509* const certificate = SSL_get0_peer_certificate(ssl_.get());
  int digest = NID_undef;
  if (certificate == nullptr || X509_get_signature_info(certificate, &digest, nullptr, nullptr, nullptr) != 1 ||
      digest == NID_undef) {
    ERR_clear_error();
    return {};
  }
  if (digest == NID_md5 || digest == NID_sha1) digest = NID_sha256;  // RFC 5929, section 4.1
  const EVP_MD* const method = EVP_get_digestbynid(digest);
  std::string hash(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  if (method == nullptr ||
      X509_digest(certificate, method, reinterpret_cast<unsigned char*>(hash.data()), &size) != 1) {
    ERR_clear_error();
    return {};
  }
  hash.resize(size);
  return hash;
}

}  // namespace sluice::wire
