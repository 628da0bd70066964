#include <sluice/stream/publication.hpp>

#include <utility>

#include <sluice/stream/query.hpp>
#include <sluice/wire/error.hpp>

#include "changes/change_condition.hpp"
#include "query/bad_query.hpp"
#include "query/predicate_node.hpp"
#include "query/quoting.hpp"
#include "query/sql_parameters.hpp"

namespace sluice {

namespace {

using detail::node;
using detail::node_ptr;
using detail::refuse;
using detail::subject;
using detail::test_kind;
using detail::value_kind;

constexpr std::uint32_t has_row_filters = 150000;

/// Whether the SQL of a test on a column is something that a row filter may have: no subquery, no conversion by way of
/// text, nothing that depends on settings, nothing of an extension.
bool fits_of_column(const node& test) {
  switch (test.how) {
    case test_kind::ancestor_of:
    case test_kind::descendant_of:
    case test_kind::lquery:
    case test_kind::ltxtquery:
    case test_kind::any_lquery:
    case test_kind::lca_of: return false;
    default: return true;
  }
}

/// The same of a field in a column of jsonb. Comparing with a number is `to_jsonb` of it, which is not immutable; where
/// the value may be one of a list, it is a constant.
bool fits_of_field(const node& test) {
  switch (test.how) {
    case test_kind::equal:
    case test_kind::different:
    case test_kind::in:
    case test_kind::not_in: {
      const value_kind kind = detail::kind_of(test.values.front());
      return kind == value_kind::text || kind == value_kind::number || kind == value_kind::boolean ||
             kind == value_kind::json;
    }
    case test_kind::less:
    case test_kind::at_most:
    case test_kind::greater:
    case test_kind::at_least: return detail::kind_of(test.values.front()) == value_kind::text;
    case test_kind::like:
    case test_kind::ilike:
    case test_kind::regex:
    case test_kind::null:
    case test_kind::not_null:
    case test_kind::exists:
    case test_kind::contains_json:
    case test_kind::contained_in_json:
    case test_kind::has_key:
    case test_kind::has_any_key:
    case test_kind::has_all_keys:
    case test_kind::jsonpath_exists:
    case test_kind::jsonpath_matches: return true;
    default: return false;
  }
}

bool fits(const node& test) {
  const subject& of = *test.about;
  if (of.path.empty() || of.measured != subject::measure::none || of.as != subject::reading::by_value ||
      !of.type.empty())
    return false;
  const bool is_column = of.from == subject::source::column || of.path.size() == 1;
  if (is_column && of.from != subject::source::column && test.how == test_kind::exists) return false;  // null as well
  return is_column ? fits_of_column(test) : fits_of_field(test);
}

/// Equality with a number or a boolean as one of a list.
node_ptr listed(const node_ptr& test) {
  const bool is_equality = test->how == test_kind::equal || test->how == test_kind::different;
  if (!is_equality || test->about->path.size() == 1 || test->about->from == subject::source::column) return test;
  const value_kind kind = detail::kind_of(test->values.front());
  if (kind != value_kind::number && kind != value_kind::boolean) return test;
  node same = *test;
  same.how = test->how == test_kind::equal ? test_kind::in : test_kind::not_in;
  return std::make_shared<const node>(std::move(same));
}

/// The same condition, with all that a row filter may not have moved to the client.
node_ptr placed(const node_ptr& from, bool has_filters) {
  node copy = *from;
  switch (copy.what) {
    case node::kind::sql:
      if (!has_filters) refuse("a predicate in SQL, and the server has no row filters before Postgres 15");
      return from;
    case node::kind::local: return from;
    case node::kind::test:
      if (copy.on_client) return from;
      if (has_filters && fits(copy)) return listed(from);
      if (!detail::runs_on_client(copy))
        refuse("neither a publication's row filter nor the client can evaluate: " + detail::describe(copy));
      copy.on_client = true;
      break;
    case node::kind::all:
    case node::kind::any:
    case node::kind::negation:
      for (node_ptr& child : copy.children) child = placed(child, has_filters);
      break;
  }
  return std::make_shared<const node>(std::move(copy));
}

std::string literal_of(const bind_value& value) {
  if (!value.text()) return "null";
  if (!value.is_binary()) {
    detail::check_text(*value.text(), "value");
    return detail::quote_literal(*value.text());
  }
  constexpr std::string_view digits{"0123456789abcdef"};
  std::string text{"\\x"};
  for (const char each : *value.text()) {
    const auto byte = static_cast<unsigned char>(each);
    text.append(1, digits[byte >> 4U]).append(1, digits[byte & 0xfU]);
  }
  return detail::quote_literal(text);
}

std::string filter_of(const node& what) {
  std::vector<bind_value> values;
  const std::string sql = detail::to_sql(what, {}, values);
  return detail::with_parameters(sql, values.size(), detail::backslashes::ordinary,
                                 [&](std::size_t number) { return literal_of(values[number - 1]); });
}

class rendering {
 public:
  rendering(std::string_view name, const publication_options& how) : how_{how} {
    made_.sql = "create publication " + quote_identifier(name) + " for table ";
  }

