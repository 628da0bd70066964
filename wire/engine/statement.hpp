#pragma once
/// @file
/// A query as it is sent.

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "messages/frontend.hpp"

namespace sluice::wire {

struct statement {
  /// What a row is made into.
  enum class shape : std::uint8_t {
    document,  ///< the query gives one column: its text is the document. One flight
    object,    ///< the query's columns become one JSON object, on the server. One flight
    detect,    ///< one json or jsonb column is taken as it is, anything else becomes an object. One round trip more
    columns,   ///< the columns stay as they are, in the binary format. One flight
  };
  std::string_view text{};
  std::span<const std::uint32_t> types{};  ///< OIDs of the parameters; 0 or left out: the server infers
  std::span<const proto::parameter> values{};
  shape as{shape::document};
  bool as_copy{false};  ///< by COPY (...) TO STDOUT in the binary format. One round trip more
  /// With `as_copy`: SQL that says, in one boolean, whether COPY of `table` gives the same. Empty: it never does.
  std::string_view table_check{};
  std::string_view table{};    ///< with its column in parentheses
  std::uint32_t page_rows{0};  ///< fetched in pages of so many rows, from a portal of its own; 0: all at once
  std::size_t page_bytes{0};   ///< the most that may be set aside of pages while other queries run
  std::chrono::milliseconds server_timeout{0};  ///< for the server to obey, as `statement_timeout`; 0: none
};

/// A parameter of a query that is copied, without its value, which travels in a setting.
struct carried_parameter {
  bool is_null{};
  std::uint32_t type{};     ///< OID
  std::string type_name{};  ///< as SQL, with its schema
};

}  // namespace sluice::wire
