// Conditions as SQL. Each test is written so that a field of another shape gives NULL or false, never an error: casts
// are guarded by a CASE that checks the text first.
#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

#include <sluice/proto/oid.hpp>
#include <sluice/stream/query.hpp>
#include <sluice/wire/error.hpp>

#include "query/bad_query.hpp"
#include "query/predicate_node.hpp"
#include "query/quoting.hpp"
#include "query/safe_casts.hpp"

namespace sluice::detail {

namespace {

using kind = node::kind;
using reading = subject::reading;
using measure = subject::measure;

std::string_view sql_type(const bind_value& value) noexcept {
  switch (value.type()) {
    case proto::oid::boolean: return "::pg_catalog.bool";
    case proto::oid::int4:
    case proto::oid::int8: return "::pg_catalog.int8";  // an index serves a comparison of any numeric column with this
    case proto::oid::float8: return "::pg_catalog.float8";
    case proto::oid::numeric: return "::pg_catalog.numeric";
    case proto::oid::timestamptz: return "::pg_catalog.timestamptz";
    case proto::oid::timestamp: return "::pg_catalog.timestamp";
    case proto::oid::uuid: return "::pg_catalog.uuid";
    case proto::oid::jsonb: return "::pg_catalog.jsonb";
    case proto::oid::bytea: return "::pg_catalog.bytea";
    default: return "";  // text adopts the type of the other operand; so does a date: as a timestamp it is in UTC
  }
}

/// Of several values; numbers of different types are all numeric.
std::string_view sql_type(const std::vector<bind_value>& values) noexcept {
  const std::string_view first = sql_type(values.front());
  const bool is_one = std::ranges::all_of(values, [&](const bind_value& each) { return sql_type(each) == first; });
  return is_one || kind_of(values.front()) != value_kind::number ? first : "::pg_catalog.numeric";
}

std::string_view comparison(test_kind how) noexcept {
  switch (how) {
    case test_kind::different: return "<>";
    case test_kind::less: return "<";
    case test_kind::at_most: return "<=";
    case test_kind::greater: return ">";
    case test_kind::at_least: return ">=";
    default: return "=";
  }
}

/// The schema of an extension's operators, functions and types. Its operators get operands of exactly its types, so
/// resolution is unambiguous whatever else that schema contains.
std::string schema_of(const subject& of) { return quote_identifier(of.type.empty() ? "public" : of.type.front()); }

/// A cast to an extension's type: the stated one, or one of those the extension is known for.
std::string cast_to(const subject& of, std::string_view type) { return "::" + schema_of(of) + '.' + std::string{type}; }
std::string stated_cast(const subject& of) { return cast_to(of, quote_identifier(of.type.back())); }
bool is_typed_column(const subject& of) noexcept { return of.from == subject::source::column && !of.type.empty(); }

/// @param documents  empty: the fields are columns
bool is_column(const subject& of, const std::string& documents) noexcept {
  return of.from == subject::source::column || (documents.empty() && of.path.size() == 1);
}

/// The column that holds a field, where columns are the fields of the relation's documents.
std::string column_of(const std::vector<std::string>& path) {
  if (path.empty()) refuse("a relation that is read by its columns has no document: name a column");
  return quote_identifier(path.front());
}

class renderer {
 public:
  renderer(const std::string& documents, std::vector<bind_value>& parameters)
      : documents_{documents}, parameters_{parameters} {}

  /// An expression to order by.
  std::string key(const subject& of) {
    if (of.measured != measure::none)
      return measured(of, [&](std::string_view type) {
        return quote_literal(of.to) + std::string{type};  // digits only
      });
    if (is_typed_column(of)) return typed(of);
    if (is_column(of)) return plain(of);
    switch (of.as) {
      case reading::numeric: return numeric_of(text(of));
      case reading::boolean: return boolean_of(text(of));
      case reading::timestamptz: return timestamptz_of(text(of));
      case reading::uuid: return uuid_of(text(of));
      case reading::text:
      case reading::by_value: break;
    }
    return text(of);
  }

