#include "arrow/column_builder.hpp"

#include <bit>

namespace sluice::detail {

/// All values so far were none of NULL.
void validity::fill() {
  bits_.cut(0);
  const std::size_t whole = size_ / 8;
  bits_.add_zeros(whole + (size_ % 8 == 0 ? 0 : 1));
  for (std::size_t i = 0; i < whole; ++i) bits_.data()[i] = std::byte{0xff};
  if (size_ % 8 != 0) bits_.data()[whole] = static_cast<std::byte>((1U << (size_ % 8)) - 1);
}

void validity::cut(std::size_t size) noexcept {
  if (size >= size_) return;
  for (; nulls_ != 0 && size_ > size; --size_) {
    std::byte& bits = bits_.data()[(size_ - 1) / 8];
    const std::byte bit = std::byte{1} << ((size_ - 1) % 8);
    if ((bits & bit) == std::byte{0}) --nulls_;
    bits &= ~bit;
  }
  size_ = size;
  bits_.cut(nulls_ == 0 ? 0 : (size_ + 7) / 8);
}

void validity::move_to(array_parts& to) {
  to.length = size_;
  to.null_count = nulls_;
  to.has_validity = nulls_ != 0;
  if (nulls_ != 0) to.buffers.push_back(bits_.take());
  bits_.cut(0);
  size_ = nulls_ = 0;
}

builder_ptr make_builder(const arrow_type& type, const arrow_options& how, batch_bytes& counted) {
  builder_ptr made = make_fixed_builder(type, how, counted);
  if (made == nullptr) made = make_text_builder(type, how, counted);
  return made == nullptr ? make_nested_builder(type, how, counted) : std::move(made);
}

}  // namespace sluice::detail
