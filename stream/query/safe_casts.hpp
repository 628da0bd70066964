#pragma once
// Casts of a field's text that give NULL for invalid input: a row of another shape must not fail a query. Servers
// before 16 have no `pg_input_is_valid`, so a regular expression checks first.

#include <cstddef>
#include <string>
#include <string_view>

#include <sluice/stream/bind_value.hpp>

namespace sluice::detail {

[[nodiscard]] std::string numeric_of(const std::string& text);
[[nodiscard]] std::string boolean_of(const std::string& text);
/// Accepts what `parse_moment` reads; without a zone the value is UTC.
[[nodiscard]] std::string timestamptz_of(const std::string& text);
[[nodiscard]] std::string uuid_of(const std::string& text);
[[nodiscard]] std::string inet_of(const std::string& text);
/// @param schema  the extension's schema, as it appears in SQL
[[nodiscard]] std::string ltree_of(const std::string& text, const std::string& schema);
/// @param json  an expression that yields jsonb
/// @param cast  to the type of the vector: `::"public".vector`
[[nodiscard]] std::string vector_of(const std::string& json, const std::string& cast, std::size_t dimensions);

/// A value as JSON text; NULL is null.
[[nodiscard]] std::string as_json(const bind_value& value);

}  // namespace sluice::detail