  std::string condition_sql(const node& what) {
    switch (what.what) {
      case kind::all: return joined(what, " and ", "true");
      case kind::any: return joined(what, " or ", "false");
      case kind::negation: return '(' + condition_sql(*what.children.front()) + " is not true)";
      case kind::sql: {
        std::string text = renumbered(what.text, parameters_.size(), what.values.size());
        parameters_.insert(parameters_.end(), what.values.begin(), what.values.end());
        return '(' + text + "\n)";  // the newline terminates a trailing comment
      }
      case kind::test: return test_sql(what);
      case kind::local: break;
    }
    throw error{errc::bad_query, "a local condition in SQL"};
  }

 private:
  std::string joined(const node& what, std::string_view word, std::string_view none) {
    if (what.children.empty()) return std::string{none};
    std::string text{'('};
    for (const node_ptr& each : what.children) {
      if (text.size() > 1) text += word;
      text += condition_sql(*each);
    }
    return text += ')';
  }

  std::string bind(bind_value value, std::string_view cast) {
    parameters_.push_back(std::move(value));
    return ('$' + std::to_string(parameters_.size())).append(cast);
  }
  /// The cast determines the type. Bytes are passed as they are, because they have no text that reads back as the same
  /// bytes.
  std::string bind_text(const bind_value& value, std::string_view cast) {
    if (value.is_binary()) return bind(value, cast);
    return bind(bind_value{std::string_view{*value.text()}}, cast);
  }
  std::string bind_array(const std::vector<bind_value>& values, std::string_view cast) {
    if (!values.empty() && values.front().is_binary()) return bind(bind_value::array(values), cast);
    std::vector<bind_value> texts;
    for (const bind_value& each : values) texts.emplace_back(std::string_view{each.text() ? *each.text() : "null"});
    return bind(bind_value{std::string_view{*bind_value::array(texts).text()}}, cast);
  }

  bool is_column(const subject& of) const noexcept { return detail::is_column(of, documents_); }
  std::string json(const subject& of) const {
    std::string sql = is_column(of) ? quote_identifier(of.path.front()) : json_of(documents_, of.path);
    return sql.insert(0, 1, '(').append(
        ")::pg_catalog.jsonb");  // a no-op for a jsonb column, so its index still serves
  }
  std::string text(const subject& of) const {
    return is_column(of) ? '(' + quote_identifier(of.path.front()) + ")::pg_catalog.text"
                         : text_of(documents_, of.path);
  }
  std::string is_of_type(const subject& of, std::string_view type) const {
    return " and pg_catalog.jsonb_typeof(" + json(of) + ')' + infix("=") + '\'' + std::string{type} + '\'';
  }
  /// A column in the type stated for it.
  static std::string typed(const subject& of) {
    return '(' + quote_identifier(of.path.front()) + ')' + stated_cast(of);
  }
  std::string address(const subject& of) const {
    return is_column(of) ? quote_identifier(of.path.front()) : inet_of(text(of));
  }
  std::string tree(const subject& of) const {
    return is_column(of) ? '(' + quote_identifier(of.path.front()) + ')' + cast_to(of, "ltree")
                         : ltree_of(text(of), schema_of(of));
  }

  std::string test_sql(const node& what) {
    const subject& of = *what.about;
    if (of.measured != measure::none) {
      const auto bound = [&](std::string_view type) { return bind(bind_value{std::string_view{of.to}}, type); };
      return compared(measured(of, bound), what, "::pg_catalog.float8");
    }
    switch (what.how) {
      case test_kind::equal:
      case test_kind::different:
      case test_kind::less:
      case test_kind::at_most:
      case test_kind::greater:
      case test_kind::at_least:
      case test_kind::in:
      case test_kind::not_in: return is_column(of) ? column_comparison(what) : field_comparison(what);
      case test_kind::like: return text_test(what, "~~");
      case test_kind::ilike: return text_test(what, "~~*");
      case test_kind::regex: return text_test(what, "~");
      case test_kind::null: return '(' + plain(of) + " is null)";
      case test_kind::not_null: return '(' + plain(of) + " is not null)";
      case test_kind::exists: return '(' + (is_column(of) ? plain(of) : json(of)) + " is not null)";
      case test_kind::has:
      case test_kind::has_any:
      case test_kind::has_all: return array_test(what);
      default: return special(what);
    }
  }

