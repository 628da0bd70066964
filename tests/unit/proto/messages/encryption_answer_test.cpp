// A server's possible answers to an SSLRequest and a GSSENCRequest.
#include <gtest/gtest.h>

#include <string_view>
#include "messages/encryption_answer.hpp"

#include "bytes.hpp"

namespace encryption_answer_test {
namespace {

using namespace sluice::proto;
using sluice::test::as_bytes;

encryption_answer tls(std::string_view arrived) { return read_tls_answer(as_bytes(arrived)); }
encryption_answer gss(std::string_view arrived) { return read_gss_answer(as_bytes(arrived)); }

TEST(EncryptionAnswer, IsOneByte) {
  EXPECT_EQ(tls("S"), encryption_answer::yes);
  EXPECT_EQ(tls("G"), encryption_answer::unknown);
  EXPECT_EQ(gss("G"), encryption_answer::yes);
  EXPECT_EQ(gss("S"), encryption_answer::unknown);
  for (const auto answer_of : {tls, gss}) {
    EXPECT_EQ(answer_of(""), encryption_answer::none);
    EXPECT_EQ(answer_of("N"), encryption_answer::no);
    EXPECT_EQ(answer_of("E"), encryption_answer::error);
    EXPECT_EQ(answer_of("X"), encryption_answer::unknown);
  }
}

TEST(EncryptionAnswer, MustNotComeWithMore) {
  EXPECT_EQ(tls("S\x16"), encryption_answer::early);
  EXPECT_EQ(gss("GR"), encryption_answer::early);
  for (const auto answer_of : {tls, gss}) {
    EXPECT_EQ(answer_of("NR"), encryption_answer::no) << "nothing is protected then anyway";
    EXPECT_EQ(answer_of("Esomething is wrong"), encryption_answer::error);
  }
}

}  // namespace
}  // namespace encryption_answer_test
