#pragma once
/// @file
/// ErrorResponse and NoticeResponse, which have the same fields and differ in the type byte.
/// @see PostgreSQL documentation, section "Error and Notice Message Fields"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace sluice::proto {

/// Every field that the protocol defines; those that the server did not send are empty. PgBouncer and others omit some
/// that Postgres always sends, including SQLSTATE.
/// @par Lifetime  views into the decoded body
struct error_fields {
  std::string_view localized_severity{};             ///< S
  std::string_view severity{};                       ///< V: ERROR, FATAL, PANIC, WARNING, NOTICE, DEBUG, INFO or LOG
  std::string_view sqlstate{};                       ///< C
  std::string_view message{};                        ///< M
  std::string_view detail{};                         ///< D
  std::string_view hint{};                           ///< H
  std::optional<std::uint32_t> position{};           ///< P: in characters, from 1
  std::optional<std::uint32_t> internal_position{};  ///< p
  std::string_view internal_query{};                 ///< q
  std::string_view where{};                          ///< W
  std::string_view schema{};                         ///< s
  std::string_view table{};                          ///< t
  std::string_view column{};                         ///< c
  std::string_view data_type{};                      ///< d
  std::string_view constraint{};                     ///< n
  std::string_view file{};                           ///< F
  std::string_view line{};                           ///< L
  std::string_view routine{};                        ///< R
};

/// @return nothing if a text is not terminated, or the list of fields does not end at the end of the body
[[nodiscard]] std::optional<error_fields> decode_error_fields(std::span<const std::byte> body) noexcept;

}  // namespace sluice::proto
