#pragma once
// The fields of the server's answer to a question about a statement: they come in text.
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace sluice::detail {

/// @return empty for NULL
[[nodiscard]] inline std::string_view text_in(const std::optional<std::span<const std::byte>>& field) noexcept {
  return field ? std::string_view{reinterpret_cast<const char*>(field->data()), field->size()} : std::string_view{};
}

}  // namespace sluice::detail
