// Builds the SQL of a relation and what is requested of it.
#include <algorithm>
#include <limits>
#include <utility>

#include <sluice/stream/query.hpp>
#include <sluice/wire/error.hpp>

#include "query/bad_query.hpp"
#include "query/by_columns.hpp"
#include "query/client_part.hpp"
#include "query/place_list.hpp"
#include "query/quoting.hpp"
#include "query/safe_casts.hpp"
#include "query/sorted_relation.hpp"
#include "query/whole_table.hpp"

namespace sluice {

using detail::refuse;

namespace {

void check_count(const std::vector<bind_value>& parameters) {
  constexpr std::size_t most = 65'535;  // the protocol counts them in 16 bits
  if (parameters.size() > most)
    refuse("a query with " + std::to_string(parameters.size()) + " values, where the protocol carries " +
           std::to_string(most) + ": in({...}) takes any number of values as one");
}

/// Keys may be empty, names of columns may not.
std::string alias(std::string_view name) { return name.empty() ? std::string{} : " as " + quote_identifier(name); }

/// Fields by position in the result: a position holds either a field or nested positions.
class projected_object {
 public:
  void add(const std::vector<std::string>& from, const std::vector<std::string>& to) {
    projected_object* at = this;
    for (const std::string& key : to) {
      if (!at->from_.empty()) refuse("two fields of a projection want the same place");
      at = &at->inside(key);
    }
    if (!at->from_.empty() || !at->keys_.empty()) refuse("two fields of a projection want the same place");
    at->from_ = from;
  }

  struct leaf {
    std::vector<std::string> from;
    std::vector<std::string> to;
  };
  /// The fields, those of an inner object one after the other.
  [[nodiscard]] std::vector<leaf> leaves() const {
    std::vector<leaf> all;
    std::vector<std::string> place;
    add_leaves(all, place);
    return all;
  }

  /// The object, made by the server; where every key may be the name of a column, with the same text as one that the
  /// client makes.
  [[nodiscard]] std::string sql(const std::string& documents) const {
    if (!from_.empty()) return detail::json_of(documents, from_);
    constexpr std::size_t longest_name = 63;
    const bool are_names = std::ranges::all_of(
        keys_, [](const auto& key) { return !key.first.empty() && key.first.size() <= longest_name; });
    if (!are_names) return built(documents);
    std::string list;
    for (const auto& [name, field] : keys_)
      list.append(list.empty() ? "" : ", ").append(field.sql(documents)).append(alias(name));
    return "(select pg_catalog.row_to_json(q.*) from (select " + list + ") q)";
  }

 private:
  /// A function takes at most a hundred arguments.
  [[nodiscard]] std::string built(const std::string& documents) const {
    constexpr std::size_t most = 50;
    std::string text{"(pg_catalog.jsonb_build_object("};
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      if (i != 0) text += i % most == 0 ? ')' + detail::infix("||") + "pg_catalog.jsonb_build_object(" : ", ";
      text += detail::quote_literal(keys_[i].first) + ", " + keys_[i].second.sql(documents);
    }
    return text + "))";
  }

  void add_leaves(std::vector<leaf>& to, std::vector<std::string>& place) const {
    if (!from_.empty()) to.push_back({from_, place});
    for (const auto& [name, field] : keys_) {
      place.push_back(name);
      field.add_leaves(to, place);
      place.pop_back();
    }
  }

  projected_object& inside(const std::string& key) {
    const auto known = std::ranges::find(keys_, key, &std::pair<std::string, projected_object>::first);
    if (known != keys_.end()) return known->second;
    return keys_.emplace_back(key, projected_object{}).second;
  }

  std::vector<std::string> from_;
  std::vector<std::pair<std::string, projected_object>> keys_;  // in the order in which they were requested
};

}  // namespace

sort_key::sort_key(operand by) : by_{std::move(by)} {}
sort_key sort_key::descending() && {
  descending_ = true;
  return std::move(*this);
}
sort_key sort_key::nulls_first() && {
  nulls_ = nulls::first;
  return std::move(*this);
}
sort_key sort_key::nulls_last() && {
  nulls_ = nulls::last;
  return std::move(*this);
}
sort_key sort_key::collate(std::string name) && {
  collation_ = std::move(name);
  return std::move(*this);
}

projection::projection(std::string_view path) : from_{detail::split_path(path)}, to_{from_} {}
projection::projection(std::vector<std::string> parts) : from_{std::move(parts)}, to_{from_} {
  if (from_.empty()) refuse("a projection of the whole document: leave select out");
  for (const std::string& part : from_) detail::check_text(part, "part of a path");
}
projection projection::as(std::string_view path) && {
  to_ = detail::split_path(path);
  return std::move(*this);
}

relation::relation(std::string_view name) : name_{detail::split_path(name, "relation name")} {
  for (const std::string& part : name_) detail::check_name(part, "part of a relation name");
}

