#pragma once
/// @file
/// What to stream: the document column of a relation, or any SQL with bound parameters.
///
///     sluice::from("app.v_user").order_by({.path = {"name"}}).limit(10)
///     sluice::sql("select data from events where data->>'kind' = $1 and id > $2", "login", 42)

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <sluice/export.hpp>
#include <sluice/proto/oid.hpp>

namespace sluice {

/// One bound parameter, in the text format. It travels apart from the SQL and is never pasted into it.
class SLUICE_API bind_value {
 public:
  /// NULL.
  bind_value(std::nullopt_t) noexcept {}
  bind_value(std::nullptr_t) noexcept {}
  /// Text: the server infers the type from the place of `$n`, as for a quoted literal.
  bind_value(std::string text) : text_{std::move(text)} {}
  bind_value(std::string_view text) : text_{std::in_place, text} {}
  bind_value(const char* text) : text_{std::in_place, text} {}
  bind_value(bool value);
  template <std::integral Integer>
    requires(!std::same_as<Integer, bool> && !std::same_as<Integer, char>)
  bind_value(Integer value) : text_{std::to_string(value)}, type_{integer_type<Integer>()} {}
  bind_value(double value);
  template <class T>
  bind_value(const std::optional<T>& value) : bind_value{value ? bind_value{*value} : bind_value{std::nullopt}} {}

  /// Nothing for NULL.
  [[nodiscard]] const std::optional<std::string>& text() const noexcept { return text_; }
  /// The type's OID, 0 when the server is to infer it.
  [[nodiscard]] std::uint32_t type() const noexcept { return type_; }

 private:
  template <class Integer>
  static constexpr std::uint32_t integer_type() noexcept {
    return std::is_unsigned_v<Integer> && sizeof(Integer) == sizeof(std::uint64_t) ? proto::oid::numeric
                                                                                   : proto::oid::int8;
  }

  std::optional<std::string> text_{};
  std::uint32_t type_{};
};

/// A query, ready to be sent: SQL text, bound parameters, and how a row becomes a document. A value.
class SLUICE_API query {
 public:
  enum class shape : std::uint8_t {
    document,  ///< the query gives one column, whose text is the document: one round trip to the first row
    object,    ///< its columns become one JSON object, on the server: one round trip
    detect,    ///< one json or jsonb column is taken as it is, other shapes become an object: one round trip more
  };

  query(std::string text, std::vector<bind_value> parameters, shape rows)
      : text_{std::move(text)}, parameters_{std::move(parameters)}, shape_{rows} {}

  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  [[nodiscard]] const std::vector<bind_value>& parameters() const noexcept { return parameters_; }
  [[nodiscard]] shape rows() const noexcept { return shape_; }

  /// States that the query gives exactly one column, and saves the round trip of asking.
  [[nodiscard]] query as_document() && { return {std::move(text_), std::move(parameters_), shape::document}; }
  /// Makes one JSON object of the columns whatever they are, and saves the round trip of asking.
  [[nodiscard]] query as_object() && { return {std::move(text_), std::move(parameters_), shape::object}; }

 private:
  std::string text_;
  std::vector<bind_value> parameters_;
  shape shape_;
};

/// Any SQL that gives rows, with `$1`, `$2`, ... bound to `parameters`.
template <std::convertible_to<bind_value>... Parameters>
[[nodiscard]] query sql(std::string text, Parameters&&... parameters) {
  std::vector<bind_value> values;
  values.reserve(sizeof...(parameters));
  (values.emplace_back(std::forward<Parameters>(parameters)), ...);
  return {std::move(text), std::move(values), query::shape::detect};
}

/// One key of an ORDER BY: a field of the document, or the whole of it.
struct sort_key {
  enum class as : std::uint8_t { text, integer, numeric, boolean };
  enum class nulls : std::uint8_t { standard, first, last };

  std::vector<std::string> path{};  ///< keys from the document's root on
  as type{as::text};
  bool descending{false};
  nulls order{nulls::standard};
};

/// The document column of a table or view.
class SLUICE_API relation {
 public:
  /// @param name  schema-qualified if need be; split at dots, each part quoted, never pasted. A part with dots or upper
  ///              case letters is written in double quotes, as in SQL
  /// @par Errors  throws error: bad_query for an empty part, an open quote or a zero byte
  explicit relation(std::string_view name);

  /// The column with the documents; `data` unless said.
  relation& column(std::string name) &;
  relation&& column(std::string name) && { return std::move(column(std::move(name))); }
  relation& order_by(sort_key key) &;
  relation&& order_by(sort_key key) && { return std::move(order_by(std::move(key))); }
  relation& limit(std::uint64_t rows) &;
  relation&& limit(std::uint64_t rows) && { return std::move(limit(rows)); }
  relation& offset(std::uint64_t rows) &;
  relation&& offset(std::uint64_t rows) && { return std::move(offset(rows)); }

  /// The SQL that this stands for.
  /// @par Errors  throws error: bad_query for a name with a zero byte
  [[nodiscard]] query build() const;
  operator query() const { return build(); }

 private:
  std::vector<std::string> name_;
  std::string column_{"data"};
  std::vector<sort_key> order_;
  std::optional<std::uint64_t> limit_;
  std::optional<std::uint64_t> offset_;
};

/// @see relation
[[nodiscard]] inline relation from(std::string_view name) { return relation{name}; }

/// An identifier in double quotes, its own doubled.
/// @par Errors  throws error: bad_query for an empty name or a zero byte
[[nodiscard]] SLUICE_API std::string quote_identifier(std::string_view name);

}  // namespace sluice
