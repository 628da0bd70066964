// Arrays and composites in the binary format.
#include <array>
#include <cstdint>
#include <sluice/proto/field_view.hpp>

#include "json/nested_json.hpp"
#include "messages/body_reader.hpp"

namespace sluice::detail {

namespace {

/// One that has its length before it.
bool write_part(text_buffer& to, proto::body_reader& in, value_plan& plan) {
  const std::uint32_t size = in.u32();
  if (!in.ok()) return false;
  if (size == proto::null_length) return to.add("null"), true;
  const std::span<const std::byte> value = in.bytes(size);
  return in.ok() && plan.write(to, value);
}

class binary_array {
 public:
  binary_array(text_buffer& to, std::span<const std::byte> value, value_plan& element) noexcept
      : to_{to}, in_{value}, element_{element} {}

  bool write() {
    dimensions_ = in_.u32();
    (void)in_.u32();  // whether any element is NULL
    if (in_.u32() != element_.type || dimensions_ > most_dimensions) return false;
    std::uint64_t elements = dimensions_ == 0 ? 0 : 1;
    for (std::size_t i = 0; i < dimensions_; ++i) {
      sizes_[i] = in_.u32();
      (void)in_.u32();  // the index of its first element
      // Before it is multiplied again: each element has a length of four bytes. So no loop is longer than the value.
      elements *= sizes_[i];
      if (elements > in_.remaining() / 4) return false;
    }
    if (elements == 0) return to_.add("[]"), in_.exhausted();
    return write_dimension(0) && in_.exhausted();
  }

 private:
  bool write_dimension(std::size_t level) {
    to_.add('[');
    for (std::uint32_t i = 0; i < sizes_[level]; ++i) {
      if (i != 0) to_.add(',');
      if (!(level + 1 == dimensions_ ? write_part(to_, in_, element_) : write_dimension(level + 1))) return false;
    }
    to_.add(']');
    return true;
  }

  text_buffer& to_;
  proto::body_reader in_;
  value_plan& element_;
  std::uint32_t dimensions_{0};
  std::array<std::uint32_t, most_dimensions> sizes_{};
};

}  // namespace

bool write_binary_array(text_buffer& to, std::span<const std::byte> value, value_plan& plan) {
  return binary_array{to, value, plan.parts.front()}.write();
}

bool write_binary_composite(text_buffer& to, std::span<const std::byte> value, value_plan& plan) {
  proto::body_reader in{value};
  if (in.u32() != plan.parts.size()) return false;
  if (plan.parts.empty()) to.add('{');
  for (value_plan& each : plan.parts) {
    each.key.write(to);
    if (in.u32() != each.type || !write_part(to, in, each)) return false;  // another type: it was altered meanwhile
  }
  to.add('}');
  return in.exhausted();
}

}  // namespace sluice::detail
