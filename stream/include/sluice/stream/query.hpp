#pragma once
/// @file
/// What to stream: the document column of a relation, or any SQL with bound parameters.
///
///     sluice::from("app.v_user").where(field("status") == "active").select("id", "name").limit(10)
///     sluice::sql("select data from events where data->>'kind' = $1 and id > $2", "login", 42)

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <sluice/export.hpp>
#include <sluice/stream/bind_value.hpp>
#include <sluice/stream/predicate.hpp>
#include <sluice/wire/result_columns.hpp>

namespace sluice {

class relation;

namespace detail {
struct client_part;
struct place_list;
class sorted_relation;
class partition_opening;
struct whole_table;
}  // namespace detail

/// Chooses the format of a column: true for the text that the type's output function makes, false for the binary
/// format. It is called once for each column of a result, whose `what`, `base` and `parts` are known by then, before
/// the query runs. An `error` that it throws ends the query; the connection stays usable.
using format_choice = std::function<bool(const result_column& column)>;

/// Looks at the columns of a result, whose `what`, `base`, `parts` and `is_text` are known by then, before the query
/// runs; at none if it returns no rows. An `error` that it throws ends the query, which has then not run; the
/// connection stays usable.
using columns_check = std::function<void(std::span<const result_column> columns)>;

/// A query, ready to be sent: SQL text, bound parameters, and how a row becomes a document. A value type.
class SLUICE_API query {
 public:
  /// How a row becomes a document, and how many round trips precede the first row.
  enum class shape : std::uint8_t {
    document,        ///< the query returns one column, json or jsonb: one round trip to the first row
    object,          ///< the columns, whatever they are, become one JSON object: one round trip
    detect,          ///< one json or jsonb column is taken as is, anything else becomes an object: the first time on a
                     ///< connection, one more round trip
    columns,         ///< columns stay columns, in the binary format: one round trip
    text_columns,    ///< columns stay columns, as the texts that psql shows: one round trip
    chosen_columns,  ///< columns stay columns, each in the format that a format_choice wants: as `detect`
  };
  /// What running it may change. This decides what happens to a stream that is dropped; see `sql`.
  enum class effect : std::uint8_t {
    none,          ///< what `from` builds
    by_functions,  ///< nothing, unless a function it calls writes: `sql` with SELECT, TABLE, VALUES, SHOW, WITH
    any,           ///< any other `sql`, and SELECT or WITH with INSERT, UPDATE, DELETE, MERGE or INTO anywhere in it
  };

  query(std::string text, std::vector<bind_value> parameters, shape rows)
      : text_{std::move(text)}, parameters_{std::move(parameters)}, shape_{rows} {}
  query(std::string text, std::vector<bind_value> parameters, shape rows,
        std::shared_ptr<const detail::client_part> left)
      : text_{std::move(text)}, parameters_{std::move(parameters)}, shape_{rows}, left_{std::move(left)} {}

  /// The SQL, with `$1`, `$2`, ... for the parameters.
  [[nodiscard]] const std::string& text() const& noexcept { return text_; }
  [[nodiscard]] std::string text() && noexcept { return std::move(text_); }
  /// The bound values, from `$1` on.
  [[nodiscard]] const std::vector<bind_value>& parameters() const noexcept { return parameters_; }
  [[nodiscard]] shape rows() const noexcept { return shape_; }
  [[nodiscard]] effect effects() const noexcept;
  /// Whether it is known to read only, whatever its SQL says: what `from` builds is.
  [[nodiscard]] bool only_reads() const noexcept { return only_reads_; }

