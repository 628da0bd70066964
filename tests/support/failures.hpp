#pragma once
// What a call throws.
#include <optional>

#include <sluice/wire/error.hpp>

namespace sluice::test {

/// The error of a call, or nothing.
template <class Call>
std::optional<error> failure_of(const Call& call) {
  try {
    (void)call();
  } catch (const error& why) {
    return why;
  }
  return std::nullopt;
}

}  // namespace sluice::test
