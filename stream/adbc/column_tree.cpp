#include "adbc/column_tree.hpp"

#include <limits>
#include <stdexcept>
#include <utility>

namespace sluice::adbc {

namespace {

template <class Struct>
void let_each_go(std::vector<Struct>& all) noexcept {
  for (Struct& each : all)
    if (each.release != nullptr) each.release(&each);
}
template <class Struct>
std::vector<Struct*> addresses_of(std::vector<Struct>& all) {
  std::vector<Struct*> addresses;
  addresses.reserve(all.size());
  for (Struct& each : all) addresses.push_back(&each);
  return addresses;
}

struct schema_owner {
  std::string format;
  std::string name;
  std::vector<ArrowSchema> children{};
  std::vector<ArrowSchema*> pointers{};

  schema_owner(std::string is, std::string called) : format{std::move(is)}, name{std::move(called)} {}
  ~schema_owner() { let_each_go(children); }
  schema_owner(const schema_owner&) = delete;
  schema_owner& operator=(const schema_owner&) = delete;
};
void release_tree_schema(ArrowSchema* schema) {
  delete static_cast<schema_owner*>(schema->private_data);
  schema->release = nullptr;
}

struct array_owner {
  std::vector<std::byte> valid;
  std::vector<std::vector<std::byte>> values;
  std::vector<const void*> buffers{};
  std::vector<ArrowArray> children{};
  std::vector<ArrowArray*> pointers{};

  array_owner(std::vector<std::byte> bits, std::vector<std::vector<std::byte>> bytes)
      : valid{std::move(bits)}, values{std::move(bytes)} {}
  ~array_owner() { let_each_go(children); }
  array_owner(const array_owner&) = delete;
  array_owner& operator=(const array_owner&) = delete;
};
void release_tree_array(ArrowArray* array) {
  delete static_cast<array_owner*>(array->private_data);
  array->release = nullptr;
}

template <class T>
T* data_or_null(std::vector<T>& from) noexcept {
  return from.empty() ? nullptr : from.data();
}

std::int32_t offset_of(std::size_t size) {
  if (size > std::numeric_limits<std::int32_t>::max()) throw std::length_error{"more text than one Arrow array holds"};
  return static_cast<std::int32_t>(size);
}

}  // namespace

column_tree::column_tree(std::string format, std::string name, nulls may_be_null)
    : format_{std::move(format)}, name_{std::move(name)}, nulls_{may_be_null} {
  const bool has_text = format_ == "u";
  const bool is_union = is("+ud:");
  if (format_ != "+s") buffers_.resize(has_text || is_union ? 2 : 1);
  if (has_text || format_ == "+l" || format_ == "+m") append(std::int32_t{0});
}

column_tree& column_tree::add(std::string format, std::string name, nulls may_be_null) {
  return *children_.emplace_back(std::make_unique<column_tree>(std::move(format), std::move(name), may_be_null));
}

void column_tree::set_bit(std::vector<std::byte>& bits, std::size_t at, bool value) {
  constexpr std::size_t in_byte = 8;
  if (at / in_byte >= bits.size()) bits.resize(at / in_byte + 1);
  if (value) bits[at / in_byte] |= std::byte{1} << (at % in_byte);
}

void column_tree::end(bool is_valid) {
  set_bit(valid_, length_++, is_valid);
  if (!is_valid) ++null_count_;
}

void column_tree::null() {
  if (format_ == "u") {
    append(offset_of(buffers_[1].size()));
  } else if (format_ == "+l" || format_ == "+m") {
    append(offset_of(children_[0]->length()));
  } else if (format_ == "+s") {
    for (const auto& each : children_) each->null();
  } else if (format_ == "b") {
    set_bit(buffers_[0], length_, false);
  } else {
    const std::size_t size = is("s") ? 2 : is("i") || is("I") ? 4 : 8;
    buffers_[0].resize(buffers_[0].size() + size);
  }
  end(false);
}

void column_tree::text(std::string_view value) {
  const auto* const from = reinterpret_cast<const std::byte*>(value.data());
  buffers_[1].insert(buffers_[1].end(), from, from + value.size());
  append(offset_of(buffers_[1].size()));
  end();
}

void column_tree::boolean(bool value) {
  set_bit(buffers_[0], length_, value);
  end();
}

void column_tree::end_list() {
  append(offset_of(children_[0]->length()));
  end();
}

void column_tree::end_union(std::int8_t member) {
  append(member, 0);
  append(offset_of(children_[static_cast<std::size_t>(member)]->length() - 1), 1);
  end();
}

ArrowSchema column_tree::schema() const {
  auto owned = std::make_unique<schema_owner>(format_, name_);
  owned->children.reserve(children_.size());
  for (const auto& each : children_) owned->children.push_back(each->schema());
  owned->pointers = addresses_of(owned->children);
  ArrowSchema made{.format = owned->format.c_str(),
                   .name = owned->name.c_str(),
                   .metadata = nullptr,
                   .flags = nulls_ == nulls::allowed ? ARROW_FLAG_NULLABLE : 0,
                   .n_children = static_cast<std::int64_t>(owned->pointers.size()),
                   .children = data_or_null(owned->pointers),
                   .dictionary = nullptr,
                   .release = release_tree_schema,
                   .private_data = nullptr};
  made.private_data = owned.release();
  return made;
}

ArrowArray column_tree::take() {
  const bool has_validity = !is("+ud:");
  auto owned = std::make_unique<array_owner>(std::move(valid_), std::move(buffers_));
  if (has_validity) owned->buffers.push_back(null_count_ == 0 ? nullptr : owned->valid.data());
  for (const auto& each : owned->values) {
    static constexpr std::int64_t nothing{0};  // readers may want an address even of no bytes
    owned->buffers.push_back(each.empty() ? static_cast<const void*>(&nothing) : each.data());
  }
  owned->children.reserve(children_.size());
  for (const auto& each : children_) owned->children.push_back(each->take());
  owned->pointers = addresses_of(owned->children);
  ArrowArray made{.length = static_cast<std::int64_t>(std::exchange(length_, 0)),
                  .null_count = static_cast<std::int64_t>(std::exchange(null_count_, 0)),
                  .offset = 0,
                  .n_buffers = static_cast<std::int64_t>(owned->buffers.size()),
                  .n_children = static_cast<std::int64_t>(owned->pointers.size()),
                  .buffers = owned->buffers.data(),
                  .children = data_or_null(owned->pointers),
                  .dictionary = nullptr,
                  .release = release_tree_array,
                  .private_data = nullptr};
  made.private_data = owned.release();
  return made;
}

}  // namespace sluice::adbc
