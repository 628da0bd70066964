// A hash with a secret key.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "cache/keyed_hash.hpp"

namespace keyed_hash_test {
namespace {

using sluice::detail::keyed_hash;

std::string letters(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text += static_cast<char>('a' + i % 26);
  return text;
}

TEST(KeyedHash, IsTheSameForTheSameBytes) {
  const keyed_hash hash;
  for (std::size_t size = 0; size < 70; ++size) {
    const std::string text = letters(size);
    const auto exact = std::make_unique<char[]>(size);  // a sanitizer watches its end
    text.copy(exact.get(), size);
    EXPECT_EQ(hash(text), hash({exact.get(), size})) << size;
  }
  const keyed_hash copied = hash;
  EXPECT_EQ(copied("text"), hash("text"));
}

TEST(KeyedHash, DependsOnItsKey) {
  const keyed_hash one;
  const keyed_hash other;
  for (const std::string_view text : {"", "a", "a text that is longer than sixteen bytes"})
    EXPECT_NE(one(text), other(text));
}

TEST(KeyedHash, DependsOnEachBitOfTheBytes) {
  const keyed_hash hash;
  for (const std::size_t size : {1U, 8U, 15U, 16U, 17U, 32U, 33U, 48U}) {
    const std::string text = letters(size);
    std::set<std::uint64_t> seen{hash(text)};
    for (std::size_t at = 0; at < size; ++at)
      for (unsigned bit = 0; bit < 8; ++bit) {
        std::string other = text;
        other[at] = static_cast<char>(static_cast<unsigned char>(other[at]) ^ (1U << bit));
        seen.insert(hash(other));
      }
    EXPECT_EQ(seen.size(), 8 * size + 1) << size;
  }
}

TEST(KeyedHash, DependsOnTheSize) {
  const keyed_hash hash;
  std::set<std::uint64_t> seen;
  for (std::size_t size = 0; size < 100; ++size) seen.insert(hash(std::string(size, '\0')));
  EXPECT_EQ(seen.size(), 100U) << "zeros at the end are not lost";
}

TEST(KeyedHash, SpreadsWhatIsAlike) {
  const keyed_hash hash;
  constexpr std::size_t buckets = 64;
  constexpr std::size_t count = 64'000;
  std::size_t high[buckets]{};
  std::size_t low[buckets]{};
  std::set<std::uint64_t> seen;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t value = hash("select * from t where id = " + std::to_string(i));
    seen.insert(value);
    ++high[value >> 58U];
    ++low[value & 63U];
  }
  EXPECT_EQ(seen.size(), count);
  for (std::size_t i = 0; i < buckets; ++i) {  // 1,000 are expected
    EXPECT_GT(high[i], 700U) << i;
    EXPECT_LT(high[i], 1'300U) << i;
    EXPECT_GT(low[i], 700U) << i;
    EXPECT_LT(low[i], 1'300U) << i;
  }
}

}  // namespace
}  // namespace keyed_hash_test
