#include <sluice/proto/oid.hpp>

#include <algorithm>
#include <iterator>

namespace sluice::proto::oid {

namespace {

struct entry {
  std::uint32_t type;
  std::string_view name;
};

#include "tables/oid_table.inc"

static_assert(std::ranges::is_sorted(types, {}, &entry::type));

}  // namespace

std::string_view name_of(std::uint32_t type) noexcept {
  const auto* const at = std::ranges::lower_bound(types, type, {}, &entry::type);
  return at != std::end(types) && at->type == type ? at->name : std::string_view{};
}

}  // namespace sluice::proto::oid
