// Columns whose values have any size: texts, bytes, and dictionaries of labels.
#include <cstring>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <simdjson.h>

#include "arrow/column_builder.hpp"
#include "json/numeric_value.hpp"

namespace sluice::detail {

namespace {

/// Values one after the other, and where each ends.
class text_values {
 public:
  [[nodiscard]] std::size_t bytes() const noexcept { return data_.size(); }
  void add(std::span<const std::byte> value) {
    begin();
    data_.add(value);
    end_value();
  }
  void add_nothing() {
    begin();
    end_value();
  }
  /// Room for a value, of which `wrote` tells how much was used.
  [[nodiscard]] char* room(std::size_t bytes) {
    begin();
    return reinterpret_cast<char*>(data_.room(bytes));
  }
  void wrote(std::size_t bytes) {
    data_.wrote(bytes);
    end_value();
  }
  void cut(std::size_t size) noexcept {
    if (offsets_.size() == 0) return;
    offsets_.cut((size + 1) * sizeof(std::int32_t));
    data_.cut(end_of(size));
  }
  void require_text() const {
    const char* const text = reinterpret_cast<const char*>(data_.data());
    bool is_good = data_.size() == 0 || simdjson::validate_utf8(text, data_.size());
    // All together may be UTF-8 although each is not: none may begin within a character.
    const std::size_t count = offsets_.size() / sizeof(std::int32_t);
    for (std::size_t i = 0; is_good && i < count; ++i) {
      const std::size_t at = end_of(i);
      is_good = at == data_.size() || (static_cast<unsigned char>(text[at]) & 0xc0U) != 0x80U;
    }
    if (!is_good) throw bad_value{"a value of this batch is not UTF-8: cast the column to bytea"};
  }
  void move_to(array_parts& to) {
    begin();
    const std::size_t offsets = offsets_.size();
    const std::size_t data = data_.size();
    to.buffers.push_back(offsets_.take());
    to.buffers.push_back(data_.take());
    offsets_.reserve(offsets);  // the next batch will be about as large
    data_.reserve(data);
  }

 private:
  void begin() {
    if (offsets_.size() == 0) offsets_.add(std::int32_t{0});
  }
  void end_value() { offsets_.add(static_cast<std::int32_t>(data_.size())); }
  [[nodiscard]] std::size_t end_of(std::size_t index) const noexcept {
    std::int32_t end{};
    std::memcpy(&end, offsets_.data() + index * sizeof end, sizeof end);
    return static_cast<std::size_t>(end);
  }

  arrow_buffer offsets_;  // one more than there are values
  arrow_buffer data_;
};

class text_builder : public column_builder {
 public:
  text_builder(batch_bytes& counted, arrow_type::kind is) noexcept : column_builder{counted}, is_{is} {}

  void add(std::span<const std::byte> value) override {
    if (is_ == arrow_type::kind::versioned_text) {
      constexpr std::byte known_version{1};
      if (value.empty() || value.front() != known_version) throw bad_value{"its version of jsonb is not known"};
      value = value.subspan(1);
    }
    counted().add(value.size() + sizeof(std::int32_t));
    values_.add(value);
    valid().add_valid();
  }
  void add_null() override {
    counted().add(sizeof(std::int32_t));
    values_.add_nothing();
    valid().add_null();
  }
  void cut(std::size_t size) override {
    values_.cut(size);
    valid().cut(size);
  }
  ArrowArray finish() override {
    if (is_ != arrow_type::kind::binary) values_.require_text();
    array_parts parts;
    valid().move_to(parts);
    values_.move_to(parts);
    return export_array(std::move(parts));
  }

 protected:
  [[nodiscard]] text_values& values() noexcept { return values_; }

 private:
  arrow_type::kind is_;
  text_values values_;
};

class numeric_text_builder final : public text_builder {
 public:
  explicit numeric_text_builder(batch_bytes& counted) noexcept : text_builder{counted, arrow_type::kind::text} {}

  void add(std::span<const std::byte> value) override {
    const numeric_value number{value};
    const bool is_good = number.is_good() && (number.is_finite() || !number.name().empty());
    if (!is_good) throw bad_value{"its digits are malformed"};
    if (!number.is_finite()) return text_builder::add(std::as_bytes(std::span{number.name()}));
    counted().add(number.longest());
    char* const text = values().room(number.longest());
    const char* const end = number.write(text);
    values().wrote(static_cast<std::size_t>(end - text));
    counted().reset(counted().count() - number.longest() + static_cast<std::size_t>(end - text) + sizeof(std::int32_t));
    valid().add_valid();
  }
};

/// The labels that occur, and for each value the number of its label.
class label_builder final : public column_builder {
 public:
  using column_builder::column_builder;

  void add(std::span<const std::byte> value) override {
    const std::string label{reinterpret_cast<const char*>(value.data()), value.size()};
    counted().add(value.size() + 2 * sizeof(std::int32_t));
    auto found = numbers_.find(label);
    if (found == numbers_.end()) {
      labels_.add(value);
      found = numbers_.emplace(label, static_cast<std::int32_t>(numbers_.size())).first;
    }
    indices_.add(found->second);
    valid().add_valid();
  }
  void add_null() override {
    counted().add(sizeof(std::int32_t));
    indices_.add(std::int32_t{0});
    valid().add_null();
  }
  void cut(std::size_t size) override {  // labels that no value has any more do no harm
    indices_.cut(size * sizeof(std::int32_t));
    valid().cut(size);
  }
  ArrowArray finish() override {
    labels_.require_text();
    array_parts dictionary;
    dictionary.length = numbers_.size();
    dictionary.has_validity = false;
    labels_.move_to(dictionary);
    numbers_.clear();
    array_parts parts;
    valid().move_to(parts);
    parts.buffers.push_back(indices_.take());
    parts.dictionary = export_array(std::move(dictionary));
    return export_array(std::move(parts));
  }

 private:
  arrow_buffer indices_;
  text_values labels_;
  std::unordered_map<std::string, std::int32_t> numbers_;
};

}  // namespace

builder_ptr make_text_builder(const arrow_type& type, const arrow_options& /*how*/, batch_bytes& counted) {
  switch (type.is) {
    case arrow_type::kind::text:
    case arrow_type::kind::versioned_text:
    case arrow_type::kind::binary: return std::make_unique<text_builder>(counted, type.is);
    case arrow_type::kind::numeric_as_text: return std::make_unique<numeric_text_builder>(counted);
    case arrow_type::kind::label: return std::make_unique<label_builder>(counted);
    default: return nullptr;
  }
}

}  // namespace sluice::detail
