#pragma once
/// @file
/// What to stream: the document column of a relation, or any SQL with bound parameters.
///
///     sluice::from("app.v_user").where(field("status") == "active").select("id", "name").limit(10)
///     sluice::sql("select data from events where data->>'kind' = $1 and id > $2", "login", 42)

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <sluice/export.hpp>
#include <sluice/stream/bind_value.hpp>
#include <sluice/stream/predicate.hpp>

namespace sluice {

namespace detail {
struct client_part;
class sorted_relation;
struct whole_table;
}  // namespace detail

/// A query, ready to be sent: SQL text, bound parameters, and how a row becomes a document. A value.
class SLUICE_API query {
 public:
  enum class shape : std::uint8_t {
    document,  ///< the query gives one column, whose text is the document: one round trip to the first row
    object,    ///< its columns become one JSON object, on the server: one round trip
    detect,    ///< one json or jsonb column is taken as it is, other shapes become an object: one round trip more
    columns,   ///< the columns stay columns, in the binary format: one round trip
  };
  /// What running it may change. Decides what becomes of a stream that is dropped; see `sql`.
  enum class effect : std::uint8_t {
    none,          ///< what `from` builds
    by_functions,  ///< nothing, unless a function that it calls writes: `sql` with SELECT, TABLE, VALUES, SHOW, WITH
    any,           ///< all other `sql`, and SELECT or WITH with INSERT, UPDATE, DELETE, MERGE or INTO anywhere in it
  };

  query(std::string text, std::vector<bind_value> parameters, shape rows)
      : text_{std::move(text)}, parameters_{std::move(parameters)}, shape_{rows} {}
  query(std::string text, std::vector<bind_value> parameters, shape rows,
        std::shared_ptr<const detail::client_part> left)
      : text_{std::move(text)}, parameters_{std::move(parameters)}, shape_{rows}, left_{std::move(left)} {}

  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  [[nodiscard]] const std::vector<bind_value>& parameters() const noexcept { return parameters_; }
  [[nodiscard]] shape rows() const noexcept { return shape_; }
  [[nodiscard]] effect effects() const noexcept;

  /// What is left for the client to do with the rows; null: nothing.
  [[nodiscard]] const std::shared_ptr<const detail::client_part>& left() const noexcept { return left_; }
  /// Of a relation with nothing but its name and column, which bulk mode may be able to copy as a table; else null.
  [[nodiscard]] const std::shared_ptr<const detail::whole_table>& whole() const noexcept { return whole_; }
  /// For people: the SQL, the types of its parameters (never their values), what stays on the client and why.
  [[nodiscard]] std::string explain() const;

  /// States that the query gives exactly one column, and saves the round trip of asking.
  [[nodiscard]] query as_document() && { return {std::move(text_), std::move(parameters_), shape::document}; }
  /// Makes one JSON object of the columns whatever they are, and saves the round trip of asking.
  [[nodiscard]] query as_object() && { return {std::move(text_), std::move(parameters_), shape::object}; }

  /// The columns stay columns, for `row::get`; `row::text` and `row::json` are not for such rows.
  /// @par Errors  throws error: bad_query for what `relation` builds with a part that is left to the client
  [[nodiscard]] query as_columns() &&;

 private:
  friend class relation;
  std::string text_;
  std::vector<bind_value> parameters_;
  shape shape_;
  std::shared_ptr<const detail::client_part> left_{};
  std::shared_ptr<const detail::whole_table> whole_{};
  bool only_reads_{false};
};

/// Any SQL, with `$1`, `$2`, ... bound to `parameters`.
///
/// It runs whether or not its rows are read. When its stream is dropped before its end,
/// - a statement that may write (INSERT, UPDATE, CALL, CREATE, ...: `query::effect::any`) goes on to its end, and its
///   rows are passed over; an error of it is told to `observer::on_query_end` only,
/// - one that begins with SELECT, TABLE, VALUES, SHOW or WITH is cancelled. If nobody called `next`, it is first given
///   half of `connection_options::leave_timeout` to end by itself, since a function may have been what it was for.
///   Read the stream to its end to be sure that a function which writes has done so.
/// `cancel`, a deadline that passed, and an interrupt end either.
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
  enum class nulls : std::uint8_t { standard, first, last };

