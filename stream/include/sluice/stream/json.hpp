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
/// the first one from the current position on wins, as simdjson defines it.

#include <string>
#include <string_view>

#include <simdjson.h>

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

}  // namespace sluice
