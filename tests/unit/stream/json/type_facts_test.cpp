// What columns are made of, as the catalog says it.
#include "json/type_facts.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace type_facts_test {
namespace {

using namespace sluice::detail;
using sluice::result_column;
using kind = result_column::kind;

constexpr std::uint32_t int4 = 23;
constexpr std::uint32_t int4_array = 1007;
constexpr std::uint32_t numeric = 1700;
constexpr std::uint32_t record = 2249;
constexpr std::uint32_t price = 20'000;
constexpr std::uint32_t mood = 20'001;
constexpr std::uint32_t thing = 20'002;
constexpr std::int32_t ten_and_two = ((10 << 16) | 2) + 4;

type_catalog a_database() {
  type_catalog types;
  types.add({.type = price, .kind = 'd', .inner = numeric, .delimiter = ',', .field = {}, .modifier = ten_and_two});
  types.add({.type = mood, .kind = 'b', .delimiter = ',', .field = {}, .form = 'e'});
  types.add({.type = thing, .kind = 'c', .delimiter = ',', .place = 1, .field = "id", .field_type = int4});
  types.add({.type = thing,
             .kind = 'c',
             .delimiter = ',',
             .place = 2,
             .field = "cost",
             .field_type = numeric,
             .modifier = ten_and_two});
  return types;
}
result_column described(std::uint32_t type, std::int32_t modifier = -1) {
  result_column column{.name = "c", .type = type, .modifier = modifier};
  a_database().describe(column);
  return column;
}

TEST(TypeCatalog, DescribesWhatColumnsAreMadeOf) {
  EXPECT_EQ(described(int4).what, kind::scalar);
  EXPECT_EQ(described(mood).what, kind::enumeration);
  EXPECT_EQ(described(record).what, kind::unknown);
  EXPECT_EQ(described(99'999).what, kind::unknown);

  const result_column domain = described(price);
  EXPECT_EQ(domain.what, kind::scalar);
  EXPECT_EQ(domain.type, price);
  EXPECT_EQ(domain.base, numeric);
  EXPECT_EQ(domain.modifier, ten_and_two);

  const result_column list = described(int4_array);
  EXPECT_EQ(list.what, kind::array);
  ASSERT_EQ(list.parts.size(), 1U);
  EXPECT_EQ(list.parts[0].base, int4);

  const result_column composite = described(thing);
  EXPECT_EQ(composite.what, kind::composite);
  ASSERT_EQ(composite.parts.size(), 2U);
  EXPECT_EQ(composite.parts[1].name, "cost");
  EXPECT_EQ(composite.parts[1].modifier, ten_and_two);
}

TEST(TypeCatalog, EndsWhereTypesContainEachOtherWithoutEnd) {
  type_catalog types;
  types.add({.type = thing, .kind = 'c', .delimiter = ',', .place = 1, .field = "a", .field_type = thing});
  types.add({.type = thing, .kind = 'c', .delimiter = ',', .place = 2, .field = "b", .field_type = thing});
  result_column column{.name = "c", .type = thing};
  types.describe(column);
  EXPECT_EQ(column.what, kind::composite);
}

TEST(TypeCatalog, ReadsTheAnswerOfTheServer) {
  const std::array<std::string_view, 10> row{"20000", "d", "1700", ",", "f", "1", "", "", "", "655366"};
  const auto read = type_catalog::read(row);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->modifier, ten_and_two);
  EXPECT_EQ(read->form, '\0');
  EXPECT_FALSE(type_catalog::read(std::span{row}.first(9)));
}

TEST(TypeCatalog, EndsWhereEachTypeIsMadeOfAnother) {
  constexpr std::uint32_t first = 20'000;
  constexpr std::uint32_t count = 30'000;
  type_catalog types;
  for (std::uint32_t i = 0; i < count; ++i)
    types.add(first + i, {.what = type_facts::kind::array, .inner = first + i + 1});
  EXPECT_TRUE(types.missing(std::array{first}).empty()) << "too deep to be looked for";
  EXPECT_EQ(types.missing(std::array{first + count - 1}), std::vector{first + count});
}

TEST(TypeCatalog, KeepsNoMoreFieldsThanACompositeCanHave) {
  type_catalog types;
  for (std::int64_t place = 1; place < 5'000; ++place)
    types.add({.type = thing, .kind = 'c', .delimiter = ',', .place = place, .field = "f", .field_type = int4});
  EXPECT_LT(types.find(thing)->fields.size(), 2'000U);
}

}  // namespace
}  // namespace type_facts_test
