#include "tables/sqlstate.hpp"

#include <algorithm>
#include <iterator>
#include <span>

namespace sluice::proto {

namespace {

struct entry {
  std::string_view code;
  std::string_view name;
};

#include "tables/sqlstate_table.inc"

constexpr bool is_sorted(std::span<const entry> table) {
  for (std::size_t i = 1; i < table.size(); ++i)
    if (table[i - 1].code >= table[i].code) return false;
  return true;
}
static_assert(is_sorted(conditions) && is_sorted(classes));

std::string_view look_up(std::span<const entry> table, std::string_view code) noexcept {
  const auto at = std::lower_bound(table.begin(), table.end(), code,
                                   [](const entry& e, std::string_view wanted) { return e.code < wanted; });
  return at != table.end() && at->code == code ? at->name : std::string_view{};
}

}  // namespace

std::string_view sqlstate::name() const noexcept { return look_up(conditions, code()); }
std::string_view sqlstate::class_name() const noexcept { return look_up(classes, class_code()); }

}  // namespace sluice::proto
