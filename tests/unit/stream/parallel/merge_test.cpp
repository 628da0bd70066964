// Merges sorted results that arrive in pieces.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <sluice/proto/oid.hpp>
#include <sluice/wire/error.hpp>
#include <string>
#include <vector>
#include "parallel/merge.hpp"

#include "backend.hpp"

namespace merge_test {
namespace {

namespace oid = sluice::proto::oid;
using sluice::detail::merge;
using sluice::detail::sort_column;
using sluice::test::backend;
using sluice::test::be32;
using key = std::optional<std::string>;  // in the binary format; nullopt: NULL

key int4(std::int32_t value) { return be32(static_cast<std::uint32_t>(value)); }

/// The rows of one connection: a document followed by its sort keys.
class sent_rows {
 public:
  explicit sent_rows(const std::vector<std::pair<std::string, key>>& rows) {
    backend sent;
    for (const auto& [document, order] : rows)
      sent.data_row(
          {std::optional<std::string_view>{document}, order ? std::optional<std::string_view>{*order} : std::nullopt});
    size_ = sent.bytes.size();
    bytes_ = std::make_unique<std::byte[]>(size_ + 64);
    std::memcpy(bytes_.get(), sent.bytes.data(), size_);
  }
  [[nodiscard]] sluice::chunk chunk() const {
    return sluice::chunk{
        {.begin = bytes_.get(), .end = bytes_.get() + size_, .shape = {.columns = 2}, .walked = nullptr}};
  }

