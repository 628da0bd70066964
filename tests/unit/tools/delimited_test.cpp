// Fields that a reader of CSV or of COPY's text format could take for something else.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "backend.hpp"
#include "bytes.hpp"
#include "delimited.hpp"
#include "values.hpp"

namespace delimited_test {
namespace {

using namespace sluice::tool;
using fields = std::vector<std::optional<std::string>>;

class written {
 public:
  explicit written(delimited format, std::string null = {}) : writer_{format, std::move(null)} {}

  /// What is written for one more row.
  std::string row(const fields& values) {
    std::string body = sluice::test::be16(static_cast<std::uint32_t>(values.size()));
    for (const auto& each : values)
      body +=
          each ? sluice::test::be32(static_cast<std::uint32_t>(each->size())) + *each : sluice::test::be32(0xffffffff);
    columns_.resize(values.size(), {.name = "c", .type = 25, .is_text = true});
    writer_.add(sluice::row{sluice::test::as_bytes(body).data(), &columns_});
    return taken();
  }
  std::string header(const std::vector<std::string>& names) {
    sluice::result_columns columns;
    for (const std::string& each : names) columns.push_back({.name = each, .type = 25});
    writer_.finish(columns);
    return taken();
  }
  std::string taken() {
    const asio::const_buffer text = writer_.text();
    return {static_cast<const char*>(text.data()), text.size()};
  }

 private:
  sluice::result_columns columns_;
  delimited_writer writer_;
};

TEST(Csv, QuotesOnlyWhatItHasTo) {
  written to{delimited::csv};
  EXPECT_EQ(to.row({"a", " b ", "c'd", "\t"}), "c,c,c,c\na, b ,c'd,\t\n");
  EXPECT_EQ(to.row({"a,b", "\"", "\n", "\r"}), "\"a,b\",\"\"\"\",\"\n\",\"\r\"\n");
  EXPECT_EQ(to.row({std::nullopt, "", "\\.", "\\N"}), ",\"\",\"\\.\",\\N\n");
  EXPECT_EQ(to.taken(), "") << "nothing is written twice";
}

TEST(Csv, QuotesAValueThatLooksLikeNull) {
  written to{delimited::csv, "NULL"};
  EXPECT_EQ(to.row({std::nullopt, "NULL", "null", ""}), "c,c,c,c\nNULL,\"NULL\",null,\n");
}

TEST(Tsv, EscapesAsCopyDoes) {
  written to{delimited::tsv, std::string{default_null(delimited::tsv)}};
  EXPECT_EQ(to.row({std::nullopt, "\\N", "a\tb\nc\rd\be\ff\vg\\", ""}),
            "c\tc\tc\tc\n\\N\t\\\\N\ta\\tb\\nc\\rd\\be\\ff\\vg\\\\\t\n");
}

TEST(Delimited, HaveAHeaderOnce) {
  EXPECT_EQ(written{delimited::csv}.header({"a,b", "", "c"}), "\"a,b\",\"\",c\n");
  EXPECT_EQ(written{delimited::tsv}.header({"a\tb"}), "a\\tb\n");
  EXPECT_EQ(written{delimited::csv}.header({}), "");
  written to{delimited::csv};
  (void)to.row({"a"});
  EXPECT_EQ(to.header({"c"}), "");
}

TEST(Delimited, TakeANullThatEndsWhereItShould) {
  for (const char* good : {"", "NULL", "-", "\\N", "a b", "\t"})
    EXPECT_NO_THROW(check_null(delimited::csv, good)) << good;
  for (const char* bad : {",", "\"", "a\n", "\r"}) EXPECT_THROW(check_null(delimited::csv, bad), usage_error) << bad;
  for (const char* good : {"", "NULL", "-", "\\N", "a,b", "\""})
    EXPECT_NO_THROW(check_null(delimited::tsv, good)) << good;
  for (const char* bad : {"\t", "a\n", "\r"}) EXPECT_THROW(check_null(delimited::tsv, bad), usage_error) << bad;
}

}  // namespace
}  // namespace delimited_test
