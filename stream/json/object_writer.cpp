#include "json/object_writer.hpp"

#include "json/json_string.hpp"
#include "messages/body_reader.hpp"

namespace sluice::detail {

void object_writer::add_column(std::string_view name, value_writer write) {
  text_buffer key;
  key.add(columns_.empty() ? '{' : ',');
  write_string(key, name);
  key.add(':');
  columns_.push_back({std::string{key.text()}, write});
}

bool object_writer::write(text_buffer& to, std::span<const std::byte> body) const {
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

bool object_writer::write_fields(text_buffer& to, std::span<const std::byte> body) const {
  constexpr std::uint32_t null = 0xffffffff;
  proto::body_reader in{body};
  if (in.u16() != columns_.size()) return false;
  if (columns_.empty()) to.add('{');
  for (const column& each : columns_) {
    to.add(each.key);
    const std::uint32_t size = in.u32();
    if (size == null) {
      to.add("null");
      continue;
    }
    const std::span<const std::byte> value = in.bytes(size);
    if (!in.ok() || !each.write(to, value)) return false;
  }
  to.add('}');
  return in.exhausted();
}

}  // namespace sluice::detail
