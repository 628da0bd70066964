#pragma once
/// @file
/// ErrorResponse and NoticeResponse: the same fields, another type byte.
/// @see PostgreSQL documentation, section "Error and Notice Message Fields"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace sluice::proto {

/// Every field that the protocol knows; what the server did not send is empty. PgBouncer and others leave some out that
/// Postgres always sends, SQLSTATE included.
/// @par Lifetime  views into the body that was decoded
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

/// @return nothing when a text does not end, or the list of fields does not end with the body
[[nodiscard]] std::optional<error_fields> decode_error_fields(std::span<const std::byte> body) noexcept;

}  // namespace sluice::proto
