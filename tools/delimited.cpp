#include "delimited.hpp"

#include <algorithm>
#include <utility>

#include <sluice/stream/columns.hpp>

#include "values.hpp"

namespace sluice::tool {

namespace {

constexpr std::string_view end_of_copy{"\\."};  // alone on a line, some readers of CSV take it for the end
constexpr std::string_view copys_null{"\\N"};

/// The letter for a character that COPY's text format escapes; 0 for others.
char escape_of(char c) noexcept {
  switch (c) {
    case '\b': return 'b';
    case '\f': return 'f';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    case '\v': return 'v';
    case '\\': return '\\';
    default: return '\0';
  }
}

bool is_special(char c) noexcept { return c == ',' || c == '"' || c == '\n' || c == '\r'; }

}  // namespace

std::string_view default_null(delimited format) noexcept {
  return format == delimited::csv ? std::string_view{} : copys_null;
}

void check_null(delimited format, std::string_view text) {
  const bool is_safe = format == delimited::csv ? std::ranges::none_of(text, is_special)
                                                : text.find_first_of("\t\n\r") == std::string_view::npos;
  if (!is_safe)
    throw usage_error{"--null is written without quotes: it cannot contain a delimiter, quote or line break"};
}

delimited_writer::delimited_writer(delimited format, std::string null) : format_{format}, null_{std::move(null)} {}

void delimited_writer::add(const row& columns) {
  begin();
  if (!has_header_) add_header(columns.columns());
  for (const binary_field& field : columns.fields()) {
    if (field.index != 0) text_ += format_ == delimited::csv ? ',' : '\t';
    if (field.is_null)
      text_ += null_;
    else
      add_field({reinterpret_cast<const char*>(field.bytes.data()), field.bytes.size()});
  }
  text_ += '\n';
}

void delimited_writer::finish(std::span<const result_column> columns) {
  begin();
  if (!has_header_ && !columns.empty()) add_header(columns);
}

asio::const_buffer delimited_writer::text() {
  begin();
  taken_ = true;
  return asio::buffer(text_);
}

/// What was handed out before has been written.
void delimited_writer::begin() {
  if (std::exchange(taken_, false)) text_.clear();
}

void delimited_writer::add_header(std::span<const result_column> columns) {
  has_header_ = true;
  for (const result_column& each : columns) {
    if (&each != columns.data()) text_ += format_ == delimited::csv ? ',' : '\t';
    add_field(each.name);
  }
  text_ += '\n';
}

void delimited_writer::add_field(std::string_view value) {
  format_ == delimited::csv ? add_quoted(value) : add_escaped(value);
}

void delimited_writer::add_quoted(std::string_view value) {
  if (value != null_ && value != end_of_copy && std::ranges::none_of(value, is_special)) {
    text_ += value;
    return;
  }
  text_ += '"';
  for (const char c : value) text_.append(c == '"' ? 2 : 1, c);
  text_ += '"';
}

void delimited_writer::add_escaped(std::string_view value) {
  while (!value.empty()) {
    const auto size = static_cast<std::size_t>(
        std::ranges::find_if(value, [](char c) { return escape_of(c) != '\0'; }) - value.begin());
    text_.append(value, 0, size);
    if (size == value.size()) return;
    text_.append(1, '\\').append(1, escape_of(value[size]));
    value.remove_prefix(size + 1);
  }
}

}  // namespace sluice::tool
