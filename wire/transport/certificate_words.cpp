#include "transport/certificate_words.hpp"

#include <openssl/bio.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string_view>

#include "transport/printable.hpp"

namespace sluice::wire {

namespace {

struct words_free {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
  void operator()(GENERAL_NAMES* names) const noexcept { GENERAL_NAMES_free(names); }
};

/// The text that `print` writes.
template <class Print>
std::string printed(Print print) {
  const std::unique_ptr<BIO, words_free> to{BIO_new(BIO_s_mem())};
  if (to == nullptr) return {};
  print(to.get());
  char* text = nullptr;
  const long size = BIO_get_mem_data(to.get(), &text);
  return size > 0 ? printable({text, static_cast<std::size_t>(size)}) : std::string{};
}

std::string name_of(const X509_NAME* name) {
  return printed([&](BIO* to) { X509_NAME_print_ex(to, name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB); });
}

std::string time_of(const ASN1_TIME* time) {
  return printed([&](BIO* to) { ASN1_TIME_print(to, time); });
}

/// The alternative names in OpenSSL's format, "DNS:a, IP Address:b"; if there are none, the subject.
std::string names_in(X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, words_free> names{
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
  if (names == nullptr) return name_of(X509_get_subject_name(certificate));
  std::string all;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    if (!all.empty()) all += ", ";
    all += printed([&](BIO* to) { GENERAL_NAME_print(to, sk_GENERAL_NAME_value(names.get(), i)); });
  }
  return all;
}

}  // namespace

std::string describe_bad_certificate(X509_STORE_CTX* checked, const std::string& peer, const std::string& roots) {
  X509* const certificate = X509_STORE_CTX_get_current_cert(checked);
  const int why = X509_STORE_CTX_get_error(checked);
  if (certificate == nullptr) return X509_verify_cert_error_string(why);
  const std::string which = "the certificate of " + name_of(X509_get_subject_name(certificate));
  switch (why) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return which + " expired on " + time_of(X509_get0_notAfter(certificate));
    case X509_V_ERR_CERT_NOT_YET_VALID: return which + " is valid from " + time_of(X509_get0_notBefore(certificate));
    case X509_V_ERR_CERT_REVOKED: return which + " has been revoked";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return which + " is self-signed, and is not in " + roots;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return which + " is signed by " + name_of(X509_get_issuer_name(certificate)) + ", which is not in " + roots;
    case X509_V_ERR_UNABLE_TO_GET_CRL:
      return which + " cannot be checked: there is no revocation list of " + name_of(X509_get_issuer_name(certificate));
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: {
      const std::string names = names_in(certificate);
      std::string problem = "the server's certificate is for " + names + ", not for \"" + peer + '"';
      if (why == X509_V_ERR_IP_ADDRESS_MISMATCH && names.find(peer) != names.npos)
        problem += ": an address has to be in its subjectAltName, as an IP address";
      else if (names.find("*.") != names.npos)
        problem += ": a wildcard stands for one label, before two others at least";
      return problem;
    }
    default: return which + ": " + X509_verify_cert_error_string(why);
  }
}

}  // namespace sluice::wire
