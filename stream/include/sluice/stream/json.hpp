#pragma once
/// @file
/// Row documents through simdjson On-Demand, parsed in place. The only public header that includes simdjson.
///
///     for (sluice::row row : db.stream(query)) {
///       sluice::json_document document = row.json();
///       total += document["price"].get_double();
///     }
///
/// Documents are checked lazily: what is not read is not validated. Fields are found in any order; with duplicate keys
/// the first one from the current position on wins, as simdjson defines it. `json_validator` checks whole documents.
///
/// Read each string only once: simdjson's memory has room for every string of a document once, and does not check.
///
/// A number beyond the range of a double keeps its digits: use `value.raw_json_token()`, or a `raw_json` member of a
/// typed row.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <simdjson.h>

#include <sluice/export.hpp>
#include <sluice/stream/row.hpp>
#include <sluice/wire/error.hpp>

namespace sluice {

/// A simdjson On-Demand document: all its members are available (`doc["a"]["b"].get_int64()`).
/// @par Errors  its accessors throw simdjson::simdjson_error, or return error codes, as simdjson documents
class json_document : public simdjson::ondemand::document {
 public:
  explicit json_document(simdjson::ondemand::document&& parsed) noexcept
      : simdjson::ondemand::document{std::move(parsed)} {}
};

/// The memory that parsing needs. It grows to the largest document and is reused.
/// @par Thread safety  one document at a time
class json_parser {
 public:
  json_parser() = default;
  /// @param max_bytes  larger documents are refused; parsing takes about four bytes per byte of the document
  explicit json_parser(std::size_t max_bytes) : parser_{max_bytes} {}

  /// @param text  must be followed by at least `simdjson::SIMDJSON_PADDING` readable bytes, as every row is
  /// @par Errors  throws error: bad_json; out_of_memory
  [[nodiscard]] json_document parse(std::string_view text) {
    const simdjson::padded_string_view padded{text.data(), text.size(), text.size() + simdjson::SIMDJSON_PADDING};
    simdjson::ondemand::document parsed;
    const simdjson::error_code refused = parser_.iterate(padded).get(parsed);
    if (refused == simdjson::MEMALLOC) throw error{errc::out_of_memory, "no memory to parse a document"};
    if (refused != simdjson::SUCCESS)
      throw error{errc::bad_json, std::string{"the document is not JSON: "} + simdjson::error_message(refused)};
    return json_document{std::move(parsed)};
  }

 private:
  simdjson::ondemand::parser parser_;
};

inline json_document row::json(json_parser& parser) const {
  if (is_null()) throw error{errc::bad_json, "the document is SQL NULL: ask is_null() first"};
  return parser.parse(text());
}

inline json_document row::json() const {
  thread_local json_parser parser;
  return json(parser);
}

/// Upper bounds for a document.
struct json_limits {
  std::size_t max_bytes{1U << 30U};
  std::size_t max_depth{1024};  ///< nested arrays and objects
};

/// Checks whole documents against RFC 8259: UTF-8, structure, strings with paired surrogates, depth. Numbers may have
/// any size. A document is checked in place; memory is one byte per level of nesting, whatever its size.
/// @par Thread safety  one document at a time
class SLUICE_API json_validator {
 public:
  explicit json_validator(json_limits limits = {}) noexcept : limits_{limits} {}

  /// @param number  of the row, for the error message; 0: the message does not mention it
  /// @par Errors  throws error: bad_json, with the byte where the document stops being JSON. NULL is not a document and
  ///              passes
  void check(row document, std::uint64_t number = 0);
  /// The same for any text.
  /// @return what is wrong with it, such as "is not JSON: expected a value at byte 1"; nothing: it is a document
  [[nodiscard]] std::optional<std::string> flaw(std::string_view document);

 private:
  json_limits limits_;
  std::string ends_;  // closing brackets of the arrays and objects around the current position
};

}  // namespace sluice
