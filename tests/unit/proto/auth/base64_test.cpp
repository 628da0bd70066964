// Base64 as SCRAM uses it.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include "auth/base64.hpp"

#include "bytes.hpp"

namespace base64_test {
namespace {

using sluice::proto::decode_base64;
using sluice::proto::encode_base64;
using sluice::test::as_bytes;

// RFC 4648, section 10.
const std::vector<std::pair<std::string_view, std::string_view>> known{
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xfb\xff", "+/8="},
};

TEST(Base64, EncodesTheVectorsOfItsSpecification) {
  for (const auto& [plain, encoded] : known) EXPECT_EQ(encode_base64(as_bytes(plain)), encoded);
}

TEST(Base64, DecodesWhatItEncodes) {
  for (const auto& [plain, encoded] : known) {
    const auto decoded = decode_base64(encoded);
    ASSERT_TRUE(decoded) << encoded;
    EXPECT_EQ((std::string{reinterpret_cast<const char*>(decoded->data()), decoded->size()}), plain);
  }
}

TEST(Base64, RejectsWhatTheEncoderWouldNotProduce) {
  for (const std::string_view text :
       {"Zg", "Zg=", "Zg===", "====", "=", "Z===", "Zg==Zg==", "Zm9v=", "Zm9v\n", "Zm-_", "Zm 9", "Zh==", "Zm9="})
    EXPECT_FALSE(decode_base64(text)) << text;
}

}  // namespace
}  // namespace base64_test
