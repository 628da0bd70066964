#pragma once
// SQL around a caller's query: its columns as one JSON object, and all of it as COPY ... TO STDOUT.
//
// COPY takes no parameters. They travel as ever, by Parse and Bind, into settings of the transaction (`set_config` with
// its third argument true), and the copied query reads them from there: values never become SQL text.
#include <span>
#include <string>
#include <string_view>

#include "engine/statement.hpp"
#include "messages/frontend.hpp"

namespace sluice::wire {

/// The query with its columns made into one JSON object. A CTE, not a subquery, so that INSERT ... RETURNING works too.
[[nodiscard]] std::string as_objects(std::string_view query);
/// The query, of one column, with that as text.
[[nodiscard]] std::string as_text(std::string_view query);

/// Parse, Bind and Execute of the statement that carries those values which are not NULL; nothing when there are none.
/// @par Errors  what the protocol cannot carry
[[nodiscard]] proto::fault encode_settings(std::span<const proto::parameter> values, proto::output& out);

/// The query with its parameters read from the settings that carry them.
/// @par Errors  throws error: bad_query, @see with_parameters
[[nodiscard]] std::string with_settings(std::string_view query, std::span<const carried_parameter> parameters);
/// SQL that gives OID and name, with its schema and in quotes, of each type that has no name yet.
[[nodiscard]] std::string names_of_types(std::span<const carried_parameter> parameters);
/// COPY of a query without parameters.
[[nodiscard]] std::string copy_of(std::string_view query);
/// COPY of a table, with its columns in parentheses.
[[nodiscard]] std::string copy_of_table(std::string_view table);

}  // namespace sluice::wire
