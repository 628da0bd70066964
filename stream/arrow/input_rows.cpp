#include "arrow/input_rows.hpp"

#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include "arrow/bad_input.hpp"

namespace sluice::arrow_input {

namespace {

template <class Struct>
void let_go(Struct& of) noexcept {
  if (of.release != nullptr) of.release(&of);
}

void write_value(binary_place& to, std::nullopt_t) { to.write(std::nullopt); }
void write_value(binary_place& to, const decimal_text& value) { to.write(std::string_view{value.digits}); }
void write_value(binary_place& to, json_text value) { to.write(value.text); }
template <class T>
void write_value(binary_place& to, const T& value) {
  to.write(value);
}

}  // namespace

/// As `to_binary` of a range does, for elements whose type only the array knows.
static void to_binary(binary_place& to, const input_list& value) {
  std::optional<binary_place> each = to.elements();
  if (!each) to.fail("a list");
  const auto size = static_cast<std::size_t>(value.end - value.begin);
  bool has_nulls = false;
  for (std::int64_t i = value.begin; i < value.end; ++i)
    value.of->with(i, [&]<class T>(const T&) { has_nulls = has_nulls || std::is_same_v<T, std::nullopt_t>; });
  to.append(std::uint32_t{size == 0 ? 0U : 1U});  // dimensions
  to.append(std::uint32_t{has_nulls ? 1U : 0U});
  to.append(each->type());
  if (size == 0) return;
  if (!std::in_range<std::int32_t>(size)) to.fail_value("the list is too long");
  to.append(static_cast<std::uint32_t>(size));
  to.append(std::uint32_t{1});  // the index of the first
  for (std::int64_t i = value.begin; i < value.end; ++i)
    value.of->with(i, [&]<class T>(const T& element) {
      if constexpr (!std::is_same_v<T, input_list>) write_value(*each, element);
    });
}

input_rows::input_rows(ArrowArrayStream& from) noexcept : stream_{std::exchange(from, ArrowArrayStream{})} {}
input_rows::input_rows(ArrowArray& values, ArrowSchema& schema) noexcept
    : schema_{std::exchange(schema, ArrowSchema{})}, array_{std::exchange(values, ArrowArray{})} {}
input_rows::~input_rows() {
  let_go(array_);
  let_go(schema_);
  let_go(stream_);
}

void input_rows::check(int number) {
  if (number == 0) return;
  const char* const why = stream_.get_last_error == nullptr ? nullptr : stream_.get_last_error(&stream_);
  throw std::system_error{
      number, std::generic_category(),
      std::string{"the stream of batches failed: "} + (why == nullptr ? "it does not say why" : why)};
}

const input_batch& input_rows::batch() {
  if (batch_) return *batch_;
  if (stream_.release != nullptr) check(stream_.get_schema(&stream_, &schema_));
  if (schema_.release == nullptr)
    throw bad_input{bad_input::part::array, "the schema of the batches has been released"};
  return batch_.emplace(schema_);
}

bool input_rows::next_batch() {
  (void)batch();
  if (stream_.release != nullptr) {
    let_go(array_);
    array_ = {};
    check(stream_.get_next(&stream_, &array_));
  } else if (std::exchange(is_read_, true)) {
    return false;  // there is only one
  }
  if (array_.release == nullptr) return false;
  batch_->read(array_);
  row_ = -1;
  is_read_ = true;
  return true;
}

bool input_rows::advance() {
  while (!is_read_ || row_ + 1 >= batch_->rows())
    if (!next_batch()) return false;
  ++row_;
  return true;
}

void input_rows::write(binary_place& to, std::size_t column) const {
  batch_->with(column, row_, [&](const auto& value) { write_value(to, value); });
}

}  // namespace sluice::arrow_input
