#include <sluice/wire/error.hpp>

#include <array>
#include <memory>
#include <utility>

namespace sluice {

namespace {

struct row {
  errc code;
  condition kind;
  std::string_view text;
};
constexpr std::array table{
    row{errc::bad_conninfo, condition::usage, "the connection string is not valid"},
    row{errc::bad_query, condition::usage, "the query cannot be sent"},
    row{errc::bad_state, condition::usage, "the call is not allowed in this state"},
    row{errc::bad_column, condition::usage, "the column is not what it was taken for"},
    row{errc::name_not_found, condition::connection, "the host name does not resolve"},
    row{errc::connect_failed, condition::connection, "no server was reached"},
    row{errc::connection_lost, condition::connection, "the connection was lost"},
    row{errc::auth_rejected, condition::auth, "the server refused the login"},
    row{errc::auth_method, condition::auth, "the authentication method is not allowed"},
    row{errc::auth_proof, condition::auth, "the server did not prove its identity"},
    row{errc::tls_unavailable, condition::tls, "TLS is required and not available"},
    row{errc::tls_failed, condition::tls, "TLS failed"},
    row{errc::protocol_violation, condition::protocol, "the server broke the protocol"},
    row{errc::server_error, condition::sql, "the server reported an error"},
    row{errc::unsupported_result, condition::sql, "the statement's answer cannot be streamed"},
    row{errc::bad_json, condition::json, "the document cannot be decoded"},
    row{errc::row_too_large, condition::limit, "a message is larger than the limit"},
    row{errc::stream_too_large, condition::limit, "a stream is larger than the limit"},
    row{errc::out_of_memory, condition::limit, "out of memory"},
    row{errc::deadline_exceeded, condition::timeout, "the deadline passed"},
    row{errc::cancelled, condition::cancelled, "cancelled"},
    row{errc::result_changed, condition::sql, "the result has other columns than the last time"},
    row{errc::outcome_unknown, condition::connection, "whether the transaction was committed is unknown"},
    row{errc::rolled_back, condition::sql, "the transaction was rolled back instead of committed"},
    row{errc::unexpected_rows, condition::sql, "the result is not one row"},
    row{errc::position_lost, condition::sql, "the changes behind the position are not there"},
    row{errc::bad_partition, condition::usage, "the descriptor is none of a partition"},
    row{errc::partition_lost, condition::sql, "the snapshot of the partition is gone"},
};
constexpr std::array kinds{"",    "usage", "connection", "auth",    "tls",      "protocol",
                           "sql", "json",  "limit",      "timeout", "cancelled"};

constexpr const row& find(int code) noexcept {
  const auto index = static_cast<std::size_t>(code) - 1;
  return table[index < table.size() ? index : 0];
}
static_assert([] {
  for (std::size_t i = 0; i < table.size(); ++i)
    if (static_cast<std::size_t>(table[i].code) != i + 1) return false;
  return true;
}());

class errors final : public std::error_category {
  [[nodiscard]] const char* name() const noexcept override { return "sluice"; }
  [[nodiscard]] std::string message(int code) const override { return std::string{find(code).text}; }
  [[nodiscard]] std::error_condition default_error_condition(int code) const noexcept override {
    return make_error_condition(find(code).kind);
  }
};
class conditions final : public std::error_category {
  [[nodiscard]] const char* name() const noexcept override { return "sluice.condition"; }
  [[nodiscard]] std::string message(int kind) const override {
    return std::string{to_string(static_cast<condition>(kind))};
  }
};

}  // namespace

const std::error_category& error_category() noexcept {
  static const errors instance;
  return instance;
}
const std::error_category& condition_category() noexcept {
  static const conditions instance;
  return instance;
}
std::error_code make_error_code(errc code) noexcept { return {static_cast<int>(code), error_category()}; }
std::error_condition make_error_condition(condition kind) noexcept {
  return {static_cast<int>(kind), condition_category()};
}
condition condition_of(errc code) noexcept { return find(static_cast<int>(code)).kind; }
std::string_view to_string(condition kind) noexcept {
  const auto index = static_cast<std::size_t>(kind);
  return index < kinds.size() ? kinds[index] : "";
}

error::error(error_info info)
    : std::system_error{make_error_code(info.code)}, info_{std::make_shared<const error_info>(std::move(info))} {}
error::error(errc code, std::string message)
    : error{error_info{.code = code, .message = std::move(message), .server = {}}} {}

const char* error::what() const noexcept { return info_->message.c_str(); }
condition error::kind() const noexcept { return condition_of(info_->code); }
std::string_view error::sqlstate() const noexcept {
  return info_->server ? std::string_view{info_->server->sqlstate} : std::string_view{};
}
const std::optional<server_message>& error::server() const noexcept { return info_->server; }
std::uint64_t error::rows() const noexcept { return info_->rows; }
bool error::retryable() const noexcept { return info_->retryable; }
bool error::connection_usable() const noexcept { return info_->connection_usable; }

}  // namespace sluice
