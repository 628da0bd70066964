// Rows of columns as rows of documents, which are read like received ones.
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/stream/chunk.hpp>

#include "backend.hpp"
#include "bytes.hpp"
#include "rows/object_rows.hpp"

namespace object_rows_test {
namespace {

using namespace sluice::detail;
using sluice::row;
using sluice::test::as_bytes;
using sluice::test::backend;
using verdict = object_rows::verdict;
using kind = object_rows::made::kind;
using texts = std::vector<std::string>;

constexpr std::uint32_t boolean = 16;
constexpr std::uint32_t int4 = 23;
constexpr std::uint32_t json = 114;
constexpr std::uint32_t text = 25;
constexpr std::size_t plenty = 1'000'000;

class ObjectRows : public testing::Test {
 protected:
  ObjectRows() {
    objects_.add_column("a", plan_text_values(int4, type_catalog{}, session_settings{}));
    objects_.add_column("b", plan_text_values(text, type_catalog{}, session_settings{}));
  }

  void arrives(std::string_view a, std::string_view b) { bytes_ += backend{}.data_row({a, b}).bytes; }
  object_rows::made make(std::size_t enough = plenty, std::size_t largest = plenty, object_rows::judge keeps = {}) {
    const std::span<const std::byte> all = as_bytes(bytes_);
    const sluice::proto::row_batch from{
        .begin = all.data() + taken_, .end = all.data() + all.size(), .shape = {.columns = 2}};
    const object_rows::made made = rows_.make(from, objects_, enough, largest, keeps);
    taken_ = static_cast<std::size_t>(made.rest - all.data());
    return made;
  }
  static texts read(const object_rows::made& made) {
    texts all;
    for (const row each : sluice::chunk{made.rows}) all.emplace_back(each.text());
    return all;
  }

  std::string bytes_;
  std::size_t taken_{0};
  object_writer objects_;
  object_rows rows_;
};

TEST_F(ObjectRows, AreReadLikeReceivedOnes) {
  arrives("1", "one");
  arrives("2", "");
  const object_rows::made made = make();
  EXPECT_EQ(read(made), (texts{R"({"a":1,"b":"one"})", R"({"a":2,"b":""})"}));
  EXPECT_EQ(made.count, 2U);
  EXPECT_EQ(made.bytes, read(made)[0].size() + read(made)[1].size());
  EXPECT_EQ(taken_, bytes_.size());
}

TEST_F(ObjectRows, EndAtARowThatHasNotArrived) {
  arrives("1", "one");
  const std::size_t whole = bytes_.size();
  arrives("2", "two");
  bytes_.pop_back();
  EXPECT_EQ(make().count, 1U);
  EXPECT_EQ(taken_, whole);
  const object_rows::made none = make();
  EXPECT_EQ(none.is, kind::rows);
  EXPECT_EQ(none.rows.begin, nullptr);
}

TEST_F(ObjectRows, AreMadeAsMuchAsIsEnoughAtATime) {
  for (int i = 0; i < 100; ++i) arrives(std::to_string(i), std::string(50, 'x'));
  std::size_t all = 0;
  for (int calls = 0; taken_ != bytes_.size(); ++calls) {
    ASSERT_LT(calls, 100);
    const object_rows::made made = make(500);
    EXPECT_LE(made.bytes, 600U);
    all += made.count;
  }
  EXPECT_EQ(all, 100U);
}

TEST_F(ObjectRows, AreDroppedAsTheyAreJudged) {
  for (const char* each : {"1", "2", "3", "4", "5"}) arrives(each, "");
  const object_rows::judge keeps = [](const std::byte* body) {
    const std::string_view document = row{body}.text();
    if (document.find("2") != std::string_view::npos) return verdict::keep;
    return document.find("4") != std::string_view::npos ? verdict::keep_as_last : verdict::drop;
  };
  const object_rows::made made = make(plenty, plenty, keeps);
  EXPECT_EQ(read(made), (texts{R"({"a":2,"b":""})", R"({"a":4,"b":""})"}));
  EXPECT_EQ(make().count, 1U) << "the fifth";
}

TEST_F(ObjectRows, ThatAreAllDroppedAreNone) {
  arrives("1", "");
  const object_rows::made made = make(plenty, plenty, [](const std::byte*) { return verdict::drop; });
  EXPECT_EQ(made.rows.begin, nullptr);
  EXPECT_EQ(taken_, bytes_.size());
}

TEST_F(ObjectRows, BeforeABadOneAreNotLost) {
  objects_ = {};
  objects_.add_column("is", plan_text_values(boolean, type_catalog{}, session_settings{}));
  objects_.add_column("b", plan_text_values(text, type_catalog{}, session_settings{}));
  arrives("t", "");
  arrives("neither", "");
  EXPECT_EQ(make().count, 1U);
  const object_rows::made bad = make();
  EXPECT_EQ(bad.is, kind::malformed);
  EXPECT_EQ(bad.rows.begin, nullptr);
  EXPECT_EQ(objects_.culprit(), 0U);
}

TEST_F(ObjectRows, AreNoLargerThanTheyMayBe) {
  arrives("1", "");
  arrives("2", std::string(100, '\n'));  // twice as long once it is escaped
  EXPECT_EQ(make(plenty, 150).count, 1U);
  EXPECT_EQ(make(plenty, 150).is, kind::too_large);
  EXPECT_EQ(make(plenty, std::string_view{R"({"a":2,"b":""})"}.size() + 200).count, 1U);
}

TEST_F(ObjectRows, OfTextThatIsNotUtf8AreMalformed) {
  for (const char* bad :
       {"\xff", "\xc3(", "0123456789abcdef\xe2\x82", "seven b\x80", "eleven byte\xc3", "\xed\xa0\x80"}) {
    bytes_.clear();
    taken_ = 0;
    arrives("1", bad);
    EXPECT_EQ(make().is, kind::malformed) << bad;
    EXPECT_EQ(objects_.culprit(), 1U);
    bytes_.clear();
    arrives("1", std::string(5'000, 'x') + bad);
    EXPECT_EQ(make().is, kind::malformed) << bad;
  }
  bytes_.clear();
  const std::string good = "a \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80";
  arrives("1", good);
  EXPECT_EQ(read(make()), texts{R"({"a":1,"b":")" + good + "\"}"});
}

TEST_F(ObjectRows, OfJsonThatIsNotUtf8AreMalformed) {
  objects_ = {};
  objects_.add_column("a", plan_text_values(int4, type_catalog{}, session_settings{}));
  objects_.add_column("b", plan_text_values(json, type_catalog{}, session_settings{}));
  arrives("1", "\"\xff\"");
  EXPECT_EQ(make().is, kind::malformed);
}

}  // namespace
}  // namespace object_rows_test
