#pragma once
// The key of an object with what is around it, rendered once.
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include "json/json_string.hpp"
#include "json/text_buffer.hpp"

namespace sluice::detail {

/// `{"name":` of an object's first field, `,"name":` of any other.
class object_key {
 public:
  object_key() = default;
  object_key(std::string_view name, bool is_first) {
    text_buffer text;
    text.add(is_first ? '{' : ',');
    write_string(text, name);
    text.add(':');
    bytes_ = text.text();
    size_ = bytes_.size();
    bytes_.resize((size_ + step - 1) / step * step);
  }

  void write(text_buffer& to) const {
    char* const at = to.room(bytes_.size());
    // Steps of a fixed size are copied without a call, which most keys take longer than.
    for (std::size_t i = 0; i < bytes_.size(); i += step) std::memcpy(at + i, bytes_.data() + i, step);
    to.wrote(at + size_);
  }

 private:
  static constexpr std::size_t step = 16;

  std::string bytes_;  // a multiple of `step`
  std::size_t size_{0};
};

}  // namespace sluice::detail
