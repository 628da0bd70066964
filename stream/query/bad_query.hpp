#pragma once
// Rejects calls whose arguments make no sense. Nothing was sent: a connection is as usable as before.
#include <string>
#include <utility>

#include <sluice/wire/error.hpp>

namespace sluice::detail {

[[noreturn]] inline void refuse(std::string what) {
  throw error{error_info{.code = errc::bad_query, .message = std::move(what), .server = {}, .connection_usable = true}};
}

}  // namespace sluice::detail
