#pragma once
// What running a statement may change, as far as its text tells.
#include <string_view>

#include <sluice/stream/query.hpp>

namespace sluice::detail {

// `by_functions` for what begins with SELECT, TABLE, VALUES, SHOW or WITH and has none of the words that write. Such a
// word counts wherever it stands, in a string or a comment too: taking a read for a write costs time, the other way
// round it costs data.
[[nodiscard]] query::effect effect_of(std::string_view sql) noexcept;

}  // namespace sluice::detail
