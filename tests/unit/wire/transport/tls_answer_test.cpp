// A server's possible answers to an SSLRequest.
#include <gtest/gtest.h>

#include <string_view>
#include "transport/tls_answer.hpp"

#include "bytes.hpp"

namespace tls_answer_test {
namespace {

using sluice::test::as_bytes;
using sluice::wire::read_tls_answer;
using sluice::wire::tls_answer;

tls_answer answer_of(std::string_view arrived) { return read_tls_answer(as_bytes(arrived)); }

TEST(TlsAnswer, IsOneByte) {
  EXPECT_EQ(answer_of(""), tls_answer::none);
  EXPECT_EQ(answer_of("S"), tls_answer::yes);
  EXPECT_EQ(answer_of("N"), tls_answer::no);
  EXPECT_EQ(answer_of("E"), tls_answer::error);
  EXPECT_EQ(answer_of("G"), tls_answer::unknown);
}

TEST(TlsAnswer, MustNotComeWithMore) {
  EXPECT_EQ(answer_of("S\x16"), tls_answer::early);
  EXPECT_EQ(answer_of("NR"), tls_answer::no) << "nothing is protected then anyway";
  EXPECT_EQ(answer_of("Esomething is wrong"), tls_answer::error);
}

}  // namespace
}  // namespace tls_answer_test