  /// For IS NULL tests: a JSON null counts as NULL.
  std::string plain(const subject& of) const { return is_column(of) ? quote_identifier(of.path.front()) : text(of); }

  static bool is_among(const node& what) noexcept { return what.how == test_kind::in || what.how == test_kind::not_in; }
  static std::string among(const std::string& expression, const node& what, const std::string& values,
                           const std::string& schema = "pg_catalog") {
    return '(' + expression + (what.how == test_kind::in ? infix("=", schema) + "any(" : infix("<>", schema) + "all(") +
           values + "))";
  }
  static std::vector<bind_value> documents(const std::vector<bind_value>& values) {
    std::vector<bind_value> made;
    for (const bind_value& each : values) made.emplace_back(as_json(each));
    return made;
  }

  std::string compared(const std::string& expression, const node& what, std::string_view type,
                       const std::string& schema = "pg_catalog") {
    if (is_among(what))
      return among(expression, what, bind_array(what.values, std::string{type} + (type.empty() ? "" : "[]")), schema);
    return '(' + expression + infix(comparison(what.how), schema) + bind_text(what.values.front(), type) + ')';
  }

  std::string column_comparison(const node& what) {
    const subject& of = *what.about;
    if (is_typed_column(of)) return compared(typed(of), what, stated_cast(of), schema_of(of));
    const bool is_json = kind_of(what.values.front()) == value_kind::json;
    return compared(is_json ? json(of) : plain(of), what, sql_type(what.values));
  }

  std::string field_comparison(const node& what) {
    const subject& of = *what.about;
    switch (of.as) {
      case reading::text: return compared(text(of), what, "::pg_catalog.text");
      case reading::numeric: return compared(numeric_of(text(of)), what, "::pg_catalog.numeric");
      case reading::boolean: return compared(boolean_of(text(of)), what, "::pg_catalog.bool");
      case reading::timestamptz: return compared(timestamptz_of(text(of)), what, "::pg_catalog.timestamptz");
      case reading::uuid: return compared(uuid_of(text(of)), what, "::pg_catalog.uuid");
      case reading::by_value: break;
    }
    switch (kind_of(what.values.front())) {
      case value_kind::number: return json_comparison(what, "number", "::pg_catalog.numeric");
      case value_kind::boolean: return json_comparison(what, "boolean", "::pg_catalog.bool");
      case value_kind::timestamptz: return compared(timestamptz_of(text(of)), what, "::pg_catalog.timestamptz");
      case value_kind::uuid: return compared(uuid_of(text(of)), what, "::pg_catalog.uuid");
      case value_kind::json: return compared(json(of), what, "::pg_catalog.jsonb");
      default: break;
    }
    return '(' + compared(text(of), what, "::pg_catalog.text") + is_of_type(of, "string") + ')';
  }

  /// Compares numbers and booleans as jsonb: no cast can fail, and jsonb orders values of one type as expected.
  std::string json_comparison(const node& what, std::string_view type, std::string_view cast) {
    const subject& of = *what.about;
    if (is_among(what))
      return '(' + among(json(of), what, bind_array(documents(what.values), "::pg_catalog.jsonb[]")) +
             is_of_type(of, type) + ')';
    std::string test;
    constexpr std::size_t usual = 256;
    test.reserve(usual);
    test.append(1, '(').append(json(of));
    append_infix(test, comparison(what.how));
    test.append("pg_catalog.to_jsonb(").append(bind_text(what.values.front(), cast)).append(1, ')');
    if (what.how != test_kind::equal) test += is_of_type(of, type);
    return test += ')';
  }

  std::string text_test(const node& what, std::string_view symbol) {
    const subject& of = *what.about;
    const std::string test =
        is_typed_column(of) ? typed(of) + infix(symbol, schema_of(of)) + bind_text(what.values.front(), stated_cast(of))
                            : text(of) + infix(symbol) + bind_text(what.values.front(), "::pg_catalog.text");
    const bool strings_only = !is_column(of) && of.as != reading::text;
    return '(' + test + (strings_only ? is_of_type(of, "string") : "") + ')';
  }

