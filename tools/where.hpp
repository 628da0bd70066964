#pragma once
// The language of --where: docs/predicates.md.
#include <string_view>

#include <sluice/stream/query.hpp>

namespace sluice::tool {

// Throws usage_error, whose text shows the place with a caret.
predicate parse_where(std::string_view text);

}  // namespace sluice::tool