  void add(const publication_table& table) {
    const std::vector<std::string> parts = detail::split_path(table.name, "relation name");
    if (parts.size() > 2) refuse("a table's name has a schema and a name: \"" + table.name + '"');
    made_.sql.append(std::exchange(is_first_, false) ? "" : ", ").append(relation{table.name}.qualified_name());
    add_columns(table);
    if (table.where) add_condition(*table.where, parts.size() == 1 ? parts[0] : parts[0] + '.' + parts[1]);
  }

  publication_plan end() {
    std::string with;
    if (how_.inserts_only) with = "publish = 'insert'";
    if (how_.via_partition_root) with.append(with.empty() ? "" : ", ").append("publish_via_partition_root = true");
    if (!with.empty()) made_.sql.append(" with (").append(with).append(1, ')');
    if (made_.explained.empty()) made_.explained = "no conditions\n";
    return std::move(made_);
  }

 private:
  [[nodiscard]] bool has_filters() const noexcept { return how_.server_version >= has_row_filters; }

  void add_columns(const publication_table& table) {
    if (table.columns.empty()) return;
    if (!has_filters()) refuse("a column list, and the server has none before Postgres 15");
    std::string list;
    for (const std::string& each : table.columns) list.append(list.empty() ? "" : ", ").append(quote_identifier(each));
    made_.sql.append(" (").append(list).append(1, ')');
  }

  void add_condition(const predicate& condition, const std::string& name) {
    const detail::plan parts = detail::split(detail::flattened(placed(condition.made(), has_filters())));
    made_.explained += name + ":\n";
    if (parts.server != nullptr) {
      made_.sql += " where (" + filter_of(*parts.server) + ')';
      made_.explained += "  in the publication: " + detail::describe(*parts.server) + '\n';
    }
    if (parts.client == nullptr) {
      made_.explained += "  on the client: nothing\n";
      return;
    }
    made_.explained += "  on the client: " + detail::describe(*parts.client) +
                       (has_filters() ? "\n    because it is local, was moved there, is nothing that a row filter may"
                                        " have, or stands in one OR or NOT with such a condition\n"
                                      : "\n    because the server has no row filters\n");
    made_.left.insert_or_assign(name, predicate{detail::condition_on_client(predicate{parts.client})});
  }

  const publication_options& how_;
  publication_plan made_;
  bool is_first_{true};
};

}  // namespace

publication_plan publication_sql(std::string_view name, const std::vector<publication_table>& tables,
                                 const publication_options& how) {
  if (tables.empty()) refuse("a publication of no table");
  rendering made{name, how};
  for (const publication_table& each : tables) made.add(each);
  return made.end();
}

}  // namespace sluice
