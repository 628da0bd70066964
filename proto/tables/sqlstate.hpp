#pragma once
/// @file
/// SQLSTATE, the five characters by which a server identifies an error. Compare these, never the text of a message,
/// which is translated and changes between releases.
///
///     if (sqlstate{fields.sqlstate} == sqlstate::query_canceled) ...
///
/// @see PostgreSQL documentation, appendix "PostgreSQL Error Codes"

#include <array>
#include <cstddef>
#include <string_view>

namespace sluice::proto {

/// A code, or none. Some servers and poolers omit it from their errors; anything other than five digits and capital
/// letters counts as omitted.
class sqlstate {
 public:
  constexpr sqlstate() noexcept = default;
  constexpr explicit sqlstate(std::string_view code) noexcept {
    if (!is_well_formed(code)) return;
    for (std::size_t i = 0; i < size; ++i) code_[i] = code[i];
  }

  /// The five characters, or an empty view.
  /// @par Lifetime  views this object
  [[nodiscard]] constexpr std::string_view code() const& noexcept { return {code_.data(), empty() ? 0 : size}; }
  std::string_view code() const&& = delete;
  /// The first two characters, which identify the class of error, or an empty view.
  /// @par Lifetime  views this object
  [[nodiscard]] constexpr std::string_view class_code() const& noexcept { return code().substr(0, class_size); }
  std::string_view class_code() const&& = delete;

  [[nodiscard]] constexpr bool empty() const noexcept { return code_[0] == '\0'; }
  /// Whether the code belongs to the class `two`, such as "28" for everything about authorization.
  [[nodiscard]] constexpr bool is_class(std::string_view two) const noexcept { return !empty() && class_code() == two; }

  /// The condition name from the manual, such as "query_canceled"; empty for a code that is not in its table, such as
  /// one that a function raises.
  [[nodiscard]] std::string_view name() const noexcept;
  /// The class title from the manual, such as "Operator Intervention"; empty if it is not in its table.
  [[nodiscard]] std::string_view class_name() const noexcept;

  friend constexpr bool operator==(const sqlstate&, const sqlstate&) noexcept = default;

  static const sqlstate feature_not_supported;
  static const sqlstate in_failed_sql_transaction;
  static const sqlstate idle_in_transaction_session_timeout;
  static const sqlstate invalid_sql_statement_name;
  static const sqlstate invalid_authorization_specification;
  static const sqlstate invalid_password;
  static const sqlstate serialization_failure;
  static const sqlstate deadlock_detected;
  static const sqlstate too_many_connections;
  static const sqlstate query_canceled;
  static const sqlstate admin_shutdown;
  static const sqlstate crash_shutdown;
  static const sqlstate cannot_connect_now;
  static const sqlstate database_dropped;
  static const sqlstate idle_session_timeout;
  static const sqlstate insufficient_privilege;
  static const sqlstate undefined_object;
  static const sqlstate configuration_limit_exceeded;
  static const sqlstate object_not_in_prerequisite_state;
  static const sqlstate object_in_use;

 private:
  static constexpr std::size_t size = 5;
  static constexpr std::size_t class_size = 2;

  [[nodiscard]] static constexpr bool is_well_formed(std::string_view code) noexcept {
    for (const char c : code)
      if ((c < '0' || c > '9') && (c < 'A' || c > 'Z')) return false;
    return code.size() == size;
  }

  std::array<char, size> code_{};
};

inline constexpr sqlstate sqlstate::feature_not_supported{"0A000"};
inline constexpr sqlstate sqlstate::in_failed_sql_transaction{"25P02"};
inline constexpr sqlstate sqlstate::idle_in_transaction_session_timeout{"25P03"};
inline constexpr sqlstate sqlstate::invalid_sql_statement_name{"26000"};
inline constexpr sqlstate sqlstate::invalid_authorization_specification{"28000"};
inline constexpr sqlstate sqlstate::invalid_password{"28P01"};
inline constexpr sqlstate sqlstate::serialization_failure{"40001"};
inline constexpr sqlstate sqlstate::deadlock_detected{"40P01"};
inline constexpr sqlstate sqlstate::too_many_connections{"53300"};
inline constexpr sqlstate sqlstate::query_canceled{"57014"};
inline constexpr sqlstate sqlstate::admin_shutdown{"57P01"};
inline constexpr sqlstate sqlstate::crash_shutdown{"57P02"};
inline constexpr sqlstate sqlstate::cannot_connect_now{"57P03"};
inline constexpr sqlstate sqlstate::database_dropped{"57P04"};
inline constexpr sqlstate sqlstate::idle_session_timeout{"57P05"};
inline constexpr sqlstate sqlstate::insufficient_privilege{"42501"};
inline constexpr sqlstate sqlstate::undefined_object{"42704"};
inline constexpr sqlstate sqlstate::configuration_limit_exceeded{"53400"};
inline constexpr sqlstate sqlstate::object_not_in_prerequisite_state{"55000"};
inline constexpr sqlstate sqlstate::object_in_use{"55006"};

}  // namespace sluice::proto
