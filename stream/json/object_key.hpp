#pragma once
// The key of an object with what is around it, rendered once.
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "json/json_string.hpp"
#include "json/text_buffer.hpp"

namespace sluice::detail {

/// `{"name":` of an object's first field, `,"name":` of any other; with the ends and beginnings of the objects in it
/// that lie between two fields.
class object_key {
 public:
  object_key() = default;
  object_key(std::string_view name, bool is_first) : object_key{(is_first ? "{" : ",") + quoted(name) + ':'} {}
  /// @param before  where the field before this one is; empty: this is the first
  /// @param place   the names on the way to this one
  object_key(std::span<const std::string> before, std::span<const std::string> place)
      : object_key{between(before, place)} {}

  void write(text_buffer& to) const {
    char* const at = to.room(bytes_.size());
    // Steps of a fixed size are copied without a call, which most keys take longer than.
    for (std::size_t i = 0; i < bytes_.size(); i += step) std::memcpy(at + i, bytes_.data() + i, step);
    to.wrote(at + size_);
  }

 private:
  explicit object_key(std::string text) : bytes_{std::move(text)}, size_{bytes_.size()} {
    bytes_.resize((size_ + step - 1) / step * step);
  }

  static std::string quoted(std::string_view name) {
    text_buffer text;
    (void)write_string(text, name);
    return std::string{text.text()};
  }
  static std::string between(std::span<const std::string> before, std::span<const std::string> place) {
    const auto shared = static_cast<std::size_t>(std::ranges::mismatch(before, place).in2 - place.begin());
    std::string text = before.empty() ? "{" : std::string(before.size() - shared - 1, '}') + ',';
    for (const std::string& name : place.subspan(shared)) text += quoted(name) + (&name == &place.back() ? ":" : ":{");
    return text;
  }

  static constexpr std::size_t step = 16;

  std::string bytes_;  // a multiple of `step`
  std::size_t size_{0};
};

}  // namespace sluice::detail
