#include "arrow/batch_builder.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <sluice/proto/field_view.hpp>
#include <sluice/wire/error.hpp>

namespace sluice::detail {

namespace {
constexpr std::size_t most_bytes = std::size_t{1} << 30U;
}

void check_options(const arrow_options& how) {
  constexpr std::uint8_t most_digits = 38;
  const auto require = [](bool is_good, const char* what) {
    if (!is_good) throw error{errc::bad_query, std::string{"arrow_options: "} + what};
  };
  require(how.max_rows != 0, "a batch has at least one row");
  require(how.max_bytes != 0 && how.max_bytes <= most_bytes, "a batch has between a byte and 1 GiB");
  require(how.precision >= 1 && how.precision <= most_digits, "a decimal has 1 to 38 digits");
  require(how.scale <= how.precision, "a decimal's scale is at most its precision");
  require(how.not_a_number != arrow_options::special::saturate, "a decimal has no value for NaN: an error, or NULL");
}

batch_builder::batch_builder(std::span<const result_column> columns, const arrow_options& how)
    : most_rows_{how.max_rows}, most_bytes_{how.max_bytes} {
  type_.is = arrow_type::kind::structure;
  type_.format = "+s";
  for (const result_column& each : columns) {
    type_.children.push_back(arrow_type_of(each, how));
    columns_.push_back(make_builder(type_.children.back(), how, counted_));
  }
}

bool batch_builder::add(const row& each) {
  const std::size_t before = counted_.count();
  const std::byte* at = each.body() + sizeof(std::uint16_t);
  std::size_t column = 0;
  const auto undo = [&] {
    for (const builder_ptr& any : columns_) any->cut(rows_);
    counted_.reset(before);
  };
  try {
    for (; column < columns_.size(); ++column) {
      const proto::field_view field{at};
      at = field.end();
      if (field.is_null())
        columns_[column]->add_null();
      else
        columns_[column]->add({field.bytes(), field.size()});
    }
  } catch (const bad_value& why) {
    undo();
    fail(errc::bad_column, column, why.what, before_ + rows_);
  } catch (const batch_overflow&) {
    undo();
    if (rows_ != 0) return false;
    fail(errc::row_too_large, column, "a row takes more than 2 GiB as Arrow", before_ + rows_);
  } catch (...) {
    undo();
    throw;
  }
  ++rows_;
  return true;
}

arrow_batch batch_builder::finish() {
  array_parts parts;
  parts.length = rows_;
  parts.has_validity = false;
  parts.children.reserve(columns_.size());
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    try {
      parts.children.push_back(columns_[i]->finish());
    } catch (const bad_value& why) {
      fail(errc::bad_column, i, why.what, before_);
    }
  }
  before_ += std::exchange(rows_, 0);
  counted_.reset();
  return arrow_batch{export_array(std::move(parts))};
}

void batch_builder::fail(errc code, std::size_t column, const std::string& what, std::uint64_t row_number) const {
  const std::string place = "column " + std::to_string(column) + " (" + type_.children[column].name + "), row " +
                            std::to_string(row_number + 1) + ": ";
  throw error{
      error_info{.code = code, .message = place + what, .server = {}, .rows = row_number, .connection_usable = true}};
}

}  // namespace sluice::detail