relation& relation::column(std::string name) & {
  column_ = std::move(name);
  is_default_column_ = false;
  return *this;
}
relation& relation::where(const predicate& condition) & {
  conditions_.push_back(condition);
  return *this;
}
relation& relation::select(std::vector<projection> fields) & {
  fields_.insert(fields_.end(), std::make_move_iterator(fields.begin()), std::make_move_iterator(fields.end()));
  return *this;
}
relation& relation::order_by(sort_key key) & {
  order_.push_back(std::move(key));
  return *this;
}
relation& relation::after(std::vector<bind_value> values) & {
  after_ = std::move(values);
  return *this;
}
relation& relation::limit(std::uint64_t rows) & {
  limit_ = rows;
  return *this;
}
relation& relation::offset(std::uint64_t rows) & {
  offset_ = rows;
  return *this;
}

std::string relation::key_sql(const sort_key& key) const {
  std::string sql = detail::sortable(key.by_.what(), documents());
  if (!key.collation_.empty()) sql += " collate " + quote_identifier(key.collation_);
  return sql;
}

/// Each alternative: the preceding keys are equal, and this one comes later.
std::string relation::after_sql(std::vector<bind_value>& parameters) const {
  if (after_->size() != order_.size() || order_.empty())
    refuse("after() needs as many values as there are order_by keys, and at least one");
  std::string alternatives;
  std::string equal_so_far;
  for (std::size_t i = 0; i < order_.size(); ++i) {
    const sort_key& key = order_[i];
    const bind_value& value = (*after_)[i];
    const std::string sql = key_sql(key);
    const bool nulls_last =
        key.nulls_ == sort_key::nulls::standard ? !key.descending_ : key.nulls_ == sort_key::nulls::last;
    std::string later;
    std::string equal;
    if (value.text()) {
      parameters.push_back(value);
      const std::string bound =
          '$' + std::to_string(parameters.size()) + detail::sortable_cast(key.by_.what(), value, documents());
      later = '(' + sql;
      later += detail::sortable_infix(key.by_.what(), key.descending_ ? "<" : ">");
      later += bound;
      if (nulls_last) later.append(" or ").append(sql).append(" is null");
      later += ')';
      equal.append(sql).append(detail::sortable_infix(key.by_.what(), "=")).append(bound);
    } else {
      later = nulls_last ? "false" : sql + " is not null";
      equal = sql + " is null";
    }
    if (i != 0) alternatives += " or ";
    alternatives.append(1, '(').append(equal_so_far).append(later).append(1, ')');
    equal_so_far.append(equal).append(" and ");
  }
  return '(' + alternatives + ')';
}

std::string relation::qualified_name() const {
  std::string text;
  for (const std::string& part : name_) text.append(text.empty() ? "" : ".").append(quote_identifier(part));
  return text;
}

relation& relation::of_columns() & {
  column_.clear();
  is_default_column_ = false;
  return *this;
}

relation& relation::formats(format_choice in_text) & {
  choice_ = std::make_shared<const format_choice>(std::move(in_text));
  return *this;
}

std::string relation::documents() const { return column_.empty() ? std::string{} : quote_identifier(column_); }

std::string relation::document_sql() const {
  if (fields_.empty()) return documents();
  projected_object object;
  for (const projection& each : fields_) object.add(each.from_, each.to_);
  return object.sql(documents());
}

/// The object of a row's columns, made by the server.
std::string relation::object_sql() const {
  return fields_.empty() ? "pg_catalog.row_to_json(" + quote_identifier(name_.back()) + ".*)" : document_sql();
}

std::optional<query> detail::by_columns(const relation& of, query::shape like,
                                        const std::shared_ptr<const format_choice>& choice) try {
  relation columns{of};
  columns.of_columns();
  if (choice != nullptr) columns.formats(*choice);
  if (like == query::shape::text_columns) return columns.as_text_columns();
  return like == query::shape::columns ? columns.build().as_columns() : columns.build();
} catch (const error& failure) {
  if (failure.code() != errc::bad_query) throw;
  return std::nullopt;
}

/// The fields as columns: extracting them costs the server half of what it takes to put them together.
query relation::build_selected() const {
  projected_object object;
  for (const projection& each : fields_) object.add(each.from_, each.to_);
  std::string list;
  detail::place_list places{.of_columns = {}, .are_json = !column_.empty()};
  for (projected_object::leaf& each : object.leaves()) {
    list.append(list.empty() ? "" : ", ").append(detail::json_of(documents(), each.from));
    if (each.to.size() == 1) list += alias(each.to.front());
    places.of_columns.push_back(std::move(each.to));
  }
  query made = build(list, query::shape::object);
  made.places_ = std::make_shared<const detail::place_list>(std::move(places));
  return made;
}

