// Booleans, integers and numerics as JSON.
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include <sluice/proto/byte_order.hpp>

#include "json/digits.hpp"
#include "json/numeric_value.hpp"
#include "json/value_writers.hpp"

namespace sluice::detail {

namespace {

using proto::load_big;

template <class Integer>
bool write_integer(text_buffer& to, std::span<const std::byte> value) {
  using unsigned_integer = std::make_unsigned_t<Integer>;
  if (value.size() != sizeof(Integer)) return false;
  char* at = to.room(1 + most_digits);
  const auto number = static_cast<Integer>(load_big<unsigned_integer>(value.data()));
  auto size = static_cast<std::uint64_t>(number);
  if (number < 0) {
    *at++ = '-';
    size = 0 - size;
  }
  to.wrote(write_number(at, size));
  return true;
}

}  // namespace

bool write_bool(text_buffer& to, std::span<const std::byte> value) {
  if (value.size() != 1) return false;
  const bool is_true = value[0] != std::byte{0};
  constexpr std::size_t size = 5;
  char* const at = to.room(size);
  std::memcpy(at, is_true ? "true " : "false", size);  // of a fixed size, so that nothing is called
  to.wrote(at + (is_true ? size - 1 : size));
  return true;
}

bool write_int2(text_buffer& to, std::span<const std::byte> value) { return write_integer<std::int16_t>(to, value); }
bool write_int4(text_buffer& to, std::span<const std::byte> value) { return write_integer<std::int32_t>(to, value); }
bool write_int8(text_buffer& to, std::span<const std::byte> value) { return write_integer<std::int64_t>(to, value); }

bool write_object_id(text_buffer& to, std::span<const std::byte> value) {
  if (value.size() != 4) return false;
  char* at = to.room(2 + most_digits);
  *at++ = '"';
  at = write_number(at, load_big<std::uint32_t>(value.data()));
  *at++ = '"';
  to.wrote(at);
  return true;
}

bool write_numeric(text_buffer& to, std::span<const std::byte> value) {
  const numeric_value number{value};
  if (!number.is_good()) return false;
  if (number.is_finite()) {
    to.wrote(number.write(to.room(number.longest())));
    return true;
  }
  to.add('"');
  to.add(number.name());
  to.add('"');
  return !number.name().empty();
}

}  // namespace sluice::detail
