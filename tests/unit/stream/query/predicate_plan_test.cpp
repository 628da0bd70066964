// A condition in two parts: together they select the same rows as the whole, whatever the rows are.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>
#include "query/predicate_node.hpp"

namespace predicate_plan_test {
namespace {

using sluice::detail::describe;
using sluice::detail::node;
using sluice::detail::node_ptr;
using sluice::detail::plan;
using sluice::detail::split;
using kind = node::kind;

constexpr unsigned letters = 6;

/// A condition for the server or for the client. A row of this test is the set of letters whose conditions hold.
node_ptr leaf(unsigned letter, bool is_local) {
  return std::make_shared<const node>(
      node{.what = is_local ? kind::local : kind::sql, .text = std::string(1, static_cast<char>('a' + letter))});
}
node_ptr tree(kind what, std::vector<node_ptr> children) {
  return std::make_shared<const node>(node{.what = what, .children = std::move(children)});
}

bool holds(const node& what, unsigned row) {
  const auto each_holds = [row](const node_ptr& each) { return holds(*each, row); };
  switch (what.what) {
    case kind::all: return std::ranges::all_of(what.children, each_holds);
    case kind::any: return std::ranges::any_of(what.children, each_holds);
    case kind::negation: return !holds(*what.children.front(), row);
    default: return (row >> static_cast<unsigned>(what.text[0] - 'a') & 1U) != 0;
  }
}

bool has_local(const node& what) {
  return what.what == kind::local ||
         std::ranges::any_of(what.children, [](const node_ptr& each) { return has_local(*each); });
}

node_ptr random_tree(std::mt19937& random, int levels) {
  const unsigned dice = random() % 8;
  if (levels == 0 || dice < 3) return leaf(static_cast<unsigned>(random() % letters), random() % 3 == 0);
  if (dice == 3) return tree(kind::negation, {random_tree(random, levels - 1)});
  std::vector<node_ptr> children(1 + random() % 3);
  for (node_ptr& each : children) each = random_tree(random, levels - 1);
  return tree(dice % 2 == 0 ? kind::all : kind::any, std::move(children));
}

TEST(PredicatePlan, SaysTheSameInItsTwoParts) {
  std::mt19937 random{20240229};  // NOLINT(cert-msc51-cpp): the same conditions each time
  int both = 0;
  for (int i = 0; i < 20'000; ++i) {
    const node_ptr whole = random_tree(random, 4);
    const plan parts = split(whole);
    both += parts.server && parts.client ? 1 : 0;
    if (parts.server) {
      EXPECT_FALSE(has_local(*parts.server)) << describe(*whole);
    }
    if (!has_local(*whole)) {
      EXPECT_FALSE(parts.client) << describe(*whole);
    }
    for (unsigned row = 0; row < 1U << letters; ++row) {
      const bool of_server = !parts.server || holds(*parts.server, row);
      const bool of_client = !parts.client || holds(*parts.client, row);
      ASSERT_EQ(of_server && of_client, holds(*whole, row)) << describe(*whole) << " for row " << row;
    }
  }
  EXPECT_GT(both, 1'000);
}

TEST(PredicatePlan, LeavesTheServerAllThatItCanDo) {
  const node_ptr a = leaf(0, false);
  const node_ptr b = leaf(1, true);
  const plan conjunction = split(tree(kind::all, {a, b}));
  EXPECT_EQ(conjunction.server, a);
  EXPECT_EQ(conjunction.client, b);
  const plan either = split(tree(kind::any, {tree(kind::all, {a, b}), leaf(2, false)}));
  EXPECT_EQ(describe(*either.server), "(SQL or SQL)") << "what follows from each alternative";
  EXPECT_EQ(describe(*either.client), "((SQL and b) or SQL)");
  const plan nothing = split(tree(kind::any, {a, b}));
  EXPECT_EQ(nothing.server, nullptr) << "an alternative that is the client's may hold for any row";
  const plan negated = split(tree(kind::negation, {tree(kind::all, {a, b})}));
  EXPECT_EQ(negated.server, nullptr);
}

}  // namespace
}  // namespace predicate_plan_test
