#pragma once
/// @file
/// The answer to AuthenticationMD5Password. MD5 is weak, and deprecated since PostgreSQL 18: anyone who can read the
/// server's password table can log in. Whether to answer at all is the caller's decision.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sluice::proto {

/// Returns "md5" followed by 32 hexadecimal digits: the body of a PasswordMessage, without its terminating zero byte.
///
/// @param salt  the four bytes that the server sent
/// @return nothing when libcrypto has no MD5, as in a FIPS configuration
/// @see PostgreSQL documentation, section "Message Flow", AuthenticationMD5Password
[[nodiscard]] std::optional<std::string> md5_password(std::string_view user, std::string_view password,
                                                      std::span<const std::byte, 4> salt);

}  // namespace sluice::proto
