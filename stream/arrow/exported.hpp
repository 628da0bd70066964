#pragma once
// Arrays that own their memory, as the C data interface hands them over.
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <sluice/arrow/abi.hpp>

#include "arrow/arrow_buffer.hpp"

namespace sluice::detail {

/// What an array consists of. `array` moves it to where the array's `release` finds it.
struct array_parts {
  std::size_t length{};
  std::size_t null_count{};
  bool has_validity{true};  ///< the first buffer is a bitmap; false: there are no nulls, and it is left out
  std::vector<arrow_buffer::memory> buffers{};  ///< without an absent bitmap
  std::vector<ArrowArray> children{};           ///< owned
  ArrowArray dictionary{};                      ///< owned; released: none

  array_parts() = default;
  array_parts(array_parts&& other) noexcept
      : length{other.length},
        null_count{other.null_count},
        has_validity{other.has_validity},
        buffers{std::move(other.buffers)},
        children{std::move(other.children)},
        dictionary{std::exchange(other.dictionary, ArrowArray{})} {}
  array_parts& operator=(array_parts&&) = delete;
  ~array_parts();
};

/// @par Exception safety  whatever happens, the parts have an owner
[[nodiscard]] ArrowArray export_array(array_parts parts);

}  // namespace sluice::detail
