// Text that is overwritten when it is no longer needed.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

#include <sluice/wire/secret.hpp>

#include "bytes.hpp"

namespace secret_test {
namespace {

using sluice::secret;
using sluice::test::raw;

TEST(Secret, IsEmptyAtFirst) {
  const secret none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.view(), "");
  EXPECT_EQ(none, secret{""});
  EXPECT_TRUE(secret{std::string_view{}}.empty());
}

TEST(Secret, OwnsItsText) {
  std::string text{"hunter2"};
  const secret kept{text};
  text.assign("changed");
  EXPECT_EQ(kept.view(), "hunter2");
  EXPECT_FALSE(kept.empty());
}

TEST(Secret, MayHoldAnyBytes) {
  const std::string zeros = raw("a\0b\xff");
  const secret kept{std::string_view{zeros}};
  EXPECT_EQ(kept.view(), zeros);
  EXPECT_FALSE(kept == secret{"a"});
  const std::string large(1'000'000, 'x');
  EXPECT_EQ(secret{std::string_view{large}}, secret{std::string_view{large}});
}

TEST(Secret, IsCopiedDeeply) {
  const secret first{"one"};
  secret second{first};
  EXPECT_NE(second.view().data(), first.view().data());
  second = "two";
  EXPECT_EQ(first.view(), "one");
  EXPECT_EQ(second.view(), "two");
}

TEST(Secret, IsEmptyAfterAMove) {
  secret from{"one"};
  const char* const at = from.view().data();
  const secret to{std::move(from)};
  EXPECT_EQ(to.view().data(), at) << "the text is not copied";
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): this is what it promises
  EXPECT_EQ(from.view(), "");
  from = to;
  EXPECT_EQ(from.view(), "one");
}

TEST(Secret, MayBeAssignedToItself) {
  secret one{"one"};
  const secret& same = one;
  one = same;
  EXPECT_EQ(one.view(), "one");
}

TEST(Secret, IsEqualByItsText) {
  EXPECT_EQ(secret{"a"}, secret{"a"});
  EXPECT_FALSE(secret{"a"} == secret{"b"});
  EXPECT_FALSE(secret{"a"} == secret{"ab"});
}

}  // namespace
}  // namespace secret_test
