#pragma once
// Rejects calls whose arguments make no sense.
#include <string>
#include <utility>

#include <sluice/wire/error.hpp>

namespace sluice::detail {

[[noreturn]] inline void refuse(std::string what) { throw error{errc::bad_query, std::move(what)}; }

}  // namespace sluice::detail
