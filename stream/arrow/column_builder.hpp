#pragma once
// Gathers the values of a column into an Arrow array.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <sluice/arrow/abi.hpp>
#include <sluice/arrow/options.hpp>

#include "arrow/arrow_buffer.hpp"
#include "arrow/arrow_type.hpp"
#include "arrow/exported.hpp"

namespace sluice::detail {

/// A value that has no place in its array: what is wrong with it.
struct bad_value {
  std::string what;
};
/// No server should send it.
inline constexpr const char* malformed_value = "its bytes are not a value of its type";
/// The batch cannot hold this row as well.
struct batch_overflow {};

/// The bytes of all arrays of a batch so far. Offsets in an array are 31 bits, so no batch may have as many bytes.
class batch_bytes {
 public:
  static constexpr std::size_t most = (std::size_t{1} << 31U) - (std::size_t{1} << 16U);

  void add(std::size_t bytes) {
    bytes_ += bytes;
    if (bytes_ > most) throw batch_overflow{};
  }
  [[nodiscard]] std::size_t count() const noexcept { return bytes_; }
  void reset(std::size_t to = 0) noexcept { bytes_ = to; }

 private:
  std::size_t bytes_{0};
};

/// Which values are not NULL. There is no bitmap until there is a NULL.
class validity {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t null_count() const noexcept { return nulls_; }
  void add_valid() {
    if (nulls_ != 0) push(true);
    ++size_;
  }
  void add_null() {
    if (nulls_ == 0) fill();
    push(false);
    ++size_;
    ++nulls_;
  }
  void cut(std::size_t size) noexcept;
  /// Moves the bitmap, if there is one, and the counts into an array's parts; what comes next is another array.
  void move_to(array_parts& to);

 private:
  void push(bool is_valid) {
    if (size_ % 8 == 0) bits_.add(std::byte{0});
    if (is_valid) bits_.data()[size_ / 8] |= std::byte{1} << (size_ % 8);
  }
  void fill();

  arrow_buffer bits_;  // while there are nulls
  std::size_t size_{0};
  std::size_t nulls_{0};
};

class column_builder {
 public:
  explicit column_builder(batch_bytes& counted) noexcept : counted_{counted} {}
  virtual ~column_builder() = default;
  column_builder(const column_builder&) = delete;
  column_builder& operator=(const column_builder&) = delete;

  /// Adds a value in the binary format, or a text.
  /// @par Errors  throws bad_value, batch_overflow; `cut` then undoes what was half done
  virtual void add(std::span<const std::byte> value) = 0;
  virtual void add_null() = 0;
  /// Forgets all values but the first.
  virtual void cut(std::size_t size) = 0;
  /// Hands over the array, and begins another.
  /// @par Errors  throws bad_value for text that is not UTF-8
  [[nodiscard]] virtual ArrowArray finish() = 0;
  [[nodiscard]] std::size_t size() const noexcept { return valid_.size(); }

 protected:
  [[nodiscard]] batch_bytes& counted() const noexcept { return counted_; }
  [[nodiscard]] validity& valid() noexcept { return valid_; }

 private:
  batch_bytes& counted_;
  validity valid_;
};

using builder_ptr = std::unique_ptr<column_builder>;

/// @pre `counted` outlives the builder
[[nodiscard]] builder_ptr make_builder(const arrow_type& type, const arrow_options& how, batch_bytes& counted);

// The kinds of builders; null: the type is not theirs.
[[nodiscard]] builder_ptr make_fixed_builder(const arrow_type& type, const arrow_options& how, batch_bytes& counted);
[[nodiscard]] builder_ptr make_text_builder(const arrow_type& type, const arrow_options& how, batch_bytes& counted);
[[nodiscard]] builder_ptr make_nested_builder(const arrow_type& type, const arrow_options& how, batch_bytes& counted);

}  // namespace sluice::detail
