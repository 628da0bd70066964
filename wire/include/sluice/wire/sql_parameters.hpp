#pragma once
/// @file
/// Where the parameters of SQL text are.

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace sluice::wire {

/// The SQL with other words in the place of each `$n` that is no part of a literal, a quoted name or a comment. Reads
/// as the server's lexer does while standard_conforming_strings is on.
/// @param count  of parameters that there are
/// @param words  for a parameter, counted from 1
/// @par Errors  throws error: bad_query for a zero byte, a quote or comment that is never closed, and a parameter that
///              there is not
/// @see PostgreSQL documentation, section "Lexical Structure"
[[nodiscard]] std::string with_parameters(std::string_view sql, std::size_t count,
                                          const std::function<std::string(std::size_t)>& words);

}  // namespace sluice::wire
