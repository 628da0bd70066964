// Decides which part of a condition the server evaluates and which is left to the client.
#include <algorithm>
#include <utility>

#include "query/predicate_node.hpp"
#include "query/quoting.hpp"

namespace sluice::detail {

namespace {

using kind = node::kind;

node_ptr made(kind how, std::vector<node_ptr> children) {
  if (children.size() == 1) return std::move(children.front());
  return std::make_shared<const node>(node{.what = how, .children = std::move(children)});
}

bool needs_client(const node& what) {
  if (what.what == kind::local || what.on_client) return true;
  return std::ranges::any_of(what.children, [](const node_ptr& each) { return needs_client(*each); });
}

/// The part implied by a condition that the server can evaluate; null if there is none. Whatever matches the condition
/// matches this too.
node_ptr implied(const node_ptr& what) {
  if (!needs_client(*what)) return what;
  std::vector<node_ptr> parts;
  switch (what->what) {
    case kind::all:
      for (const node_ptr& each : what->children)
        if (node_ptr part = implied(each)) parts.push_back(std::move(part));
      return parts.empty() ? nullptr : made(kind::all, std::move(parts));
    case kind::any:
      for (const node_ptr& each : what->children) {
        node_ptr part = implied(each);
        if (!part) return nullptr;  // this alternative implies nothing, so neither does the whole
        parts.push_back(std::move(part));
      }
      return made(kind::any, std::move(parts));
    default: return nullptr;  // a negation, or a leaf for the client
  }
}

std::string_view word_of(test_kind how) noexcept {
  switch (how) {
    case test_kind::equal: return "=";
    case test_kind::different: return "<>";
    case test_kind::less: return "<";
    case test_kind::at_most: return "<=";
    case test_kind::greater: return ">";
    case test_kind::at_least: return ">=";
    case test_kind::in: return "in";
    case test_kind::not_in: return "not in";
    case test_kind::like: return "like";
    case test_kind::ilike: return "ilike";
    case test_kind::regex: return "~";
    case test_kind::null: return "is null";
    case test_kind::not_null: return "is not null";
    case test_kind::exists: return "exists";
    case test_kind::contains_json: return "@>";
    case test_kind::contained_in_json: return "<@";
    case test_kind::has_key: return "has key";
    case test_kind::has_any_key: return "has any key";
    case test_kind::has_all_keys: return "has all keys";
    case test_kind::jsonpath_exists: return "@?";
    case test_kind::jsonpath_matches: return "@@";
    case test_kind::has:
    case test_kind::has_all: return "has all of";
    case test_kind::has_any: return "has any of";
    case test_kind::full_text: return "matches";
    case test_kind::subnet_of: return "<<=";
    case test_kind::supernet_of: return ">>=";
    case test_kind::overlaps: return "&&";
    case test_kind::family: return "is of family";
    case test_kind::ancestor_of: return "is ancestor of";
    case test_kind::descendant_of: return "is descendant of";
    case test_kind::lquery: return "matches lquery";
    case test_kind::ltxtquery: return "matches ltxtquery";
    case test_kind::any_lquery: return "matches any lquery";
    case test_kind::lca_of: return "is the common ancestor of";
  }
  return "";
}

std::string name_of(const subject& of) {
  std::string text;
  for (const std::string& part : of.path) text += (text.empty() ? "" : ".") + part;
  if (text.empty()) text = "document";
  return of.measured == subject::measure::none ? text : "measure of " + text;
}

}  // namespace

plan split(const node_ptr& whole) {
  if (!needs_client(*whole)) return {whole, nullptr};
  if (whole->what != kind::all) return {implied(whole), whole};
  std::vector<node_ptr> server;
  std::vector<node_ptr> client;
  for (const node_ptr& each : whole->children) {
    plan part = split(each);
    if (part.server) server.push_back(std::move(part.server));
    if (part.client) client.push_back(std::move(part.client));
  }
  return {server.empty() ? nullptr : made(kind::all, std::move(server)), made(kind::all, std::move(client))};
}

std::string describe(const node& what) {
  switch (what.what) {
    case kind::test: {
      std::string text = name_of(*what.about) + ' ' + std::string{word_of(what.how)};
      if (!what.values.empty()) text += " (value)";
      return text;
    }
    case kind::sql: return "SQL";
    case kind::local: return what.text;
    case kind::negation: return "not (" + describe(*what.children.front()) + ')';
    case kind::all:
    case kind::any: break;
  }
  std::string text{'('};
  for (const node_ptr& each : what.children) {
    if (text.size() > 1) text += what.what == kind::all ? " and " : " or ";
    text += describe(*each);
  }
  return text + ')';
}

}  // namespace sluice::detail