  std::string array_test(const node& what) {
    const subject& of = *what.about;
    if (is_column(of)) {
      const std::string values = bind_array(what.values, "");  // of the column's type
      return '(' + quote_identifier(of.path.front()) + infix(what.how == test_kind::has_any ? "&&" : "@>") + values +
             ')';
    }
    const std::string array = is_of_type(of, "array") + ')';
    if (what.how == test_kind::has_any)
      return "(exists (select from pg_catalog.unnest(" + bind_array(documents(what.values), "::pg_catalog.jsonb[]") +
             ") element where " + json(of) + infix("@>") + "pg_catalog.jsonb_build_array(element))" + array;
    return '(' + json(of) + infix("@>") + "pg_catalog.to_jsonb(" +
           bind_array(documents(what.values), "::pg_catalog.jsonb[]") + ')' + array;
  }

  template <class Other>
  std::string measured(const subject& of, Other other) {
    const std::string vector = of.type.empty() ? cast_to(of, "vector") : stated_cast(of);
    const std::string bits = "::pg_catalog.bit(" + std::to_string(of.to.size()) + ')';
    const auto of_vectors = [&](std::string_view symbol) {
      const std::string mine =
          is_column(of) ? '(' + plain(of) + ')' + vector : vector_of(json(of), vector, 1 + count_commas(of.to));
      return '(' + mine + infix(symbol, schema_of(of)) + other(vector) + ')';
    };
    const auto of_bits = [&](std::string_view symbol) {
      return "((" + plain(of) + ")::pg_catalog.bit" + infix(symbol, schema_of(of)) + other(bits) + ')';
    };
    switch (of.measured) {
      case measure::array_length:
        if (is_column(of)) return "pg_catalog.cardinality(" + plain(of) + ')';
        return "(case when pg_catalog.jsonb_typeof(" + json(of) + ')' + infix("=") +
               "'array' then pg_catalog.jsonb_array_length(" + json(of) + ") end)";
      case measure::depth: return schema_of(of) + ".nlevel(" + tree(of) + ')';
      case measure::l2: return of_vectors("<->");
      case measure::cosine: return of_vectors("<=>");
      case measure::inner_product: return of_vectors("<#>");
      case measure::l1: return of_vectors("<+>");
      case measure::hamming: return of_bits("<~>");
      case measure::jaccard: return of_bits("<%>");
      case measure::none: break;
    }
    return {};
  }
  static std::size_t count_commas(std::string_view text) noexcept {
    std::size_t count = 0;
    for (const char c : text) count += c == ',' ? 1 : 0;
    return count;
  }

  std::string special(const node& what) {
    const subject& of = *what.about;
    const auto test = [&](const std::string& expression, std::string_view symbol, std::string_view cast) {
      return '(' + expression + infix(symbol) + bind_text(what.values.front(), cast) + ')';
    };
    const auto of_keys = [&](std::string_view symbol) {
      return '(' + json(of) + infix(symbol) + bind_array(what.values, "::pg_catalog.text[]") +
             is_of_type(of, "object") + ')';
    };
    const auto of_tree = [&](std::string_view symbol, std::string_view type) {
      return '(' + tree(of) + infix(symbol, schema_of(of)) + bind_text(what.values.front(), cast_to(of, type)) + ')';
    };
    switch (what.how) {
      case test_kind::contains_json: return test(json(of), "@>", "::pg_catalog.jsonb");
      case test_kind::contained_in_json: return test(json(of), "<@", "::pg_catalog.jsonb");
      case test_kind::has_key: return '(' + test(json(of), "?", "::pg_catalog.text") + is_of_type(of, "object") + ')';
      case test_kind::has_any_key: return of_keys("?|");
      case test_kind::has_all_keys: return of_keys("?&");
      case test_kind::jsonpath_exists: return jsonpath(what, "@?", "pg_catalog.jsonb_path_exists");
      case test_kind::jsonpath_matches: return jsonpath(what, "@@", "pg_catalog.jsonb_path_match");
      case test_kind::full_text: {
        const std::string language = quote_literal(*what.values[0].text()) + "::pg_catalog.regconfig";
        return "(pg_catalog.to_tsvector(" + language + ", " + text(of) + ')' + infix("@@") + "pg_catalog." +
               *what.values[1].text() + '(' + language + ", " + bind_text(what.values[2], "::pg_catalog.text") + "))";
      }
      case test_kind::subnet_of:
        return '(' + address(of) + infix("<<=") + "any(" + bind_array(what.values, "::pg_catalog.inet[]") + "))";
      case test_kind::supernet_of: return test(address(of), ">>=", "::pg_catalog.inet");
      case test_kind::overlaps: return test(address(of), "&&", "::pg_catalog.inet");
      case test_kind::family: return test("pg_catalog.family(" + address(of) + ')', "=", "::pg_catalog.int4");
      case test_kind::ancestor_of: return of_tree("@>", "ltree");
      case test_kind::descendant_of: return of_tree("<@", "ltree");
      case test_kind::lquery: return of_tree("~", "lquery");
      case test_kind::ltxtquery: return of_tree("@", "ltxtquery");
      case test_kind::any_lquery:
        return '(' + tree(of) + infix("?", schema_of(of)) + bind_array(what.values, cast_to(of, "lquery[]")) + ')';
      case test_kind::lca_of:
        return '(' + tree(of) + infix("=", schema_of(of)) + schema_of(of) + ".lca(" +
               bind_array(what.values, cast_to(of, "ltree[]")) + "))";
      default: break;
    }
    throw error{errc::bad_query, "a test without SQL"};
  }

