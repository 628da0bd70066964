#pragma once
// What running a statement may change, as far as its text shows.
#include <string_view>

#include <sluice/stream/query.hpp>

namespace sluice::detail {

// `by_functions` if it begins with SELECT, TABLE, VALUES, SHOW or WITH and contains none of the words that write. Such
// a word counts wherever it appears, even in a string or a comment: mistaking a read for a write costs time; the
// reverse costs data.
[[nodiscard]] query::effect effect_of(std::string_view sql) noexcept;

}  // namespace sluice::detail
