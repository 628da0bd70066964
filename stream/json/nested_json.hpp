#pragma once
// Arrays and composites as JSON: see value_plan::nested_writer.
#include <cstddef>
#include <span>

#include "json/value_plan.hpp"

namespace sluice::detail {

constexpr std::size_t most_dimensions = 6;  ///< of an array, as the server has it

bool write_binary_array(text_buffer& to, std::span<const std::byte> value, value_plan& plan);
bool write_binary_composite(text_buffer& to, std::span<const std::byte> value, value_plan& plan);
bool write_text_array(text_buffer& to, std::span<const std::byte> value, value_plan& plan);
/// `int2vector` and `oidvector`: their elements with spaces between them.
bool write_text_vector(text_buffer& to, std::span<const std::byte> value, value_plan& plan);
bool write_text_composite(text_buffer& to, std::span<const std::byte> value, value_plan& plan);

}  // namespace sluice::detail