  std::string jsonpath(const node& what, std::string_view symbol, std::string_view function) {
    const subject& of = *what.about;
    if (what.values[1].text()->empty())
      return '(' + json(of) + infix(symbol) + bind_text(what.values[0], "::pg_catalog.jsonpath") + ')';
    return std::string{function} + '(' + json(of) + ", " + bind_text(what.values[0], "::pg_catalog.jsonpath") + ", " +
           bind_text(what.values[1], "::pg_catalog.jsonb") + ", true)";
  }

  const std::string& documents_;
  std::vector<bind_value>& parameters_;
};

}  // namespace

value_kind kind_of(const bind_value& value) noexcept {
  switch (value.type()) {
    case 0: return value_kind::text;
    case proto::oid::int4:
    case proto::oid::int8:
    case proto::oid::float8:
    case proto::oid::numeric: return value_kind::number;
    case proto::oid::boolean: return value_kind::boolean;
    case proto::oid::date:
    case proto::oid::timestamptz: return value_kind::timestamptz;
    case proto::oid::uuid: return value_kind::uuid;
    case proto::oid::jsonb: return value_kind::json;
    default: return value_kind::other;
  }
}

std::string sortable(const subject& by, const std::string& documents) {
  std::vector<bind_value> none;
  return renderer{documents, none}.key(by);
}

std::string json_of(const std::string& documents, const std::vector<std::string>& path) {
  return documents.empty() ? json_at(column_of(path), std::span{path}.subspan(1)) : json_at(documents, path);
}

std::string text_of(const std::string& documents, const std::vector<std::string>& path) {
  if (!documents.empty()) return text_at(documents, path);
  const std::string column = column_of(path);
  return path.size() == 1 ? '(' + column + ")::pg_catalog.text" : text_at(column, std::span{path}.subspan(1));
}

std::string sortable_cast(const subject& by, const bind_value& value, const std::string& documents) {
  if (by.measured != measure::none) return "::pg_catalog.float8";
  if (is_typed_column(by)) return stated_cast(by);
  if (is_column(by, documents)) return std::string{sql_type(value)};
  switch (by.as) {
    case reading::numeric: return "::pg_catalog.numeric";
    case reading::boolean: return "::pg_catalog.bool";
    case reading::timestamptz: return "::pg_catalog.timestamptz";
    case reading::uuid: return "::pg_catalog.uuid";
    case reading::text:
    case reading::by_value: break;
  }
  return "::pg_catalog.text";
}

std::string sortable_infix(const subject& by, std::string_view symbol) {
  return infix(symbol, by.measured == measure::none && is_typed_column(by) ? schema_of(by) : "pg_catalog");
}

std::string to_sql(const node& what, const std::string& documents, std::vector<bind_value>& parameters) {
  return renderer{documents, parameters}.condition_sql(what);
}

}  // namespace sluice::detail
