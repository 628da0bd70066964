#pragma once
/// @file
/// Finds the parameters in SQL text.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace sluice::detail {

/// What a backslash means in a literal without the letter E; the session's standard_conforming_strings decides.
enum class backslashes : std::uint8_t {
  ordinary,  ///< an ordinary character, the default
  unknown,   ///< that or an escape
};

/// The size in bytes of the comment that the SQL begins with: 0 if it begins with none, `npos` if the comment is never
/// closed.
/// @see PostgreSQL documentation, section "Comments"
[[nodiscard]] std::size_t comment_size(std::string_view sql) noexcept;

/// The SQL without the semicolons, white space and comments at its end; if it cannot be told where those begin, only
/// without semicolons and white space. The caller must append a newline, which ends a comment that is left.
[[nodiscard]] std::string_view without_end(std::string_view sql);

/// The SQL with each `$n` replaced, except inside literals, quoted names and comments. Tokenizes as the server's lexer
/// does.
/// @param count  the number of parameters
/// @param words  the replacement for a parameter, counted from 1
/// @par Errors  throws error: bad_query for a zero byte, an unclosed quote or comment, a parameter without a value, and
///              for text whose meaning is ambiguous: a number directly followed by a literal or a parameter, or a
///              backslash before a quote where its meaning is unknown
/// @see PostgreSQL documentation, section "Lexical Structure"
[[nodiscard]] std::string with_parameters(std::string_view sql, std::size_t count, backslashes plain,
                                          const std::function<std::string(std::size_t)>& words);

}  // namespace sluice::detail