query relation::as_text_columns() const {
  return (fields_.empty() ? build_documents() : build_listed(true)).as_text_columns();
}

/// The fields as columns that are named by their paths.
query relation::build_listed(bool as_texts) const {
  std::string list;
  for (const projection& each : fields_) {
    std::string name;
    for (const std::string& part : each.to_) name += (name.empty() ? "" : ".") + part;
    list.append(list.empty() ? "" : ", ")
        .append(as_texts ? detail::text_of(documents(), each.from_) : detail::json_of(documents(), each.from_))
        .append(alias(name));
  }
  query made = build(list, query::shape::document);
  if (is_default_column_) made.undeclared_ = std::make_shared<const relation>(*this);
  return made;
}

query relation::build() const {
  if (choice_ == nullptr) return build_documents();
  return (fields_.empty() ? build_documents() : build_listed(false)).as_columns(*choice_);
}

query relation::build_documents() const {
  constexpr std::size_t most_columns = 1'600;  // of a select list
  const bool is_selected = !fields_.empty() && fields_.size() <= most_columns;
  if (column_.empty() && fields_.empty()) return build("*", query::shape::object);
  if (column_.empty() && !is_selected) refuse("a projection of more than 1,600 columns");
  query all = is_selected ? build_selected() : build(document_sql(), query::shape::document);
  const bool is_whole = conditions_.empty() && fields_.empty() && order_.empty() && !after_ && !is_limited();
  if (is_default_column_) all.undeclared_ = std::make_shared<const relation>(*this);
  if (is_whole) all.whole_ = std::make_shared<detail::whole_table>(detail::whole_table{qualified_name(), column_});
  return all;
}

query relation::build(std::string_view what, query::shape rows) const {
  const std::string documents = this->documents();
  constexpr std::size_t usual_text = 256;
  std::string text;
  text.reserve(usual_text);
  text.append("select ").append(what).append(" from ");
  const std::size_t name_begins = text.size();
  text.append(qualified_name());
  const std::size_t name_ends = text.size();

  std::vector<bind_value> parameters;
  std::shared_ptr<detail::client_part> left;
  std::string conditions;
  if (!conditions_.empty()) {
    detail::node whole{.what = detail::node::kind::all};
    for (const predicate& each : conditions_) whole.children.push_back(each.made());
    const detail::plan parts = detail::split(detail::flattened(std::make_shared<const detail::node>(std::move(whole))));
    if (parts.server) conditions = detail::to_sql(*parts.server, documents, parameters);
    if (parts.client) left = std::make_shared<detail::client_part>(detail::client_part{.filter = parts.client});
  }
  if (after_) conditions += (conditions.empty() ? "" : " and ") + after_sql(parameters);
  if (!conditions.empty()) text.append(" where ").append(conditions);

  for (std::size_t i = 0; i < order_.size(); ++i) {
    const sort_key& key = order_[i];
    text += (i == 0 ? " order by " : ", ") + key_sql(key);
    if (key.descending_) text += " desc";
    if (key.nulls_ == sort_key::nulls::first) text += " nulls first";
    if (key.nulls_ == sort_key::nulls::last) text += " nulls last";
  }
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (limit_.value_or(0) > most || offset_.value_or(0) > most) refuse("LIMIT and OFFSET are at most 2^63-1");
  if (left != nullptr) {  // the client still has rows to filter out
    if (!fields_.empty()) refuse("a projection leaves nothing to evaluate a condition of the client's on");
    left->limit = limit_;
    if (limit_ == std::uint64_t{0}) text += " limit 0";
    left->offset = offset_.value_or(0);
  }
  const auto bound = [&](std::string_view clause, const std::optional<std::uint64_t>& count) {
    if (!count) return;
    parameters.emplace_back(static_cast<std::int64_t>(*count));
    text += std::string{clause} + '$' + std::to_string(parameters.size()) + "::pg_catalog.int8";
  };
  if (left == nullptr) {
    bound(" limit ", limit_);
    bound(" offset ", offset_);
  }
  check_count(parameters);
  query made{std::move(text), std::move(parameters), rows, std::move(left)};
  made.only_reads_ = true;
  made.name_begins_ = name_begins;
  made.name_ends_ = name_ends;
  return made;
}

std::vector<detail::sorted_relation::key> detail::sorted_relation::keys(const relation& of) {
  std::vector<key> all;
  for (const sort_key& each : of.order_)
    all.push_back(
        {of.key_sql(each), each.descending_,
         each.nulls_ == sort_key::nulls::standard ? each.descending_ : each.nulls_ == sort_key::nulls::first});
  return all;
}

query detail::sorted_relation::build(const relation& of) {
  std::string columns = document(of) + "::pg_catalog.text";
  for (const key& each : keys(of)) columns += ", " + each.sql;
  return of.build(columns, query::shape::columns);
}

}  // namespace sluice
