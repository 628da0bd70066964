#pragma once
#include <string_view>

namespace sluice::detail {

/// Whether a text is one JSON document, however deep.
/// @see json_validator, which says what is wrong
[[nodiscard]] bool is_json(std::string_view text);

}  // namespace sluice::detail
