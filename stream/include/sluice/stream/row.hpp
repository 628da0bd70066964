#pragma once
/// @file
/// One row: a view of a DataRow in the receive buffer.

#include <cstddef>
#include <span>
#include <string_view>
#include <tuple>

#include <sluice/proto/field_view.hpp>
#include <sluice/stream/members.hpp>
#include <sluice/wire/result_columns.hpp>

namespace sluice {

class field_range;
class json_document;
class json_parser;

/// One row, as the server sent it. Two words in size; copy it freely.
/// @par Lifetime  a view: valid until the next read of its stream (`next()`, or `++` past the end of a chunk), or as
///                long as the `owned_chunk` that it came from
class row {
 public:
  row() = default;
  /// @param body     a well-formed DataRow body
  /// @param columns  of the result, if it was requested as columns; null: there is a single column, with a document
  explicit row(const std::byte* body, const result_columns* columns = nullptr) noexcept
      : body_{body}, columns_{columns} {}

  /// The document's bytes as the server sent them; empty for NULL.
  /// @pre the row holds a document
  [[nodiscard]] std::string_view text() const noexcept {
    const auto document = proto::field_view::first_of(body_);
    return {reinterpret_cast<const char*>(document.bytes()), document.size()};
  }
  /// Whether the value is SQL NULL, which is not the JSON text `null`.
  [[nodiscard]] bool is_null() const noexcept { return proto::field_view::first_of(body_).is_null(); }

  /// The document, parsed in place by simdjson On-Demand with this thread's parser. Include <sluice/stream/json.hpp>.
  /// @par Lifetime  until the row becomes invalid or `json()` is called again in this thread, whichever comes first
  /// @par Errors    throws error: bad_json for NULL and for text that is not JSON; fields are checked when they are
  ///                read
  [[nodiscard]] json_document json() const;
  /// The same with a parser of the caller's, for programs whose coroutines move between threads.
  /// @par Lifetime  until the row becomes invalid or `parser` is used again
  [[nodiscard]] json_document json(json_parser& parser) const;

  /// The document as a C++ value: a type with SLUICE_JSON, or any other that `from_json` supports. Include
  /// <sluice/stream/typed.hpp>.
  /// @par Lifetime  `std::string_view` members are valid as long as this row and until the next `json()` or `as()` in
  ///                this thread
  /// @par Errors    throws error: bad_json, which says where in the document, what was found and what was expected
  template <class T>
  [[nodiscard]] T as() const;

  /// A column of a query `as_columns()` by its position, from 0. Include <sluice/stream/columns.hpp>, which lists the
  /// C++ types for each SQL type.
  /// @par Lifetime  views (`std::string_view`, `std::span`) are valid as long as the row
  /// @par Errors    throws error: bad_column for another type, NULL, a number out of range, or no such column;
  ///                bad_state for rows of documents
  template <class T>
  [[nodiscard]] T get(std::size_t index) const;
  /// A column by its name, as the server spells it. Each call looks through the names: in a loop over many rows, a
  /// position costs less.
  /// @par Errors  also bad_column when no column, or more than one, has that name
  template <class T>
  [[nodiscard]] T get(std::string_view name) const;
  /// The first columns, in one walk: `auto [id, name] = row.get<int, std::string_view>();`
  template <class First, class... Rest>
    requires(sizeof...(Rest) != 0 || !has_json_members<First>)
  [[nodiscard]] std::tuple<First, Rest...> get() const;
  /// A type with SLUICE_JSON: its members from the columns of their names. Columns without a member are ignored, and a
  /// member without a column is an error unless it is a std::optional; `json_policy` changes both.
  /// @par Errors  as above; the message names the member
  template <has_json_members T>
  [[nodiscard]] T get() const;
  /// All columns as the server sent them: a forward range of `binary_field`. Include <sluice/stream/columns.hpp>.
  /// @par Lifetime  as the row
  /// @par Errors    throws error: bad_state for rows of documents
  [[nodiscard]] field_range fields() const;
  /// Names and types of the columns; empty for rows of documents.
  /// @par Lifetime  as the stream, or as the `owned_chunk` that the row came from
  [[nodiscard]] std::span<const result_column> columns() const noexcept;
  /// The fields as they lie in the buffer, from their count on, for code that reads them itself: each is a length in
  /// network byte order and so many bytes (`proto::field_view`).
  /// @par Lifetime  as the row
  [[nodiscard]] const std::byte* body() const noexcept { return body_; }

 private:
  const std::byte* body_{};
  const result_columns* columns_{};
};

}  // namespace sluice
