#pragma once
// Reads Arrow arrays as text, value by value, independently of the library: as psql shows values where that is simple.
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <sluice/arrow/abi.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::test {

/// Value `index` of a buffer of such values.
template <class T>
T value_at(const void* buffer, std::int64_t index) {
  T value{};
  std::memcpy(&value, static_cast<const char*>(buffer) + static_cast<std::size_t>(index) * sizeof(T), sizeof(T));
  return value;
}

inline bool bit_at(const void* buffer, std::int64_t index) {
  return ((value_at<std::uint8_t>(buffer, index / 8) >> (index % 8)) & 1) != 0;
}

inline std::string digits_of(const void* buffer, std::int64_t index, int scale) {
  __extension__ using int128 = __int128;
  __extension__ using uint128 = unsigned __int128;
  const auto number = value_at<int128>(buffer, index);
  uint128 rest = number < 0 ? -static_cast<uint128>(number) : static_cast<uint128>(number);
  std::string digits;
  for (int i = 0; rest != 0 || i <= scale; ++i) {
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
    rest /= 10;
  }
  if (scale > 0) digits.insert(digits.size() - static_cast<std::size_t>(scale), ".");
  return (number < 0 ? "-" : "") + digits;
}

/// A value: numbers in decimal, dates and times as their numbers, lists in braces, structs in parentheses.
inline std::string text_at(const ArrowSchema& type, const ArrowArray& array, std::int64_t index) {
  const std::string_view format{type.format};
  if (array.null_count != 0 && !bit_at(array.buffers[0], index)) return "NULL";
  const void* const values = array.n_buffers > 1 ? array.buffers[1] : nullptr;
  if (type.dictionary != nullptr)
    return text_at(*type.dictionary, *array.dictionary, value_at<std::int32_t>(values, index));
  const auto real = [](auto number) {
    std::array<char, 64> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
    return std::string{text.data(), end};
  };
  if (format == "b") return bit_at(values, index) ? "t" : "f";
  if (format == "s") return std::to_string(value_at<std::int16_t>(values, index));
  if (format == "i" || format == "tdD") return std::to_string(value_at<std::int32_t>(values, index));
  if (format == "I") return std::to_string(value_at<std::uint32_t>(values, index));
  if (format == "l" || format == "ttu" || format.starts_with("tsu:"))
    return std::to_string(value_at<std::int64_t>(values, index));
  if (format == "f") return real(value_at<float>(values, index));
  if (format == "g") return real(value_at<double>(values, index));
  if (format.starts_with("d:"))
    return digits_of(values, index, std::stoi(std::string{format.substr(format.find(',') + 1)}));
  if (format == "u" || format == "z") {
    const auto begin = value_at<std::int32_t>(values, index);
    const auto end = value_at<std::int32_t>(values, index + 1);
    return {static_cast<const char*>(array.buffers[2]) + begin, static_cast<std::size_t>(end - begin)};
  }
  if (format == "tin")
    return std::to_string(value_at<std::int32_t>(values, 4 * index)) + ' ' +
           std::to_string(value_at<std::int32_t>(values, 4 * index + 1)) + ' ' +
           std::to_string(value_at<std::int64_t>(values, 2 * index + 1));
  if (format == "w:16") {
    std::string hex;
    for (std::int64_t i = 0; i < 16; ++i) {
      constexpr std::string_view letters{"0123456789abcdef"};
      const auto byte = value_at<std::uint8_t>(values, 16 * index + i);
      if (i == 4 || i == 6 || i == 8 || i == 10) hex += '-';
      hex += letters[byte / 16];
      hex += letters[byte % 16];
    }
    return hex;
  }
  std::string parts;
  if (format == "+l") {
    for (auto i = value_at<std::int32_t>(values, index); i < value_at<std::int32_t>(values, index + 1); ++i)
      parts += (parts.empty() ? "" : ",") + text_at(*type.children[0], *array.children[0], i);
    return '{' + parts + '}';
  }
  for (std::int64_t i = 0; i < array.n_children; ++i)
    parts += (i == 0 ? "" : ",") + text_at(*type.children[i], *array.children[i], index);
  return '(' + parts + ')';
}

}  // namespace sluice::test
