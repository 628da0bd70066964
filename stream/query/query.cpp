#include <sluice/stream/query.hpp>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

#include <sluice/wire/error.hpp>

#include "query/by_columns.hpp"
#include "query/client_part.hpp"
#include "query/quoting.hpp"
#include "query/sql_effect.hpp"

namespace sluice {

namespace {

/// "$1: numeric" for each parameter, according to the cast that follows it.
std::string parameter_types(std::string_view sql, std::size_t count) {
  std::vector<std::string_view> types(count, "as the server infers");
  for (std::size_t at = sql.find('$'); at != sql.npos; at = sql.find('$', at + 1)) {
    std::size_t number = 0;
    const auto [end, failed] = std::from_chars(sql.data() + at + 1, sql.data() + sql.size(), number);
    std::string_view rest = sql.substr(static_cast<std::size_t>(end - sql.data()));
    if (failed != std::errc{} || number == 0 || number > count || !rest.starts_with("::")) continue;
    rest.remove_prefix(2);
    constexpr std::string_view schema{"pg_catalog."};
    if (rest.starts_with(schema)) rest.remove_prefix(schema.size());
    types[number - 1] = rest.substr(0, rest.find_first_of(" ,)\n"));
  }
  std::string lines;
  for (std::size_t i = 0; i < count; ++i)
    lines.append("  $").append(std::to_string(i + 1)).append(": ").append(types[i]).append(1, '\n');
  return lines;
}

/// The size of the quoted identifier at the beginning of `text`, with its quotes.
std::size_t quoted_size(std::string_view text) {
  std::size_t end = text.find('"', 1);
  while (text.substr(end + 1).starts_with('"')) end = text.find('"', end + 2);
  return end + 1;
}

}  // namespace

query query::as_document() && {
  if (places_ == nullptr) shape_ = shape::document;  // otherwise each row gives one already
  return std::move(*this);
}

query query::as_object() && {
  shape_ = shape::object;
  whole_ = nullptr;
  return std::move(*this);
}

query query::of_columns(shape rows) && {
  if (left_ != nullptr)
    throw error{errc::bad_query, "a part of this query is left to the client, which reads documents: not as columns"};
  query same{std::move(text_), std::move(parameters_), rows};
  same.only_reads_ = only_reads_;
  same.name_begins_ = name_begins_;
  same.name_ends_ = name_ends_;
  same.undeclared_ = std::move(undeclared_);
  return same;
}
query query::as_columns() && { return std::move(*this).of_columns(shape::columns); }
query query::as_columns(format_choice in_text) && {
  if (in_text == nullptr) throw error{errc::bad_query, "as_columns needs a function that chooses the formats"};
  query made = std::move(*this).of_columns(shape::chosen_columns);
  made.choice_ = std::make_shared<const format_choice>(std::move(in_text));
  return made;
}
query query::check_columns(columns_check look) && {
  if (look == nullptr || choice_ == nullptr)
    throw error{errc::bad_query, "check_columns needs a function, and a query whose columns come in chosen formats"};
  check_ = std::make_shared<const columns_check>(std::move(look));
  return std::move(*this);
}
query query::as_text_columns() && { return std::move(*this).of_columns(shape::text_columns); }

std::string query::relation_name() const {
  if (name_ends_ > text_.size()) return {};  // moved from
  std::string name;
  for (std::string_view rest = std::string_view{text_}.substr(name_begins_, name_ends_ - name_begins_);
       !rest.empty();) {
    const std::string_view quoted = rest.substr(0, quoted_size(rest));
    const std::string_view bare = quoted.substr(1, quoted.size() - 2);
    name += detail::is_plain_identifier(bare) ? bare : quoted;
    rest.remove_prefix(quoted.size());
    if (rest.empty()) break;
    name += '.';
    rest.remove_prefix(1);
  }
  return name;
}

query::effect query::effects() const noexcept { return only_reads_ ? effect::none : detail::effect_of(text_); }

std::string query::explain() const {
  std::string text = "SQL:\n  " + text_ + '\n';
  if (!parameters_.empty()) text += "parameters:\n" + parameter_types(text_, parameters_.size());
  if (undeclared_ != nullptr)
    if (const std::optional<query> instead = detail::by_columns(*undeclared_, *this))
      text += "or, if there is no such column, of the columns:\n  " + instead->text_ + '\n';
  if (shape_ == shape::object || shape_ == shape::detect) text += "documents: made on the client, of the columns\n";
  if (left_ == nullptr) return text + "on the client: nothing\n";
  text += "on the client: " + detail::describe(*left_->filter) + '\n';
  text += "  because it is local, was moved there, or stands in one OR or NOT with such a condition\n";
  if (left_->offset != 0) text += "  offset " + std::to_string(left_->offset) + " of the rows that match\n";
  if (left_->limit) text += "  limit " + std::to_string(*left_->limit) + ": the server is stopped then\n";
  return text;
}

}  // namespace sluice
