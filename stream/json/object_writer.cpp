#include "json/object_writer.hpp"

#include <cstdint>
#include <utility>

#include <sluice/proto/byte_order.hpp>
#include <sluice/proto/field_view.hpp>

namespace sluice::detail {

void object_writer::add_column(std::string_view name, value_plan values) {
  values.key = {name, columns_.empty()};
  columns_.push_back(std::move(values));
}

void object_writer::add_column(std::span<const std::string> place, value_plan values) {
  values.key = {last_, place};
  columns_.push_back(std::move(values));
  last_.assign(place.begin(), place.end());
  end_.assign(place.size(), '}');
}

bool object_writer::write(text_buffer& to, std::span<const std::byte> body) {
  const std::size_t before = to.size();
  try {
    if (write_fields(to, body)) return true;
  } catch (...) {
    to.cut(before);
    throw;
  }
  to.cut(before);
  return false;
}

/// This runs per field of each row, so it is a walk of its own rather than one by a body_reader.
bool object_writer::write_fields(text_buffer& to, std::span<const std::byte> body) {
  constexpr std::size_t count_size = 2;
  constexpr std::size_t length_size = 4;
  if (body.size() < count_size || proto::load_big<std::uint16_t>(body.data()) != columns_.size()) return false;
  const std::byte* at = body.data() + count_size;
  const std::byte* const end = body.data() + body.size();
  culprit_ = columns_.size();
  if (columns_.empty()) to.add('{');
  for (value_plan& each : columns_) {
    each.key.write(to);
    if (static_cast<std::size_t>(end - at) < length_size) return false;
    const auto size = proto::load_big<std::uint32_t>(at);
    at += length_size;
    if (size == proto::null_length) {
      to.add("null");
      continue;
    }
    if (size > static_cast<std::size_t>(end - at)) return false;
    if (!each.write(to, {at, size})) {
      culprit_ = static_cast<std::size_t>(&each - columns_.data());
      return false;
    }
    at += size;
  }
  to.add(end_);
  return at == end;
}

}  // namespace sluice::detail
