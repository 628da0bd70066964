#pragma once
// Batches as other libraries hand them over: Arrow arrays whose buffers a test writes itself.
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sluice/arrow/abi.hpp"

namespace sluice::test {

using given_bytes = std::vector<std::uint8_t>;
template <class T>
given_bytes bytes_of(std::initializer_list<T> values) {
  given_bytes bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), std::data(values), bytes.size());
  return bytes;
}
inline given_bytes text_buffer(std::string_view text) { return {text.begin(), text.end()}; }

/// A column: its first given_bytes is the validity, which is left out if it is empty.
struct given_column {
  std::string format{};
  std::string name{};
  std::int64_t length{};
  std::int64_t nulls{0};
  std::vector<given_bytes> buffers{};
  std::vector<given_column> children{};
  std::shared_ptr<given_column> dictionary{};
  std::string metadata{};
  std::int64_t offset{0};
};

/// How many arrays and schemas are alive.
inline int& alive() {
  static int count = 0;
  return count;
}

namespace detail {

struct given_parts {
  given_column of;
  std::vector<const void*> buffers{};
  std::vector<ArrowArray> arrays{};
  std::vector<ArrowSchema> schemas{};
  std::vector<ArrowArray*> array_pointers{};
  std::vector<ArrowSchema*> schema_pointers{};
  explicit given_parts(given_column column) : of{std::move(column)} { ++alive(); }
  ~given_parts() {
    for (ArrowArray& each : arrays) each.release(&each);
    for (ArrowSchema& each : schemas) each.release(&each);
    --alive();
  }
  given_parts(const given_parts&) = delete;
  given_parts& operator=(const given_parts&) = delete;
};
template <class Struct>
void release_given(Struct* each) {
  delete static_cast<given_parts*>(each->private_data);
  each->release = nullptr;
}

}  // namespace detail

inline ArrowSchema schema_of(const given_column& column) {
  auto owned = std::make_unique<detail::given_parts>(column);
  for (const given_column& each : column.children) owned->schemas.push_back(schema_of(each));
  if (column.dictionary != nullptr) owned->schemas.push_back(schema_of(*column.dictionary));
  for (ArrowSchema& each : owned->schemas) owned->schema_pointers.push_back(&each);
  const std::size_t children = column.children.size();
  ArrowSchema made{.format = owned->of.format.c_str(),
                   .name = owned->of.name.c_str(),
                   .metadata = column.metadata.empty() ? nullptr : owned->of.metadata.data(),
                   .flags = ARROW_FLAG_NULLABLE,
                   .n_children = static_cast<std::int64_t>(children),
                   .children = owned->schema_pointers.data(),
                   .dictionary = column.dictionary == nullptr ? nullptr : &owned->schemas[children],
                   .release = detail::release_given<ArrowSchema>,
                   .private_data = nullptr};
  made.private_data = owned.release();
  return made;
}

inline ArrowArray array_of(const given_column& column) {
  auto owned = std::make_unique<detail::given_parts>(column);
  for (const given_bytes& each : owned->of.buffers) owned->buffers.push_back(each.empty() ? nullptr : each.data());
  for (const given_column& each : column.children) owned->arrays.push_back(array_of(each));
  if (column.dictionary != nullptr) owned->arrays.push_back(array_of(*column.dictionary));
  for (ArrowArray& each : owned->arrays) owned->array_pointers.push_back(&each);
  const std::size_t children = column.children.size();
  ArrowArray made{.length = column.length,
                  .null_count = column.nulls,
                  .offset = column.offset,
                  .n_buffers = static_cast<std::int64_t>(owned->buffers.size()),
                  .n_children = static_cast<std::int64_t>(children),
                  .buffers = owned->buffers.data(),
                  .children = owned->array_pointers.data(),
                  .dictionary = column.dictionary == nullptr ? nullptr : &owned->arrays[children],
                  .release = detail::release_given<ArrowArray>,
                  .private_data = nullptr};
  made.private_data = owned.release();
  return made;
}

/// A batch of these columns.
inline given_column batch_of(std::vector<given_column> columns) {
  const std::int64_t length = columns.empty() ? 0 : columns.front().length;
  return {.format = "+s", .length = length, .buffers = {{}}, .children = std::move(columns)};
}

/// The metadata of an extension type.
inline std::string extension(std::string_view name) {
  const auto number = [](std::size_t value) {
    const auto wanted = static_cast<std::int32_t>(value);
    std::string bytes(sizeof wanted, '\0');
    std::memcpy(bytes.data(), &wanted, sizeof wanted);
    return bytes;
  };
  constexpr std::string_view key{"ARROW:extension:name"};
  return number(1) + number(key.size()) + std::string{key} + number(name.size()) + std::string{name};
}

}  // namespace sluice::test