  /// Ascending. A field is sorted as text unless it says how it is to be read; what cannot be read so sorts as NULL.
  sort_key(operand by);  // NOLINT(google-explicit-constructor): order_by(field("id")) is what is meant

  [[nodiscard]] sort_key descending() &&;
  [[nodiscard]] sort_key nulls_first() &&;
  [[nodiscard]] sort_key nulls_last() &&;
  /// By a collation, such as "C" or "de-x-icu"; for text.
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

/// One field to be kept by `select`.
class SLUICE_API projection {
 public:
  /// @param path  as for `field`; the field stands at the same place in the result
  projection(std::string_view path);                                    // NOLINT(google-explicit-constructor)
  projection(const char* path) : projection{std::string_view{path}} {}  // NOLINT(google-explicit-constructor)
  explicit projection(std::vector<std::string> parts);
  /// Puts the field at another place, which is a path too.
  [[nodiscard]] projection as(std::string_view path) &&;

 private:
  friend class relation;
  std::vector<std::string> from_;
  std::vector<std::string> to_;
};

/// The document column of a table or view, and which of it is wanted.
class SLUICE_API relation {
 public:
  /// @param name  schema-qualified if need be; split at dots, each part quoted, never pasted. A part with dots or upper
  ///              case letters is written in double quotes, as in SQL
  /// @par Errors  throws error: bad_query for an empty part, an open quote, a zero byte, or what is not UTF-8
  explicit relation(std::string_view name);

  /// The column with the documents, json or jsonb; `data` unless said.
  relation& column(std::string name) &;
  /// Only rows that match; several calls are joined by AND.
  relation& where(const predicate& condition) &;
  /// Only these fields, built into one document on the server; a field that is missing is null in it.
  /// @par Errors  throws error: bad_query when two of them want the same place
  relation& select(std::vector<projection> fields) &;
  relation& order_by(sort_key key) &;
  /// Only rows that come after these values of the `order_by` keys: the next page, wherever the last one ended. NULL
  /// is a value here. The keys together should be unique, or rows between two pages are lost.
  /// @par Errors  `build` throws error: bad_query when there are not as many values as keys
  relation& after(std::vector<bind_value> values) &;
  relation& limit(std::uint64_t rows) &;
  relation& offset(std::uint64_t rows) &;

  relation&& column(std::string name) && { return std::move(column(std::move(name))); }
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

  /// As it stands in SQL: `"app"."Users"`.
  [[nodiscard]] std::string qualified_name() const;
  /// The column with the documents as it stands in SQL.
  [[nodiscard]] std::string documents() const;
  [[nodiscard]] bool is_ordered() const noexcept { return !order_.empty(); }
  [[nodiscard]] bool is_limited() const noexcept { return limit_ || offset_; }

  /// The query that this stands for: conditions that the server can evaluate in its SQL, the rest for the client.
  /// @par Errors  throws error: bad_query
  [[nodiscard]] query build() const;
  operator query() const { return build(); }

 private:
  friend class detail::sorted_relation;
  /// @param what  what is selected
  [[nodiscard]] query build(std::string what, query::shape rows) const;
  [[nodiscard]] std::string document_sql() const;
  [[nodiscard]] std::string key_sql(const sort_key& key) const;
  [[nodiscard]] std::string after_sql(std::vector<bind_value>& parameters) const;

  std::vector<std::string> name_;
  std::string column_{"data"};
  std::vector<predicate> conditions_;
  std::vector<projection> fields_;
  std::vector<sort_key> order_;
  std::optional<std::vector<bind_value>> after_;
  std::optional<std::uint64_t> limit_;
  std::optional<std::uint64_t> offset_;
};

/// @see relation
[[nodiscard]] inline relation from(std::string_view name) { return relation{name}; }

/// An identifier in double quotes, its own doubled.
/// @par Errors  throws error: bad_query for an empty name or a zero byte
[[nodiscard]] SLUICE_API std::string quote_identifier(std::string_view name);

}  // namespace sluice
