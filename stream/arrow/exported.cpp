#include "arrow/exported.hpp"

#include <bit>
#include <cstring>
#include <string>
#include <utility>

#include "arrow/arrow_type.hpp"

namespace sluice::detail {

namespace {

template <class Struct>
void release(Struct& each) noexcept {
  if (each.release != nullptr) each.release(&each);
}

struct owned_array {
  array_parts parts;
  std::vector<const void*> buffers{};
  std::vector<ArrowArray*> children{};
};

/// A reader may have taken some of the children before: those are released already.
void release_array(ArrowArray* array) {
  delete static_cast<owned_array*>(array->private_data);
  array->release = nullptr;
}

struct owned_schema {
  std::string name;
  std::string format;
  std::string metadata;
  std::vector<ArrowSchema> children{};
  std::vector<ArrowSchema*> pointers{};
  ArrowSchema dictionary{};

  owned_schema() = default;
  owned_schema(const owned_schema&) = delete;
  owned_schema& operator=(const owned_schema&) = delete;
  ~owned_schema() {
    for (ArrowSchema& each : children) release(each);
    release(dictionary);
  }
};

void release_schema(ArrowSchema* schema) {
  delete static_cast<owned_schema*>(schema->private_data);
  schema->release = nullptr;
}

void add_number(std::string& to, std::size_t number) {
  const auto bytes = std::bit_cast<std::array<char, 4>>(static_cast<std::int32_t>(number));
  to.append(bytes.data(), bytes.size());
}
void add_text(std::string& to, std::string_view text) {
  add_number(to, text.size());
  to += text;
}

/// Keys and values, each after its length.
std::string metadata_of(const arrow_type& type) {
  std::string made;
  if (type.extension.empty()) return made;
  add_number(made, 2);
  add_text(made, "ARROW:extension:name");
  add_text(made, type.extension);
  add_text(made, "ARROW:extension:metadata");
  add_text(made, "");
  return made;
}

}  // namespace

array_parts::~array_parts() {
  for (ArrowArray& each : children) release(each);
  release(dictionary);
}

ArrowArray export_array(array_parts parts) {
  auto owned = std::make_unique<owned_array>(owned_array{std::move(parts)});
  if (!owned->parts.has_validity) owned->buffers.push_back(nullptr);
  for (const arrow_buffer::memory& each : owned->parts.buffers) owned->buffers.push_back(each.get());
  for (ArrowArray& each : owned->parts.children) owned->children.push_back(&each);
  const bool has_dictionary = owned->parts.dictionary.release != nullptr;
  ArrowArray made{.length = static_cast<std::int64_t>(owned->parts.length),
                  .null_count = static_cast<std::int64_t>(owned->parts.null_count),
                  .offset = 0,
                  .n_buffers = static_cast<std::int64_t>(owned->buffers.size()),
                  .n_children = static_cast<std::int64_t>(owned->children.size()),
                  .buffers = owned->buffers.data(),
                  .children = owned->children.empty() ? nullptr : owned->children.data(),
                  .dictionary = has_dictionary ? &owned->parts.dictionary : nullptr,
                  .release = release_array,
                  .private_data = nullptr};
  made.private_data = owned.release();
  return made;
}

ArrowSchema export_schema(const arrow_type& type) {
  auto owned = std::make_unique<owned_schema>();
  owned->name = type.name;
  owned->format = type.format;
  owned->metadata = metadata_of(type);
  owned->children.reserve(type.children.size());
  for (const arrow_type& each : type.children) owned->children.push_back(export_schema(each));
  for (ArrowSchema& each : owned->children) owned->pointers.push_back(&each);
  if (type.is == arrow_type::kind::label) owned->dictionary = export_schema({.name = "", .format = "u"});
  ArrowSchema made{.format = owned->format.c_str(),
                   .name = owned->name.c_str(),
                   .metadata = owned->metadata.empty() ? nullptr : owned->metadata.data(),
                   .flags = ARROW_FLAG_NULLABLE,
                   .n_children = static_cast<std::int64_t>(owned->pointers.size()),
                   .children = owned->pointers.empty() ? nullptr : owned->pointers.data(),
                   .dictionary = owned->dictionary.release == nullptr ? nullptr : &owned->dictionary,
                   .release = release_schema,
                   .private_data = nullptr};
  made.private_data = owned.release();
  return made;
}

}  // namespace sluice::detail
