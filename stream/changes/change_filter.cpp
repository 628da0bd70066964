#include "changes/change_filter.hpp"

#include <algorithm>

namespace sluice::detail {

namespace {
bool is_about(const std::string& table, const changed_relation& of) noexcept {
  return table.empty() || is_named(of, table);
}
}  // namespace

change_filter::change_filter(const change_options& how) {
  if (how.heartbeat.count() > 0) heartbeat_ = how.heartbeat_prefix;
  if (how.where) conditions_.push_back({.table = {}, .holds = condition_on_client(*how.where)});
  for (const auto& [table, each] : how.where_of)
    conditions_.push_back({.table = table, .holds = condition_on_client(each)});
}

bool change_filter::is_needed(const changed_relation& of) const noexcept {
  return std::ranges::any_of(conditions_, [&](const condition& each) { return is_about(each.table, of); });
}

bool change_filter::passes(const changed_relation& of, std::string_view text) {
  rows_.begin(image_.of(text));
  return std::ranges::all_of(
      conditions_, [&](const condition& each) { return !is_about(each.table, of) || rows_.hold(*each.holds); });
}

}  // namespace sluice::detail
