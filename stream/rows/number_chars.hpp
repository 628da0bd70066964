#pragma once
// Numbers in text, as std::from_chars reads them.
#include <locale.h>
#include <stdlib.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <concepts>
#include <string>
#include <string_view>
#include <system_error>

namespace sluice::detail {

/// Does what std::from_chars does, by strtod, for text that begins with a digit, a minus sign or a point.
template <std::floating_point Float>
[[nodiscard]] std::from_chars_result from_chars_by_strtod(const char* first, const char* last, Float& into) {
  static const locale_t c_locale = ::newlocale(LC_ALL_MASK, "C", nullptr);
  if (c_locale == nullptr) return {first, std::errc::not_enough_memory};
  const std::string_view all{first, last};
  const std::string digits{all.substr(0, all.find_first_not_of("-+.0123456789eE"))};  // no names, no hexadecimal digits
  if (digits.starts_with('+')) return {first, std::errc::invalid_argument};
  const int before = errno;
  errno = 0;
  char* end = nullptr;
  Float read{};
  if constexpr (sizeof read == sizeof(float))
    read = ::strtof_l(digits.c_str(), &end, c_locale);
  else
    read = ::strtod_l(digits.c_str(), &end, c_locale);
  const bool is_out = errno == ERANGE && (std::isinf(read) || read == 0);  // a subnormal number is not
  errno = before;
  const char* const rest = first + (end - digits.c_str());
  if (rest == first) return {first, std::errc::invalid_argument};
  if (is_out) return {rest, std::errc::result_out_of_range};
  into = read;
  return {rest, std::errc{}};
}

/// std::from_chars, which libc++ before version 20 has for integers only.
template <class Number>
[[nodiscard]] std::from_chars_result number_from_chars(const char* first, const char* last, Number& into) {
  if constexpr (requires { std::from_chars(first, last, into); })
    return std::from_chars(first, last, into);
  else
    return from_chars_by_strtod(first, last, into);
}

}  // namespace sluice::detail