  /// The part that the client has to evaluate on the rows; null if there is none.
  [[nodiscard]] const std::shared_ptr<const detail::client_part>& left() const noexcept { return left_; }
  /// For a relation with nothing but its name and column, which bulk mode may be able to copy as a table; otherwise
  /// null.
  [[nodiscard]] const std::shared_ptr<const detail::whole_table>& whole() const noexcept { return whole_; }
  /// The relation of which nobody has said where its documents are; null for other queries. If it has no column `data`,
  /// it is read `of_columns`.
  [[nodiscard]] const std::shared_ptr<const relation>& undeclared() const noexcept { return undeclared_; }
  /// Where the columns' values are in the document that is made of them; null: each under its column's name.
  [[nodiscard]] const std::shared_ptr<const detail::place_list>& places() const noexcept { return places_; }
  /// The relation that it reads: the parts of its name joined by dots, each in double quotes only if it is more than
  /// lower-case letters, digits and underscores. Empty for `sql`. Caches know its results by this name.
  [[nodiscard]] std::string relation_name() const;
  /// A description for people: the SQL, the types of its parameters (never their values), what stays on the client and
  /// why.
  [[nodiscard]] std::string explain() const;

  /// Declares that the query returns exactly one column, which saves the round trip of asking.
  [[nodiscard]] query as_document() &&;
  /// Turns the columns, whatever they are, into one JSON object, which saves the round trip of asking.
  [[nodiscard]] query as_object() &&;

  /// Keeps the columns as columns, for `row::get`. `row::text` and `row::json` do not apply to such rows.
  /// @par Errors  throws error: bad_query for a query built by `relation` of which a part is left to the client
  [[nodiscard]] query as_columns() &&;
  /// The same, with each value as the text that its type's output function makes of it, as in psql: for
  /// `row::get<std::string_view>`, whatever the type.
  /// @par Errors  as `as_columns`
  [[nodiscard]] query as_text_columns() &&;
  /// Keeps the columns as columns, some in the binary format and some as text. Types that are not built in are looked
  /// up, the first time on a connection, which costs one more round trip; `result_column::what` and `parts` say what
  /// was found. It cannot be sent in a pipeline.
  /// @par Errors  as `as_columns`
  [[nodiscard]] query as_columns(format_choice in_text) &&;
  /// The same with all columns in the binary format, for arrays, composites and ranges that have domains in them:
  /// reading those takes knowing what the domains are made of.
  /// @par Errors  as `as_columns`
  [[nodiscard]] query as_described_columns() && {
    return std::move(*this).as_columns([](const result_column& /*each*/) { return false; });
  }
  /// Has the columns of a query `as_columns(format_choice)` looked at before it runs. A check that always throws
  /// describes a statement without running it.
  /// @par Errors  throws error: bad_query for other queries, and for no function
  [[nodiscard]] query check_columns(columns_check look) &&;
  /// The function of `check_columns`; null for none.
  [[nodiscard]] const std::shared_ptr<const columns_check>& check() const noexcept { return check_; }
  /// The choice of `as_columns`; null for other queries.
  [[nodiscard]] const std::shared_ptr<const format_choice>& choice() const noexcept { return choice_; }

 private:
  friend class relation;
  friend class detail::partition_opening;
  [[nodiscard]] query of_columns(shape rows) &&;

  std::string text_;
  std::vector<bind_value> parameters_;
  shape shape_;
  std::shared_ptr<const detail::client_part> left_{};
  std::shared_ptr<const detail::whole_table> whole_{};
  std::shared_ptr<const relation> undeclared_{};
  std::shared_ptr<const detail::place_list> places_{};
  std::shared_ptr<const format_choice> choice_{};
  std::shared_ptr<const columns_check> check_{};
  std::size_t name_begins_{};  // the relation's name in text_, quoted
  std::size_t name_ends_{};
  bool only_reads_{false};
};

/// Any SQL, with `$1`, `$2`, ... bound to `parameters`.
///
/// It runs whether or not its rows are read. If its stream is dropped before its end,
/// - a statement that may write (INSERT, UPDATE, CALL, CREATE, ...: `query::effect::any`) runs to its end and its rows
///   are discarded; an error is reported to `observer::on_query_end` only,
/// - one that begins with SELECT, TABLE, VALUES, SHOW or WITH is cancelled. If nobody called `next`, it first gets half
///   of `connection_options::leave_timeout` to finish by itself, because it may have been run for the sake of a
///   function. To be sure that a function which writes has done so, read the stream to its end.
/// `cancel`, an expired deadline, and an interrupt end either kind.
template <std::convertible_to<bind_value>... Parameters>
[[nodiscard]] query sql(std::string text, Parameters&&... parameters) {
  std::vector<bind_value> values;
  values.reserve(sizeof...(parameters));
  (values.emplace_back(std::forward<Parameters>(parameters)), ...);
  return {std::move(text), std::move(values), query::shape::detect};
}

/// One key of an ORDER BY.
///
///     from("v_user").order_by(desc(field("profile.age").as_numeric()).nulls_last()).order_by(field("id"))
class SLUICE_API sort_key {
 public:
  /// Where NULL sorts. `standard` is SQL's default: last in ascending and first in descending order.
  enum class nulls : std::uint8_t { standard, first, last };

