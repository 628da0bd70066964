#pragma once
/// @file
/// A row's document through simdjson On-Demand, parsed where it lies. The only public header that includes simdjson.
///
///     for (sluice::row row : db.stream(query)) {
///       sluice::json_document document = row.json();
///       total += document["price"].get_double();
///     }
///
/// Documents are checked lazily: what is not read is not validated. Fields are found in any order; with duplicate keys
/// the first one from the current position on wins, as simdjson defines it. `json_validator` checks documents in full.
///
/// Read a string once: simdjson's memory has room for each string of a document once, and does not check.
///
/// A number beyond a double keeps its digits: `value.raw_json_token()`, or a `raw_json` member of a typed row.

#include <cstddef>
#include <cstdint>
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

/// The memory that parsing needs; grows to the largest document and is used again.
/// @par Thread safety  one document at a time
class json_parser {
 public:
  json_parser() = default;
  /// @param max_bytes  larger documents are refused: parsing takes about four bytes for each byte of the document
  explicit json_parser(std::size_t max_bytes) : parser_{max_bytes} {}

  /// @param text  with at least `simdjson::SIMDJSON_PADDING` readable bytes behind it, as every row has
  /// @par Errors  throws error: bad_json
  [[nodiscard]] json_document parse(std::string_view text) {
    const simdjson::padded_string_view padded{text.data(), text.size(), text.size() + simdjson::SIMDJSON_PADDING};
    simdjson::ondemand::document parsed;
    if (const auto refused = parser_.iterate(padded).get(parsed); refused != simdjson::SUCCESS)
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

/// What a document may be at most.
struct json_limits {
  std::size_t max_bytes{1U << 30U};
  std::size_t max_depth{1024};  ///< arrays and objects within each other
};

/// Checks whole documents against RFC 8259: UTF-8, structure, strings with paired surrogates, depth. Numbers may have
/// any size. A document is checked where it lies: memory is a byte for each level of nesting, whatever its size.
/// @par Thread safety  one document at a time
class SLUICE_API json_validator {
 public:
  explicit json_validator(json_limits limits = {}) noexcept : limits_{limits} {}

  /// @param number  of the row, for the message; 0: the message does not say
  /// @par Errors  throws error: bad_json, with the byte where the document stops being JSON. NULL is no document and
  ///              passes
  void check(row document, std::uint64_t number = 0);

 private:
  json_limits limits_;
  std::string ends_;  // of the arrays and objects around the place that is looked at
};

}  // namespace sluice
