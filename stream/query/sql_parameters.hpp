#pragma once
/// @file
/// Where the parameters of SQL text are.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace sluice::detail {

/// What a backslash is in a literal without the letter E. The session's standard_conforming_strings says that.
enum class backslashes : std::uint8_t {
  ordinary,  ///< a character, as it is by default
  unknown,   ///< that, or an escape
};

/// Bytes of the comment that the SQL begins with: 0 when it begins with none, `npos` when the comment is never closed.
/// @see PostgreSQL documentation, section "Comments"
[[nodiscard]] std::size_t comment_size(std::string_view sql) noexcept;

/// The SQL with other words in the place of each `$n` that is no part of a literal, a quoted name or a comment. Reads
/// as the server's lexer does.
/// @param count  of parameters that there are
/// @param words  for a parameter, counted from 1
/// @par Errors  throws error: bad_query for a zero byte, a quote or comment that is never closed, a parameter without
///              a value, and for text that does not mean the same everywhere: a number with a literal or a parameter
///              right behind it, and a backslash before a quote where what that means is unknown
/// @see PostgreSQL documentation, section "Lexical Structure"
[[nodiscard]] std::string with_parameters(std::string_view sql, std::size_t count, backslashes plain,
                                          const std::function<std::string(std::size_t)>& words);

}  // namespace sluice::detail
