#pragma once
// How a call ends that was given what cannot be meant.
#include <string>
#include <utility>

#include <sluice/wire/error.hpp>

namespace sluice::detail {

[[noreturn]] inline void refuse(std::string what) { throw error{errc::bad_query, std::move(what)}; }

}  // namespace sluice::detail
