// Where every error of a connection gets its words.
#include <string>
#include <utility>

#include <sluice/wire/link.hpp>

namespace sluice::wire {

namespace {

errc code_of(const proto::fault& why) noexcept {
  using enum proto::fault::kind;
  switch (why.what) {
    case too_large: return errc::row_too_large;
    case unencodable: return errc::bad_query;
    case unsupported: return errc::unsupported_result;
    case auth_refused: return errc::auth_method;
    case auth_proof:
    case auth_parameters: return errc::auth_proof;
    default: return errc::protocol_violation;
  }
}

/// SQLSTATEs after which the same statement may succeed on a new connection: the server went away, was starting or
/// full, had waited too long for the next statement, or another transaction was in the way.
bool may_succeed_later(std::string_view sqlstate) noexcept {
  return sqlstate.starts_with("08") || sqlstate.starts_with("53") || sqlstate.starts_with("57P") ||
         sqlstate == "25P03" || sqlstate == "40001" || sqlstate == "40P01";
}

}  // namespace

std::string link::context::after(std::string_view what) const {
  std::string message{what};
  message.append(" (").append(doing).append(" ").append(place);
  if (rows != 0) message.append(", after ").append(std::to_string(rows)).append(" rows");
  return message += ')';
}

void link::fail(errc code, std::string_view what, bool retryable) const {
  throw error{
      error_info{.code = code, .message = where.after(what), .server = {}, .rows = where.rows, .retryable = retryable}};
}

void link::fail(const proto::fault& why) const {
  std::string what{why.rule};
  if (why.type != '\0') {
    const auto type = static_cast<unsigned char>(why.type);
    const bool printable = type > 0x20 && type < 0x7f;
    what += printable ? std::string{", in a message of type '"} + why.type + "'"
                      : ", in a message of type " + std::to_string(type);
  }
  if (why.what == proto::fault::kind::too_large && why.type == 'D')
    what += ": raise the row limit (" + std::to_string(limits.row) + " bytes) if such rows are expected";
  if (why.what == proto::fault::kind::unencodable) refuse(code_of(why), what);
  fail(code_of(why), what);
}

void link::refuse(errc code, std::string_view what) const {
  throw error{error_info{
      .code = code, .message = where.after(what), .server = {}, .rows = where.rows, .connection_usable = is_open()}};
}

void link::fail_lost() const {
  std::string what = "the server closed the connection";
  if (broken_) what = "the connection broke: " + broken_.message();
  if (!last_words.empty()) what += ": " + last_words;
  fail(errc::connection_lost, what, true);
}

error link::server_error(server_message said, bool usable) const {
  const bool login = said.sqlstate.starts_with("28");
  error_info info{.code = login ? errc::auth_rejected : errc::server_error,
                  .message = where.after(said.message),
                  .server = {},
                  .rows = where.rows,
                  .retryable = may_succeed_later(said.sqlstate),
                  .connection_usable = usable};
  info.server = std::move(said);
  return error{std::move(info)};
}

}  // namespace sluice::wire
