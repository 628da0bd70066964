#pragma once
/// @file
/// The one exception. It is made once, where host, database and phase are known, and nobody re-words it.
///
/// Ask it questions instead of catching subclasses: `code()` against a `condition` for the kind of failure,
/// `sqlstate()` and `server()` for what the server said, `retryable()` and `connection_usable()` for what to do next.
///
///     catch (const sluice::error& e) {
///       if (e.code() == sluice::condition::timeout) ...
///       if (e.sqlstate() == "42P01") ...
///     }

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <sluice/export.hpp>

namespace sluice {

/// What went wrong. Each belongs to exactly one `condition`.
enum class errc : std::uint8_t {
  bad_conninfo = 1,    ///< usage: a connection string that cannot be read, or asks for what cannot be
  bad_query,           ///< usage: a query that the protocol cannot carry; nothing was sent
  bad_state,           ///< usage: a call that the object's state does not allow, such as on a closed connection
  bad_column,          ///< usage: a column that is not there, or a value that is not what it was taken for
  name_not_found,      ///< connection: a host name that does not resolve
  connect_failed,      ///< connection: no server was reached
  connection_lost,     ///< connection: the server or the network ended it; the message tells how far things were
  auth_rejected,       ///< auth: the server refused the login (SQLSTATE class 28)
  auth_method,         ///< auth: the server asks for a method that is not allowed, not known, or needs a password
  auth_proof,          ///< auth: the server did not prove that it knows the password
  tls_unavailable,     ///< tls: it is required and cannot be had
  tls_failed,          ///< tls: handshake, certificate or host name
  protocol_violation,  ///< protocol: the server sent what it may not
  server_error,        ///< sql: an ErrorResponse, to a query or at start-up
  unsupported_result,  ///< sql: the statement answers with what a row stream cannot carry, such as COPY
  bad_json,            ///< json: a document that cannot be decoded
  row_too_large,       ///< limit: a row or message beyond the limit
  stream_too_large,    ///< limit: a stream, or what has to be set aside of it, beyond the limit
  out_of_memory,       ///< limit: an allocation failed
  deadline_exceeded,   ///< timeout: a deadline passed
  cancelled,           ///< cancelled: by the caller
};

/// Kinds of failure: what `code()` is compared with.
enum class condition : std::uint8_t {
  usage = 1,
  connection,
  auth,
  tls,
  protocol,
  sql,
  json,
  limit,
  timeout,
  cancelled
};

SLUICE_API const std::error_category& error_category() noexcept;
SLUICE_API const std::error_category& condition_category() noexcept;
SLUICE_API std::error_code make_error_code(errc code) noexcept;
SLUICE_API std::error_condition make_error_condition(condition kind) noexcept;
/// The kind that a code belongs to.
SLUICE_API condition condition_of(errc code) noexcept;
/// "connection", "auth", ...: one word, as in the command's messages.
SLUICE_API std::string_view to_string(condition kind) noexcept;

/// An ErrorResponse or NoticeResponse with every field that the server gave; the others are empty.
/// @see PostgreSQL documentation, section "Error and Notice Message Fields"
struct server_message {
  std::string severity;  ///< never localized: "ERROR", "FATAL", "NOTICE", ...
  std::string sqlstate;
  std::string message;
  std::string detail;
  std::string hint;
  std::optional<std::uint32_t> position;           ///< character in the query text, from 1
  std::optional<std::uint32_t> internal_position;  ///< the same in `internal_query`
  std::string internal_query;
  std::string where;
  std::string schema;
  std::string table;
  std::string column;
  std::string data_type;
  std::string constraint;
  std::string file;
  std::string line;
  std::string routine;
};

/// All that an `error` knows.
struct error_info {
  errc code{};
  std::string message;                   ///< what was attempted, where, what happened, what can be done
  std::optional<server_message> server;  ///< what the server said, if it did
  std::uint64_t rows{};                  ///< rows already delivered; they stay valid
  bool retryable{};                      ///< see `error::retryable`
  bool connection_usable{};              ///< see `error::connection_usable`
};

/// @par Exception safety  copying does not throw
class SLUICE_API error : public std::system_error {
 public:
  explicit error(error_info info);
  error(errc code, std::string message);

  /// The message, with the SQLSTATE in brackets at its end when the server sent one.
  [[nodiscard]] const char* what() const noexcept override;

  [[nodiscard]] condition kind() const noexcept;
  /// Five characters, or empty when the server did not send one.
  [[nodiscard]] std::string_view sqlstate() const noexcept;
  /// Every field of the ErrorResponse, or nothing.
  [[nodiscard]] const std::optional<server_message>& server() const noexcept;
  /// Rows that were delivered before the failure.
  [[nodiscard]] std::uint64_t rows() const noexcept;
  /// The same call on a new connection may succeed, if the statement only reads.
  [[nodiscard]] bool retryable() const noexcept;
  /// The connection may go on.
  [[nodiscard]] bool connection_usable() const noexcept;

 private:
  std::shared_ptr<const error_info> info_;
};

}  // namespace sluice

/// @cond
template <>
struct std::is_error_code_enum<sluice::errc> : std::true_type {};
template <>
struct std::is_error_condition_enum<sluice::condition> : std::true_type {};
/// @endcond
