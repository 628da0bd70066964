#include <gtest/gtest.h>

#include <sluice/proto/row_walk.hpp>
#include <string>

#include "backend.hpp"
#include "bytes.hpp"

namespace row_walk_test {
namespace {

using namespace sluice::proto;
using sluice::test::backend;
using sluice::test::be16;
using sluice::test::be32;

std::size_t row_size(const std::string& bytes, row_shape shape = {}) {
  const auto view = sluice::test::as_bytes(bytes);
  return row_at(view.data(), view.data() + view.size(), shape);
}

TEST(RowAt, GivesTheSizeOfACompleteRow) {
  const std::string row = backend{}.data_row("{}").bytes;
  EXPECT_EQ(row_size(row), row.size());
  EXPECT_EQ(row_size(row + row), row.size());
  EXPECT_EQ(row_size(backend{}.data_row({std::nullopt}).bytes), 11U);
  EXPECT_EQ(row_size(backend{}.data_row("").bytes), 11U);
}

TEST(RowAt, IsZeroForEveryCut) {
  for (const auto& values : {std::string{"{\"a\":1}"}, std::string{}}) {
    const std::string row = backend{}.data_row(values).bytes;
    for (std::size_t cut = 0; cut < row.size(); ++cut) EXPECT_EQ(row_size(row.substr(0, cut)), 0U) << cut;
  }
}

TEST(RowAt, IsZeroForAnyOtherMessage) {
  EXPECT_EQ(row_size(backend{}.notice().bytes), 0U);
  EXPECT_EQ(row_size(backend{}.command_complete("SELECT 1").bytes), 0U);
}

TEST(RowAt, IsZeroWhenTheFieldsDoNotFillTheBody) {
  const auto with = [](const std::string& body) { return backend{}.message('D', body).bytes + "more bytes follow"; };
  EXPECT_NE(row_size(with(be16(1) + be32(2) + "{}")), 0U);
  EXPECT_EQ(row_size(with(be16(1) + be32(1) + "{}")), 0U) << "too short";
  EXPECT_EQ(row_size(with(be16(1) + be32(3) + "{}")), 0U) << "too long";
  EXPECT_EQ(row_size(with(be16(1) + be32(0xffffffff) + "{}")), 0U) << "NULL with bytes";
  EXPECT_EQ(row_size(with(be16(1) + be32(0xfffffffe))), 0U) << "negative";
  EXPECT_EQ(row_size(with(be16(2) + be32(2) + "{}")), 0U) << "wrong count";
  EXPECT_EQ(row_size(with(be16(0))), 0U) << "no field";
  EXPECT_EQ(row_size(with(be16(1))), 0U) << "no length";
}

TEST(RowAt, IsZeroForLengthsThatLie) {
  for (const std::uint32_t length : {0U, 3U, 5U, 0x7fffffffU, 0xffffffffU})
    EXPECT_EQ(row_size("D" + be32(length) + be16(1) + be32(2) + "{}"), 0U) << length;
}

TEST(RowAt, IsZeroAboveTheLimit) {
  const std::string row = backend{}.data_row(std::string(100, 'x')).bytes;
  EXPECT_EQ(row_size(row, {.columns = 1, .max_body = 106}), row.size());
  EXPECT_EQ(row_size(row, {.columns = 1, .max_body = 105}), 0U);
}

TEST(RowAt, ChecksEveryFieldOfSeveral) {
  const std::string row = backend{}.data_row({"a", std::nullopt, "bcd"}).bytes;
  EXPECT_EQ(row_size(row, {.columns = 3}), row.size());
  EXPECT_EQ(row_size(row, {.columns = 2}), 0U);
  std::string wrong = row;
  wrong[10] = '\2';  // the first field's length
  EXPECT_EQ(row_size(wrong, {.columns = 3}), 0U);
}

}  // namespace
}  // namespace row_walk_test
