// Columns that are made of other values. A count or a length that lies ends in an error, before anything is allocated
// for it.
#include <sluice/stream/nested_columns.hpp>

#include <array>

#include <sluice/proto/field_view.hpp>
#include <sluice/proto/oid.hpp>

#include "messages/backend.hpp"
#include "messages/body_reader.hpp"
#include "rows/own_types.hpp"

namespace sluice::detail {

namespace {

constexpr std::uint32_t record_type = 2249;

struct built_in_range {
  std::uint32_t type;
  std::uint32_t element;
  std::uint32_t multirange;
};
constexpr std::array ranges{
    built_in_range{proto::oid::int4range, proto::oid::int4, proto::oid::int4multirange},
    built_in_range{proto::oid::int8range, proto::oid::int8, proto::oid::int8multirange},
    built_in_range{proto::oid::numrange, proto::oid::numeric, proto::oid::nummultirange},
    built_in_range{proto::oid::daterange, proto::oid::date, proto::oid::datemultirange},
    built_in_range{proto::oid::tsrange, proto::oid::timestamp, proto::oid::tsmultirange},
    built_in_range{proto::oid::tstzrange, proto::oid::timestamptz, proto::oid::tstzmultirange},
};

/// The next value of one that is made of others: its length, and its bytes.
void read_part(std::span<const std::byte>& rest, binary_field& into, std::string_view where) {
  proto::body_reader in{rest};
  const auto value = proto::value_field::read(in);
  into.is_null = !value;
  into.bytes = value.value_or(std::span<const std::byte>{});
  if (!in.ok()) into.fail_value(where);
  rest = in.rest();
}

}  // namespace

array_reader::array_reader(const binary_field& array, std::size_t most) {
  const std::string_view expected = most == 1 ? "an array of one dimension" : "an array of the C++ type's dimensions";
  proto::body_reader in{array.bytes};
  const std::int32_t dimensions = in.i32();
  const std::int32_t has_nulls = in.i32();  // each element has its own NULL marker
  const std::uint32_t type = in.u32();
  // Zeros are no array, but perhaps midnight as a timetz.
  if (!in.ok() || dimensions < 0 || static_cast<std::size_t>(dimensions) > most || (has_nulls & ~1) != 0 || type == 0)
    array.fail(expected);
  dimensions_ = static_cast<std::size_t>(dimensions);
  left_ = dimensions_ == 0 ? 0 : 1;
  constexpr std::size_t least_element = 4;
  for (std::size_t i = 0; i < dimensions_; ++i) {
    sizes_[i] = in.u32();
    firsts_[i] = in.i32();
    const std::size_t most_elements = in.remaining() / least_element;
    if (left_ != 0 && sizes_[i] > most_elements / left_) array.fail(expected);
    left_ *= sizes_[i];
  }
  if (!in.ok() || (left_ == 0 && (in.remaining() != 0 || dimensions_ > 1))) array.fail(expected);
  element_ = array.inner(type, 0);
  rest_ = in.rest();
}

binary_field array_reader::next() {
  read_part(rest_, element_, "an element of its array is cut off");
  if (--left_ == 0 && !rest_.empty()) element_.fail_value("its array does not end with its last element");
  return element_;
}

composite_reader::composite_reader(const binary_field& composite, std::size_t fields) : whole_{composite} {
  proto::body_reader in{composite.bytes};
  const std::uint32_t count = in.u32();
  if (composite.type < first_own_type && composite.type != record_type) composite.fail("a composite");
  if (!in.ok() || count != fields) composite.fail("a composite of " + std::to_string(fields) + " fields");
  rest_ = in.rest();
}

binary_field composite_reader::next() {
  proto::body_reader in{rest_};
  const std::uint32_t type = in.u32();
  rest_ = in.rest();
  binary_field field = whole_.inner(type, index_++);
  read_part(rest_, field, "a field of its composite is cut off");
  return field;
}

void composite_reader::finish() const {
  if (!rest_.empty()) whole_.fail_value("its composite does not end with its last field");
}

range_parts read_range(const binary_field& from, std::uint32_t natural) {
  std::uint32_t element = from.type >= first_own_type ? natural : 0;
  for (const built_in_range& each : ranges)
    if (each.type == from.type) element = each.element;
  if (element == 0) from.fail("a range");
  constexpr unsigned empty = 0x01;
  constexpr unsigned with_lower = 0x02;
  constexpr unsigned with_upper = 0x04;
  constexpr unsigned no_lower = 0x08;
  constexpr unsigned no_upper = 0x10;
  constexpr unsigned known = empty | with_lower | with_upper | no_lower | no_upper;
  proto::body_reader in{from.bytes};
  const unsigned flags = in.u8();
  std::span<const std::byte> rest = in.rest();
  if (from.bytes.empty() || (flags & ~known) != 0) from.fail_value("it is no range");
  range_parts parts{
      .has_lower = (flags & with_lower) != 0, .has_upper = (flags & with_upper) != 0, .is_empty = (flags & empty) != 0};
  const auto bound = [&](unsigned absent) -> std::optional<binary_field> {
    if (parts.is_empty || (flags & absent) != 0) return std::nullopt;
    binary_field made = from.inner(element, 0);
    read_part(rest, made, "a bound of its range is cut off");
    return made;
  };
  parts.lower = bound(no_lower);
  parts.upper = bound(no_upper);
  if (!rest.empty()) from.fail_value("it does not end with its range");
  return parts;
}

multirange_reader::multirange_reader(const binary_field& from) {
  std::uint32_t type = from.type >= first_own_type ? from.type : 0;
  for (const built_in_range& each : ranges)
    if (each.multirange == from.type) type = each.type;
  if (type == 0) from.fail("a multirange");
  proto::body_reader in{from.bytes};
  left_ = in.u32();
  constexpr std::size_t least = 5;  // a length, and flags
  if (!in.ok() || left_ > in.remaining() / least || (left_ == 0 && in.remaining() != 0))
    from.fail_value("it is no multirange");
  rest_ = in.rest();
  range_ = from.inner(type, 0);
}

binary_field multirange_reader::next() {
  read_part(rest_, range_, "a range of its multirange is cut off");
  if (--left_ == 0 && !rest_.empty()) range_.fail_value("its multirange does not end with its last range");
  return range_;
}

hstore_reader::hstore_reader(const binary_field& from) : whole_{from} {
  if (from.type < first_own_type) from.fail("hstore");
  proto::body_reader in{from.bytes};
  left_ = in.u32();
  constexpr std::size_t least = 8;  // two lengths
  if (!in.ok() || left_ > in.remaining() / least || (left_ == 0 && in.remaining() != 0))
    from.fail_value("it is no hstore");
  rest_ = in.rest();
}

std::pair<std::string_view, std::optional<std::string_view>> hstore_reader::next() {
  const auto text = [](const binary_field& of) {
    return std::string_view{reinterpret_cast<const char*>(of.bytes.data()), of.bytes.size()};
  };
  constexpr std::string_view cut{"a pair of its hstore is cut off"};
  binary_field part{whole_};
  read_part(rest_, part, cut);
  if (part.is_null) whole_.fail_value("a key of its hstore is NULL");
  const std::string_view key = text(part);
  read_part(rest_, part, cut);
  if (--left_ == 0 && !rest_.empty()) whole_.fail_value("its hstore does not end with its last pair");
  return {key, part.is_null ? std::nullopt : std::optional{text(part)}};
}

}  // namespace sluice::detail
