// What is learned about a statement before it is decided how to run it.
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <sluice/proto/byte_order.hpp>
#include <string>
#include <vector>
#include "engine/undecided_statement.hpp"

#include "backend.hpp"
#include "bytes.hpp"

namespace undecided_statement_test {
namespace {

using sluice::test::as_bytes;
using sluice::test::as_text;
using sluice::test::backend;
using sluice::wire::decider;
using sluice::wire::decision;
using sluice::wire::statement;
using sluice::wire::undecided_statement;
using kind = decision::kind;

/// Asks two questions, and then runs the last answer as the SQL.
class curious final : public decider {
 public:
  decision described(const sluice::wire::description& what) override {
    return {.is = kind::ask, .sql = std::to_string(what.parameters.size())};
  }
  bool told(const sluice::proto::data_row& row) override {
    if (row.size() != 1) return false;
    heard_ = as_text((*row.begin()).value());
    return true;
  }
  decision answered() override { return {.is = ++times_ == 1 ? kind::ask : kind::instead, .sql = heard_}; }

 private:
  std::string heard_;
  int times_{0};
};

statement asked() {
  return {.text = "select $1", .decides = [] { return std::make_unique<curious>(); }};
}

/// The body of the only message.
std::string body(const backend& says) { return says.bytes.substr(5); }

TEST(UndecidedStatement, IsDecidedByItsColumnsAndByWhatIsAskedBesides) {
  undecided_statement one{asked(), {}};
  const std::string types = body(backend{}.parameter_description({23}));
  EXPECT_TRUE(one.on_parameters(as_bytes(types)));
  EXPECT_FALSE(one.on_end()) << "of a statement that was not asked for by the decider";
  EXPECT_EQ(one.on_columns(nullptr).sql, "1");
  const std::string row = body(backend{}.data_row("first"));
  EXPECT_TRUE(one.on_row(as_bytes(row)));
  ASSERT_EQ(one.on_end().value_or(decision{}).is, kind::ask);
  const std::string next = body(backend{}.data_row("second"));
  EXPECT_TRUE(one.on_row(as_bytes(next)));
  const decision last = one.on_end().value_or(decision{});
  EXPECT_EQ(last.is, kind::instead);
  EXPECT_EQ(last.sql, "second");
  EXPECT_FALSE(one.on_end());
}

TEST(UndecidedStatement, NeedsAsManyParametersAsWereNamed) {
  const std::array<std::uint32_t, 2> types{23, 25};
  statement what = asked();
  what.types = types;
  undecided_statement one{what, {}};
  const std::string fewer = body(backend{}.parameter_description({23}));
  EXPECT_FALSE(one.on_parameters(as_bytes(fewer)));
  EXPECT_EQ(one.types().size(), 2U);
}

TEST(UndecidedStatement, RefusesRowsThatAreNoAnswer) {
  undecided_statement one{asked(), {}};
  const std::string two = body(backend{}.data_row({"a", "b"}));
  EXPECT_FALSE(one.on_row(as_bytes(two)));
  EXPECT_FALSE(one.on_row(as_bytes(two.substr(0, 3)))) << "malformed";
}

TEST(UndecidedStatement, HoldsTheMessagesThatRunIt) {
  const auto types_of = [](const undecided_statement& one) {
    std::string types;
    for (std::size_t at = 0; at < one.run().size();) {
      types += std::to_integer<char>(one.run()[at]);
      at += 1 + sluice::proto::load_big<std::uint32_t>(one.run().data() + at + 1);
    }
    return types;
  };
  EXPECT_EQ(types_of({asked(), {}}), "B");
  statement copied = asked();
  copied.is_copied = true;
  EXPECT_EQ(types_of({copied, {}}), "");
  copied.before_copy.sql = "select set_config('a', $1, true)";
  EXPECT_EQ(types_of({copied, {}}), "PBE");
}

TEST(UndecidedStatement, TellsWhatTheProtocolCannotCarry) {
  const std::vector<sluice::proto::parameter> too_many(70'000);
  EXPECT_TRUE(undecided_statement(asked(), {.parameters = too_many}).fault());
}

}  // namespace
}  // namespace undecided_statement_test
