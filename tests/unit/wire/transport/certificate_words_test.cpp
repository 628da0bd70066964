// Why a certificate was rejected, in words: each reason of OpenSSL's that has words of its own. Real handshakes are in
// tests/integration/tls_test.cpp.
#include <gtest/gtest.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>

#include "transport/certificate_words.hpp"

namespace certificate_words_test {
namespace {

struct freed {
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const noexcept { X509_EXTENSION_free(extension); }
  void operator()(X509_STORE_CTX* checked) const noexcept { X509_STORE_CTX_free(checked); }
};
using certificate_ptr = std::unique_ptr<X509, freed>;

void set_name(X509_NAME* to, std::string_view common_name) {
  X509_NAME_add_entry_by_txt(to, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(common_name.data()),
                             static_cast<int>(common_name.size()), -1, 0);
}

/// @param others  a subjectAltName in OpenSSL's syntax; null: none
certificate_ptr a_certificate(const char* others = nullptr, std::string_view subject = "db.example") {
  certificate_ptr made{X509_new()};
  X509_set_version(made.get(), 2);
  set_name(X509_get_subject_name(made.get()), subject);
  set_name(X509_get_issuer_name(made.get()), "An authority");
  ASN1_TIME_set_string(X509_getm_notBefore(made.get()), "20300102030405Z");
  ASN1_TIME_set_string(X509_getm_notAfter(made.get()), "20010203040506Z");
  if (others != nullptr) {
    const std::unique_ptr<X509_EXTENSION, freed> names{
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, others)};
    X509_add_ext(made.get(), names.get(), -1);
  }
  return made;
}

/// @param peer  the requested host
std::string words_of(int why, X509* certificate, const std::string& peer = "db.example") {
  const std::unique_ptr<X509_STORE_CTX, freed> checked{X509_STORE_CTX_new()};
  X509_STORE_CTX_init(checked.get(), nullptr, certificate, nullptr);
  X509_STORE_CTX_set_current_cert(checked.get(), certificate);
  X509_STORE_CTX_set_error(checked.get(), why);
  return sluice::wire::describe_bad_certificate(checked.get(), peer, "\"/etc/root.crt\"");
}
std::string words_of(int why) { return words_of(why, a_certificate().get()); }

TEST(CertificateWords, SayFromWhenAndUntilWhenItIsValid) {
  EXPECT_EQ(words_of(X509_V_ERR_CERT_HAS_EXPIRED),
            "the certificate of CN = db.example expired on Feb  3 04:05:06 2001 GMT");
  EXPECT_EQ(words_of(X509_V_ERR_CERT_NOT_YET_VALID),
            "the certificate of CN = db.example is valid from Jan  2 03:04:05 2030 GMT");
}

TEST(CertificateWords, SayWhoIsNotTrusted) {
  EXPECT_EQ(words_of(X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT),
            "the certificate of CN = db.example is self-signed, and is not in \"/etc/root.crt\"");
  for (const int why : {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
                        X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE})
    EXPECT_EQ(words_of(why),
              "the certificate of CN = db.example is signed by CN = An authority, which is not in \"/etc/root.crt\"");
}

TEST(CertificateWords, SayWhatIsRevokedOrCannotBeChecked) {
  EXPECT_EQ(words_of(X509_V_ERR_CERT_REVOKED), "the certificate of CN = db.example has been revoked");
  EXPECT_EQ(words_of(X509_V_ERR_UNABLE_TO_GET_CRL),
            "the certificate of CN = db.example cannot be checked: there is no revocation list of CN = An authority");
}

TEST(CertificateWords, NameTheHostsThatItIsFor) {
  EXPECT_EQ(words_of(X509_V_ERR_HOSTNAME_MISMATCH, a_certificate("DNS:a.example,IP:10.0.0.1").get(), "b.example"),
            "the server's certificate is for DNS:a.example, IP Address:10.0.0.1, not for \"b.example\"");
  EXPECT_EQ(words_of(X509_V_ERR_HOSTNAME_MISMATCH, a_certificate().get(), "b.example"),
            "the server's certificate is for CN = db.example, not for \"b.example\"");
}

TEST(CertificateWords, ExplainWildcardsAndAddresses) {
  EXPECT_EQ(words_of(X509_V_ERR_HOSTNAME_MISMATCH, a_certificate("DNS:*.example").get(), "a.b.example"),
            "the server's certificate is for DNS:*.example, not for \"a.b.example\": a wildcard stands for one label, "
            "before two others at least");
  EXPECT_EQ(words_of(X509_V_ERR_IP_ADDRESS_MISMATCH, a_certificate("DNS:10.0.0.1").get(), "10.0.0.1"),
            "the server's certificate is for DNS:10.0.0.1, not for \"10.0.0.1\": an address has to be in its "
            "subjectAltName, as an IP address");
  EXPECT_EQ(words_of(X509_V_ERR_IP_ADDRESS_MISMATCH, a_certificate("IP:10.0.0.2").get(), "10.0.0.1"),
            "the server's certificate is for IP Address:10.0.0.2, not for \"10.0.0.1\"");
}

TEST(CertificateWords, HaveThoseOfOpensslForOtherReasons) {
  const std::string words = words_of(X509_V_ERR_CERT_SIGNATURE_FAILURE);
  EXPECT_EQ(words, std::string{"the certificate of CN = db.example: "} +
                       X509_verify_cert_error_string(X509_V_ERR_CERT_SIGNATURE_FAILURE));
  EXPECT_EQ(words_of(X509_V_ERR_OUT_OF_MEM, nullptr), X509_verify_cert_error_string(X509_V_ERR_OUT_OF_MEM));
}

TEST(CertificateWords, ContainNothingThatATerminalWouldObey) {
  const std::string turned = "\xe2\x80\xae";  // what follows is shown from right to left
  const certificate_ptr bad = a_certificate(nullptr, "a\x1b[31mb\nc J\xc3\xb6rg" + turned);
  const std::string words = words_of(X509_V_ERR_CERT_REVOKED, bad.get());
  for (const char each : words) EXPECT_GE(static_cast<unsigned char>(each), 0x20) << words;
  EXPECT_NE(words.find("J\xc3\xb6rg"), words.npos) << words;
  EXPECT_EQ(words.find(turned), words.npos) << words;
}

}  // namespace
}  // namespace certificate_words_test
