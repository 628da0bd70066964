#pragma once
// The server's side of SCRAM-SHA-256. It uses only libcrypto's one-shot functions and none of our code, as an
// independent check.
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::test {

inline std::string base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

inline std::string hmac_sha256(std::string_view key, std::string_view data) {
  std::string out(32, '\0');
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(data.data()),
       data.size(), reinterpret_cast<unsigned char*>(out.data()), nullptr);
  return out;
}

inline std::string sha256(std::string_view data) {
  std::string out(32, '\0');
  EVP_Digest(data.data(), data.size(), reinterpret_cast<unsigned char*>(out.data()), nullptr, EVP_sha256(), nullptr);
  return out;
}

/// What a server stores for one account, and its messages.
struct scram_server {
  std::string password{"pencil"};  // after SASLprep
  std::string salt{"0123456789abcdef"};
  int iterations{4096};
  std::string nonce{"server-nonce"};  // the server's part of the nonce

  [[nodiscard]] std::string salted_password() const {
    std::string out(32, '\0');
    PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                      reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()), iterations,
                      EVP_sha256(), 32, reinterpret_cast<unsigned char*>(out.data()));
    return out;
  }
  [[nodiscard]] std::string client_key() const { return hmac_sha256(salted_password(), "Client Key"); }
  [[nodiscard]] std::string server_key() const { return hmac_sha256(salted_password(), "Server Key"); }

  [[nodiscard]] std::string first(std::string_view client_nonce) const {
    return "r=" + std::string{client_nonce} + nonce + ",s=" + base64(salt) + ",i=" + std::to_string(iterations);
  }

  /// The proof that a client must send, and the server's final message, whose signature the client must verify.
  struct answers {
    std::string proof;
    std::string server_final;
  };
  [[nodiscard]] answers expect(std::string_view client_first_bare, std::string_view server_first,
                               std::string_view client_final_without_proof) const {
    const std::string text = std::string{client_first_bare} + ',' + std::string{server_first} + ',' +
                             std::string{client_final_without_proof};
    std::string proof = hmac_sha256(sha256(client_key()), text);
    const std::string key = client_key();
    for (std::size_t i = 0; i < proof.size(); ++i) proof[i] = static_cast<char>(proof[i] ^ key[i]);
    return {base64(proof), "v=" + base64(hmac_sha256(server_key(), text))};
  }
};

}  // namespace sluice::test
