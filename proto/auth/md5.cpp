#include "auth/md5.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <initializer_list>
#include <memory>

namespace sluice::proto {

namespace {

using hex_digest = std::array<char, 32>;

std::optional<hex_digest> md5_hex(std::initializer_list<std::string_view> parts) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), EVP_MD_CTX_free};
  if (context == nullptr || EVP_DigestInit_ex(context.get(), EVP_md5(), nullptr) != 1) return {};
  for (const std::string_view part : parts)
    if (EVP_DigestUpdate(context.get(), part.data(), part.size()) != 1) return {};
  std::array<unsigned char, 16> digest{};
  if (EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1) return {};

  constexpr std::string_view digits{"0123456789abcdef"};
  hex_digest hex{};
  for (std::size_t i = 0; i < digest.size(); ++i) {
    hex[2 * i] = digits[digest[i] >> 4U];
    hex[2 * i + 1] = digits[digest[i] & 0xfU];
  }
  OPENSSL_cleanse(digest.data(), digest.size());
  return hex;
}

}  // namespace

std::optional<std::string> md5_password(std::string_view user, std::string_view password,
                                        std::span<const std::byte, 4> salt) {
  std::optional<hex_digest> stored = md5_hex({password, user});  // what the server stores: as good as the password
  if (!stored) return {};
  const auto proof = md5_hex({{stored->data(), stored->size()}, {reinterpret_cast<const char*>(salt.data()), 4}});
  OPENSSL_cleanse(stored->data(), stored->size());
  if (!proof) return {};
  return "md5" + std::string{proof->data(), proof->size()};
}

}  // namespace sluice::proto
