#include <sluice/stream/query.hpp>

#include <utility>

#include <sluice/wire/error.hpp>

#include "client_part.hpp"
#include "sql_effect.hpp"

namespace sluice {

namespace {

/// "$1: numeric" for each parameter, as the cast behind it says.
std::string parameter_types(const std::string& sql, std::size_t count) {
  std::string lines;
  for (std::size_t i = 1; i <= count; ++i) {
    const std::string name = '$' + std::to_string(i);
    std::string type = "as the server infers";
    const std::size_t at = sql.find(name + "::");
    if (at != sql.npos) {
      const std::size_t begin = at + name.size() + 2;
      type = sql.substr(begin, sql.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_[]", begin) - begin);
    }
    lines.append("  ").append(name).append(": ").append(type).append(1, '\n');
  }
  return lines;
}

}  // namespace

query query::as_columns() && {
  if (left_ != nullptr)
    throw error{errc::bad_query, "a part of this query is left to the client, which reads documents: not as columns"};
  query same{std::move(text_), std::move(parameters_), shape::columns};
  same.only_reads_ = only_reads_;
  return same;
}

query::effect query::effects() const noexcept { return only_reads_ ? effect::none : detail::effect_of(text_); }

std::string query::explain() const {
  std::string text = "SQL:\n  " + text_ + '\n';
  if (!parameters_.empty()) text += "parameters:\n" + parameter_types(text_, parameters_.size());
  if (left_ == nullptr) return text + "on the client: nothing\n";
  text += "on the client: " + detail::describe(*left_->filter) + '\n';
  text += "  because it is local, was moved there, or stands in one OR or NOT with such a condition\n";
  if (left_->offset != 0) text += "  offset " + std::to_string(left_->offset) + " of the rows that match\n";
  if (left_->limit) text += "  limit " + std::to_string(*left_->limit) + ": the server is stopped then\n";
  return text;
}

}  // namespace sluice
