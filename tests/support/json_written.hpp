#pragma once
// What a writer of JSON makes of a value.
#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "bytes.hpp"
#include "json/value_plan.hpp"

namespace sluice::test {

/// @param write  takes a buffer and a value, and returns whether it is one of the type
/// @return what is written from memory that ends with the value, so that a sanitizer detects a read past the end; or
///         "refused"
template <class Write>
std::string written_by(Write&& write, std::string_view value) {
  const auto exact = std::make_unique<std::byte[]>(value.size());
  std::ranges::copy(as_bytes(value), exact.get());
  detail::text_buffer to;
  return write(to, std::span<const std::byte>{exact.get(), value.size()}) ? std::string{to.text()} : "refused";
}

/// Of a type that is made of others.
inline std::string written_by(detail::value_plan plan, std::string_view value) {
  return written_by([&](detail::text_buffer& to, std::span<const std::byte> bytes) { return plan.write(to, bytes); },
                    value);
}

}  // namespace sluice::test
