#pragma once
/// @file
/// The library's only exception type. An error is created once, where host, database and phase are known, and never
/// reworded.
///
/// Query it instead of catching subclasses: compare `code()` with a `condition` for the kind of failure, read
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

/// What went wrong. Each code belongs to exactly one `condition`.
enum class errc : std::uint8_t {
  bad_conninfo = 1,    ///< usage: a connection string that cannot be parsed, or asks for the impossible
  bad_query,           ///< usage: a query that the protocol cannot carry; nothing was sent
  bad_state,           ///< usage: a call that the object's state does not allow, such as on a closed connection
  bad_column,          ///< usage: a column that does not exist, or a value that does not fit the requested type
  name_not_found,      ///< connection: a host name that does not resolve
  connect_failed,      ///< connection: no server could be reached
  connection_lost,     ///< connection: the server or the network ended it; the message says how far things had got
  auth_rejected,       ///< auth: the server refused the login (SQLSTATE class 28)
  auth_method,         ///< auth: the server asks for a method not allowed, not known, or without password or ticket
  auth_proof,          ///< auth: the server did not prove that it knows the password, or who it is
  tls_unavailable,     ///< tls: required but not available; or GSSAPI encryption is
  tls_failed,          ///< tls: handshake, certificate or host name; or GSSAPI encryption failed
  protocol_violation,  ///< protocol: the server sent something that the protocol does not allow
  server_error,        ///< sql: an ErrorResponse, to a query or at start-up
  unsupported_result,  ///< sql: the statement's result is something that a row stream cannot carry, such as COPY
  bad_json,            ///< json: a document that cannot be decoded
  row_too_large,       ///< limit: a row or message beyond the limit
  stream_too_large,    ///< limit: a stream, or the part of it that has to be buffered, beyond the limit
  out_of_memory,       ///< limit: an allocation failed
  deadline_exceeded,   ///< timeout: a deadline passed
  cancelled,           ///< cancelled: by the caller
  result_changed,      ///< sql: the columns of a query have changed since it last ran; it may be tried again
  outcome_unknown,     ///< connection: no answer to COMMIT arrived; the transaction may or may not have been committed
  rolled_back,         ///< sql: COMMIT of a transaction in which a statement had failed
  unexpected_rows,     ///< sql: no row, or more than one, where exactly one was expected
  position_lost,       ///< sql: the server no longer has the changes after a position, or does not have them yet
  bad_partition,       ///< usage: a descriptor that is damaged, of another version, or not vouched for by its exporter
  partition_lost,      ///< sql: the snapshot of a partition is gone, or belongs to another database
};

/// Kinds of failure, to compare `code()` with.
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

/// The category of every `errc`.
SLUICE_API const std::error_category& error_category() noexcept;
/// The category of every `condition`.
SLUICE_API const std::error_category& condition_category() noexcept;
/// What std::error_code calls when an `errc` is converted to it.
SLUICE_API std::error_code make_error_code(errc code) noexcept;
/// What std::error_condition calls, so that `code()` can be compared with a `condition`.
SLUICE_API std::error_condition make_error_condition(condition kind) noexcept;
/// The kind that a code belongs to.
SLUICE_API condition condition_of(errc code) noexcept;
/// "connection", "auth", ...: one word, as in the command's messages.
SLUICE_API std::string_view to_string(condition kind) noexcept;

/// An ErrorResponse or NoticeResponse with every field that the server sent; the others are empty.
/// @see PostgreSQL documentation, section "Error and Notice Message Fields"
struct server_message {
  std::string severity;  ///< never localized: "ERROR", "FATAL", "NOTICE", ...
  std::string sqlstate;  ///< five characters
  std::string message;
  std::string detail;
  std::string hint;
  std::optional<std::uint32_t> position;           ///< character in the query text, from 1
  std::optional<std::uint32_t> internal_position;  ///< the same in `internal_query`
  std::string internal_query;
  std::string where;  ///< the context, such as the functions that were running
  std::string schema;
  std::string table;
  std::string column;
  std::string data_type;
  std::string constraint;
  std::string file;  ///< in the server's source code, as are `line` and `routine`
  std::string line;
  std::string routine;
};

/// The contents of an `error`.
struct error_info {
  errc code{};
  std::string message;                   ///< what happened, what was attempted and where, the SQLSTATE, what to do
  std::optional<server_message> server;  ///< what the server said, if anything
  std::uint64_t rows{};                  ///< rows already delivered; they stay valid
  bool retryable{};                      ///< see `error::retryable`
  bool connection_usable{};              ///< see `error::connection_usable`
};

/// The exception that every failure is reported with.
/// @par Exception safety  copying does not throw
class SLUICE_API error : public std::system_error {
 public:
  explicit error(error_info info);
  error(errc code, std::string message);

  /// `error_info::message`. Of an error that the server reported, it ends with the SQLSTATE in brackets.
  [[nodiscard]] const char* what() const noexcept override;

  /// The condition that `code()` belongs to.
  [[nodiscard]] condition kind() const noexcept;
  /// The SQLSTATE, five characters; empty if the server did not send one.
  [[nodiscard]] std::string_view sqlstate() const noexcept;
  /// Every field of the ErrorResponse, if there was one.
  [[nodiscard]] const std::optional<server_message>& server() const noexcept;
  /// Number of rows delivered before the failure.
  [[nodiscard]] std::uint64_t rows() const noexcept;
  /// Whether the same call on a new connection may succeed, provided that the statement only reads.
  [[nodiscard]] bool retryable() const noexcept;
  /// Whether the connection can still be used.
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
