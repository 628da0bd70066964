#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <optional>
#include "auth/md5.hpp"

namespace md5_test {
namespace {

using sluice::proto::md5_password;

constexpr std::array salt{std::byte{0x01}, std::byte{0x00}, std::byte{0xfe}, std::byte{0x7f}};

// Expected values computed with Python's hashlib.
TEST(Md5Password, IsTheSaltedDigestOfTheStoredDigest) {
  EXPECT_EQ(md5_password("postgres", "secret", salt), "md5cdefe886a93f0d58a0f8ef9f1af25138");
  EXPECT_EQ(md5_password("", "", salt), "md5900c1e5e475a1892ecb8fc9b3e7034fa");
}

TEST(Md5Password, DependsOnEachOfItsParts) {
  const auto proof = md5_password("user", "password", salt);
  constexpr std::array other{std::byte{0x02}, std::byte{0x00}, std::byte{0xfe}, std::byte{0x7f}};
  EXPECT_NE(md5_password("user", "password", other), proof);
  EXPECT_NE(md5_password("User", "password", salt), proof);
  EXPECT_NE(md5_password("user", "Password", salt), proof);
}

TEST(Md5Password, IsNothingWhenLibcryptoHasNoMd5) {
  ASSERT_EQ(EVP_set_default_properties(nullptr, "fips=yes"), 1);
  const auto proof = md5_password("postgres", "secret", salt);
  ASSERT_EQ(EVP_set_default_properties(nullptr, ""), 1);

  EXPECT_EQ(proof, std::nullopt);
  EXPECT_NE(md5_password("postgres", "secret", salt), std::nullopt);
}

}  // namespace
}  // namespace md5_test