  /// Ascending. A field sorts as text unless it says how to read it; values that cannot be read that way sort as NULL.
  sort_key(operand by);  // NOLINT(google-explicit-constructor): order_by(field("id")) is what is meant

  [[nodiscard]] sort_key descending() &&;
  [[nodiscard]] sort_key nulls_first() &&;
  [[nodiscard]] sort_key nulls_last() &&;
  /// Sorts by a collation, such as "C" or "de-x-icu"; for text.
  [[nodiscard]] sort_key collate(std::string name) &&;

 private:
  friend class relation;
  friend class detail::sorted_relation;
  operand by_;
  bool descending_{false};
  nulls nulls_{nulls::standard};
  std::string collation_{};
};
[[nodiscard]] inline sort_key asc(operand by) { return sort_key{std::move(by)}; }
[[nodiscard]] inline sort_key desc(operand by) { return sort_key{std::move(by)}.descending(); }

/// One field that `select` keeps.
class SLUICE_API projection {
 public:
  /// @param path  as for `field`; the field keeps that place in the result
  projection(std::string_view path);                                    // NOLINT(google-explicit-constructor)
  projection(const char* path) : projection{std::string_view{path}} {}  // NOLINT(google-explicit-constructor)
  /// A path by its parts, which may be any text.
  explicit projection(std::vector<std::string> parts);
  /// Puts the field at another place, which is also a path.
  [[nodiscard]] projection as(std::string_view path) &&;

 private:
  friend class relation;
  std::vector<std::string> from_;
  std::vector<std::string> to_;
};

/// The document column of a table or view, and which of its rows and fields to stream.
class SLUICE_API relation {
 public:
  /// @param name  schema-qualified if need be; it is split at dots and each part is quoted, never pasted. Write a part
  ///              with dots or upper-case letters in double quotes, as in SQL
  /// @par Errors  throws error: bad_query for an empty part, an unterminated quote, a zero byte, or text that is not
  ///              UTF-8
  explicit relation(std::string_view name);

  /// The column with the documents, json or jsonb. Without it, they are in `data`, and a relation that has no such
  /// column is read `of_columns`: the first time on a connection this costs one more round trip, and in a transaction
  /// block it is an error.
  relation& column(std::string name) &;
  /// Streams the rows of any table or view: each becomes an object of its columns, or of those that `select` names. In
  /// `where`, `select` and `order_by`, `field("x")` then means the column `x`, and `field("x.y")` the field `y` of a
  /// column that is json.
  relation& of_columns() &;
  /// Reads columns in chosen formats instead of documents: those of `select`, each named by its path; without `select`
  /// the document, or all columns of a relation `of_columns`. @see query::as_columns
  ///
  /// In parallel, the choice is made for every task, on several threads if the executor has several.
  /// @par Errors  `build` throws error: bad_query when a condition is left to the client
  relation& formats(format_choice in_text) &;
  /// Keeps only rows that match; several calls are joined by AND.
  relation& where(const predicate& condition) &;
  /// Keeps only these fields, of which each row's document is made; a missing field is null in it.
  /// @par Errors  `build` throws error: bad_query when two of them want the same place
  relation& select(std::vector<projection> fields) &;
  /// Adds a sort key after those added before.
  relation& order_by(sort_key key) &;
  /// Keeps only rows that sort after these values of the `order_by` keys: the next page, wherever the last one ended.
  /// NULL is a valid value here. The keys together should be unique, or rows between two pages are lost.
  /// @par Errors  `build` throws error: bad_query when the numbers of values and keys differ
  relation& after(std::vector<bind_value> values) &;
  /// Keeps at most this many rows.
  relation& limit(std::uint64_t rows) &;
  /// Skips this many rows first.
  relation& offset(std::uint64_t rows) &;

