// Lists and structs.
#include <cstring>
#include <utility>

#include <sluice/proto/field_view.hpp>

#include "arrow/column_builder.hpp"
#include "arrow/part_reader.hpp"

namespace sluice::detail {

namespace {

/// A value after its length.
void add_part(part_reader& in, column_builder& to) {
  const std::uint32_t size = in.u32();
  if (!in.ok()) throw bad_value{malformed_value};
  if (size == proto::null_length) return to.add_null();
  const std::span<const std::byte> value = in.part(size);
  if (!in.ok()) throw bad_value{malformed_value};
  to.add(value);
}

class list_builder final : public column_builder {
 public:
  list_builder(batch_bytes& counted, std::uint32_t element, builder_ptr elements) noexcept
      : column_builder{counted}, element_{element}, elements_{std::move(elements)} {}

  void add(std::span<const std::byte> value) override {
    begin();
    part_reader in{value};
    const std::uint32_t dimensions = in.u32();
    (void)in.u32();  // whether any element is NULL
    const std::uint32_t element = in.u32();
    std::uint32_t count = 0;
    if (dimensions == 1) {
      count = in.u32();
      (void)in.u32();  // the index of its first element
    }
    if (in.ok() && dimensions > 1)
      throw bad_value{"it is an array of " + std::to_string(dimensions) +
                      " dimensions, where a list has one: cast the column to text, or set arrow_options::array"};
    constexpr std::size_t least_element = 4;
    if (!in.ok() || element != element_ || count > in.remaining() / least_element) throw bad_value{malformed_value};
    for (std::uint32_t i = 0; i < count; ++i) add_part(in, *elements_);
    if (!in.exhausted()) throw bad_value{malformed_value};
    end_value();
    valid().add_valid();
  }
  void add_null() override {
    begin();
    end_value();
    valid().add_null();
  }
  void cut(std::size_t size) override {
    valid().cut(size);
    if (offsets_.size() == 0) return;
    offsets_.cut((size + 1) * sizeof(std::int32_t));
    std::int32_t end{};
    std::memcpy(&end, offsets_.data() + size * sizeof end, sizeof end);
    elements_->cut(static_cast<std::size_t>(end));
  }
  ArrowArray finish() override {
    begin();
    array_parts parts;
    parts.children.reserve(1);
    parts.children.push_back(elements_->finish());
    valid().move_to(parts);
    parts.buffers.push_back(offsets_.take());
    return export_array(std::move(parts));
  }

 private:
  void begin() {
    if (offsets_.size() == 0) offsets_.add(std::int32_t{0});
  }
  void end_value() {
    counted().add(sizeof(std::int32_t));
    offsets_.add(static_cast<std::int32_t>(elements_->size()));
  }

  std::uint32_t element_;  // OID
  arrow_buffer offsets_;   // one more than there are values
  builder_ptr elements_;
};

class struct_builder final : public column_builder {
 public:
  struct field {
    std::uint32_t type;  // OID
    builder_ptr values;
  };

  struct_builder(batch_bytes& counted, std::vector<field> fields) noexcept
      : column_builder{counted}, fields_{std::move(fields)} {}

  void add(std::span<const std::byte> value) override {
    part_reader in{value};
    if (in.u32() != fields_.size()) throw bad_value{malformed_value};
    for (field& each : fields_) {
      if (in.u32() != each.type) throw bad_value{malformed_value};  // or it was altered meanwhile
      add_part(in, *each.values);
    }
    if (!in.exhausted()) throw bad_value{malformed_value};
    counted().add(1);
    valid().add_valid();
  }
  void add_null() override {
    for (field& each : fields_) each.values->add_null();
    counted().add(1);
    valid().add_null();
  }
  void cut(std::size_t size) override {
    for (field& each : fields_) each.values->cut(size);
    valid().cut(size);
  }
  ArrowArray finish() override {
    array_parts parts;
    parts.children.reserve(fields_.size());
    for (field& each : fields_) parts.children.push_back(each.values->finish());
    valid().move_to(parts);
    return export_array(std::move(parts));
  }

 private:
  std::vector<field> fields_;
};

}  // namespace

builder_ptr make_nested_builder(const arrow_type& type, const arrow_options& how, batch_bytes& counted) {
  if (type.is == arrow_type::kind::list) {
    const arrow_type& element = type.children.front();
    return std::make_unique<list_builder>(counted, element.type, make_builder(element, how, counted));
  }
  std::vector<struct_builder::field> fields;
  for (const arrow_type& each : type.children) fields.push_back({each.type, make_builder(each, how, counted)});
  return std::make_unique<struct_builder>(counted, std::move(fields));
}

}  // namespace sluice::detail
