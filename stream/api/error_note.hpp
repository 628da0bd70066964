#pragma once
// Errors to which something is added that only their caller knows.
#include <cstdint>
#include <string>
#include <string_view>

#include <sluice/wire/error.hpp>

namespace sluice::detail {

// The same error, with a note in brackets.
[[nodiscard]] inline error with_note(const error& why, std::string_view note, std::uint64_t rows) {
  return error{error_info{.code = static_cast<errc>(why.code().value()),
                          .message = std::string{why.what()} + " (" + std::string{note} + ')',
                          .server = why.server(),
                          .rows = rows,
                          .retryable = why.retryable(),
                          .connection_usable = why.connection_usable()}};
}

}  // namespace sluice::detail