  relation&& column(std::string name) && { return std::move(column(std::move(name))); }
  relation&& of_columns() && { return std::move(of_columns()); }
  relation&& formats(format_choice in_text) && { return std::move(formats(std::move(in_text))); }
  relation&& where(const predicate& condition) && { return std::move(where(condition)); }
  relation&& select(std::vector<projection> fields) && { return std::move(select(std::move(fields))); }
  template <std::convertible_to<projection>... Fields>
  relation&& select(const Fields&... fields) && {
    return std::move(select(std::vector<projection>{projection(fields)...}));
  }
  relation&& order_by(sort_key key) && { return std::move(order_by(std::move(key))); }
  relation&& after(std::vector<bind_value> values) && { return std::move(after(std::move(values))); }
  relation&& limit(std::uint64_t rows) && { return std::move(limit(rows)); }
  relation&& offset(std::uint64_t rows) && { return std::move(offset(rows)); }

  /// The name as written in SQL: `"app"."Users"`.
  [[nodiscard]] std::string qualified_name() const;
  /// The document column as written in SQL.
  [[nodiscard]] std::string documents() const;
  /// Whether `order_by` was called.
  [[nodiscard]] bool is_ordered() const noexcept { return !order_.empty(); }
  /// Whether `limit` or `offset` was called.
  [[nodiscard]] bool is_limited() const noexcept { return limit_ || offset_; }

  /// Builds the query: conditions that the server can evaluate go into its SQL, the rest is left to the client.
  /// @par Errors  throws error: bad_query
  [[nodiscard]] query build() const;
  operator query() const { return build(); }
  /// The same as text columns: one for each field of `select`, named by its path; without `select` the document, or all
  /// columns of a relation `of_columns`. @see query::as_text_columns
  /// @par Errors  throws error: bad_query, also when a condition is left to the client
  [[nodiscard]] query as_text_columns() const;

 private:
  friend class detail::sorted_relation;
  [[nodiscard]] query build_documents() const;
  [[nodiscard]] query build_listed(bool as_texts) const;
  /// @param what  the select list
  [[nodiscard]] query build(std::string_view what, query::shape rows) const;
  [[nodiscard]] query build_selected() const;
  [[nodiscard]] std::string document_sql() const;
  [[nodiscard]] std::string object_sql() const;
  [[nodiscard]] std::string key_sql(const sort_key& key) const;
  [[nodiscard]] std::string after_sql(std::vector<bind_value>& parameters) const;

  std::vector<std::string> name_;
  std::string column_{"data"};  // with the documents; empty: they are made of the columns
  bool is_default_column_{true};
  std::shared_ptr<const format_choice> choice_{};  // null: documents
  std::vector<predicate> conditions_;
  std::vector<projection> fields_;
  std::vector<sort_key> order_;
  std::optional<std::vector<bind_value>> after_;
  std::optional<std::uint64_t> limit_;
  std::optional<std::uint64_t> offset_;
};

/// @see relation
[[nodiscard]] inline relation from(std::string_view name) { return relation{name}; }

/// An identifier in double quotes, with quotes inside it doubled.
/// @par Errors  throws error: bad_query for an empty name or a zero byte
[[nodiscard]] SLUICE_API std::string quote_identifier(std::string_view name);

}  // namespace sluice