 private:
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t size_{};
};

/// The documents in merged order, each followed by a space.
/// @param results  one per connection: documents, each with its only sort key
std::string merged(const sort_column& by, const std::vector<std::vector<std::pair<std::string, key>>>& results) {
  std::vector<sent_rows> sent;
  for (const auto& each : results) sent.emplace_back(each);
  merge all{{by}};
  for (std::uint32_t i = 0; i < sent.size(); ++i) all.add(i, sent[i].chunk());
  std::string text;
  while (all.size() != 0)
    for (const sluice::row each : all.next().rows) text += std::string{each.text()} + ' ';
  return text;
}

TEST(Merge, TakesTheLeastOfEach) {
  const sort_column rising{oid::int4, false, false};
  EXPECT_EQ(merged(rising, {{{"a", int4(1)}, {"b", int4(4)}}, {{"c", int4(-2)}, {"d", int4(3)}, {"e", int4(9)}}}),
            "c a d b e ");
  const sort_column falling{oid::int4, true, true};
  EXPECT_EQ(merged(falling, {{{"a", std::nullopt}, {"b", int4(4)}}, {{"c", int4(5)}, {"d", int4(3)}}}), "a c b d ");
  const sort_column nulls_last{oid::int4, false, false};
  EXPECT_EQ(
      merged(nulls_last, {{{"a", int4(1)}, {"b", std::nullopt}}, {{"c", std::nullopt}}, {{"d", int4(0)}}}).substr(0, 4),
      "d a ");
}

TEST(Merge, ComparesEachTypeAsTheServerDoes) {
  const auto in_order = [](std::uint32_t type, const std::string& less, const std::string& more) {
    const sort_column rising{type, false, false};
    EXPECT_EQ(merged(rising, {{{"more", more}}, {{"less", less}}}), "less more ") << type;
    const sort_column falling{type, true, false};
    EXPECT_EQ(merged(falling, {{{"less", less}}, {{"more", more}}}), "more less ") << type;
  };
  const auto bits = [](auto value) {
    std::string bytes(sizeof(value), '\0');
    std::memcpy(bytes.data(), &value, sizeof(value));
    if constexpr (std::endian::native == std::endian::little) std::ranges::reverse(bytes);
    return bytes;
  };
  in_order(oid::int2, bits(std::int16_t{-1}), bits(std::int16_t{0}));
  in_order(oid::int8, bits(std::numeric_limits<std::int64_t>::min()), bits(std::int64_t{-1}));
  in_order(oid::date, bits(std::int32_t{-1}), bits(std::int32_t{1}));
  in_order(oid::float8, bits(-1.5), bits(1e-300));
  in_order(oid::float8, bits(std::numeric_limits<double>::infinity()), bits(std::numeric_limits<double>::quiet_NaN()));
  in_order(oid::float4, bits(-std::numeric_limits<float>::infinity()), bits(-3.0F));
  in_order(oid::text, "ab", "abc");
  in_order(oid::text, "Z", "a");
  in_order(oid::uuid, std::string(16, '\x7f'), std::string(16, '\x80'));
  const auto numeric = [](std::uint16_t weight, std::uint16_t sign, std::vector<std::uint16_t> digits) {
    std::string bytes = sluice::test::be16(static_cast<std::uint32_t>(digits.size())) + sluice::test::be16(weight) +
                        sluice::test::be16(sign) + sluice::test::be16(0);
    for (const std::uint16_t each : digits) bytes += sluice::test::be16(each);
    return bytes;
  };
  in_order(oid::numeric, numeric(0, 0x4000, {2}), numeric(0, 0x4000, {1, 5'000}));
  in_order(oid::numeric, numeric(0, 0, {9'999}), numeric(1, 0, {1}));
  in_order(oid::numeric, numeric(0, 0, {1}), numeric(0, 0, {1, 1}));
  in_order(oid::numeric, numeric(0, 0xf000, {}), numeric(5, 0x4000, {1}));
  in_order(oid::numeric, numeric(0, 0xd000, {}), numeric(0, 0xc000, {}));
}

TEST(Merge, GivesRunsOfOneResultInOnePiece) {
  const sent_rows first{{{"a", int4(1)}, {"b", int4(2)}, {"c", int4(7)}}};
  const sent_rows second{{{"d", int4(5)}}};
  merge all{{sort_column{oid::int4, false, false}}};
  all.add(0, first.chunk());
  all.add(1, second.chunk());
  const auto size_of = [](const sluice::chunk& rows) { return std::ranges::distance(rows.begin(), rows.end()); };
  merge::run next = all.next();
  EXPECT_EQ(next.from, 0U);
  EXPECT_EQ(size_of(next.rows), 2);
  EXPECT_FALSE(next.is_last);
  next = all.next();
  EXPECT_EQ(next.from, 1U);
  EXPECT_TRUE(next.is_last) << "nothing is left of what it has here";
  EXPECT_EQ(all.size(), 1U);
  next = all.next();
  EXPECT_TRUE(next.is_last);
  EXPECT_EQ(all.size(), 0U);
}

TEST(Merge, OrdersAnyResultsInAnyPieces) {
  std::mt19937 random{20240229};  // NOLINT(cert-msc51-cpp): the same results each time
  for (int turn = 0; turn < 200; ++turn) {
    std::vector<std::int32_t> all_numbers;
    std::vector<std::vector<sent_rows>> results(1 + random() % 5);
    for (auto& pieces : results) {
      std::vector<std::int32_t> numbers(random() % 30);
      for (std::int32_t& each : numbers) each = static_cast<std::int32_t>(random() % 50) - 25;
      std::ranges::sort(numbers);
      all_numbers.insert(all_numbers.end(), numbers.begin(), numbers.end());
      for (auto at = numbers.begin(); at != numbers.end();) {
        const auto left = static_cast<std::size_t>(numbers.end() - at);
        const auto end = at + static_cast<std::ptrdiff_t>(1 + random() % left);
        std::vector<std::pair<std::string, key>> rows;
        for (; at != end; ++at) rows.emplace_back(std::to_string(*at), int4(*at));
        pieces.emplace_back(rows);
      }
    }
    merge all{{sort_column{oid::int4, false, false}}};
    std::vector<std::size_t> added(results.size());
    const auto add = [&](std::uint32_t from) {
      if (added[from] < results[from].size()) all.add(from, results[from][added[from]++].chunk());
    };
    for (std::uint32_t i = 0; i < results.size(); ++i) add(i);
    std::vector<std::int32_t> seen;
    while (all.size() != 0) {
      const merge::run next = all.next();
      for (const sluice::row each : next.rows) seen.push_back(std::stoi(std::string{each.text()}));
      if (next.is_last) add(next.from);
    }
    std::ranges::sort(all_numbers);
    ASSERT_EQ(seen, all_numbers);
  }
}

TEST(Merge, RefusesRowsWithOtherColumns) {
  const sent_rows rows{{{"a", int4(1)}}};
  merge all{{sort_column{oid::int4, false, false}, sort_column{oid::int4, false, false}}};
  EXPECT_THROW(all.add(0, rows.chunk()), sluice::error);
}

}  // namespace
}  // namespace merge_test
