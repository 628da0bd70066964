// The texts of all connection errors.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "transport/link.hpp"
#include "transport/printable.hpp"

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
    case auth_parameters:
    case auth_weak: return errc::auth_proof;
    default: return errc::protocol_violation;
  }
}

/// SQLSTATEs after which the same statement may succeed on a new connection: the server was shutting down, starting up
/// or full, had waited too long for the next statement, or another transaction interfered.
bool may_succeed_later(const server_message& said) noexcept {
  const std::string_view sqlstate = said.sqlstate;
  // Poolers report whatever befalls them as 08P01; the server, which names its function, what the client did wrong.
  if (sqlstate == "08P01") return said.routine.empty();
  return sqlstate.starts_with("08") || sqlstate.starts_with("53") || sqlstate.starts_with("57P") ||
         sqlstate == "25P03" || sqlstate == "40001" || sqlstate == "40P01";
}

/// Logs show only what(), so the message ends with the SQLSTATE.
void append_sqlstate(std::string& to, std::string_view code) {
  const auto is_part = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); };
  if (code.size() == 5 && std::ranges::all_of(code, is_part)) to.append(" [").append(code).append("]");
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
  if (why.limit != 0) what.append(" of ").append(std::to_string(why.limit));
  if (why.type != '\0') {
    const auto type = static_cast<unsigned char>(why.type);
    const bool printable = type > 0x20 && type < 0x7f;
    what += printable ? std::string{", in a message of type '"} + why.type + "'"
                      : ", in a message of type " + std::to_string(type);
  }
  const bool is_row = why.type == 'D' || why.type == 'd';  // 'd' in bulk mode
  if (why.what == proto::fault::kind::too_large && is_row)
    what += ": raise the row limit (" + std::to_string(limits.row) + " bytes) if such rows are expected";
  if (why.what == proto::fault::kind::auth_weak)
    what += ": set scram_min_iterations if the server is known to use so few";
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
  if (!last_words.empty()) what += ": " + printable(last_words);
  fail(errc::connection_lost, what, true);
}

error link::server_error(server_message said, bool usable) const {
  const bool login = said.sqlstate.starts_with("28");
  std::string what = printable(said.message);
  if (said.sqlstate == "08P01" && said.message.find("statement pooling") != std::string::npos)
    what +=
        ": pages are read in a transaction, which a pooler in statement mode does not allow; read plainly, or let it "
        "pool by transaction";
  error_info info{.code = login ? errc::auth_rejected : errc::server_error,
                  .message = where.after(what),
                  .server = {},
                  .rows = where.rows,
                  .retryable = may_succeed_later(said),
                  .connection_usable = usable};
  append_sqlstate(info.message, said.sqlstate);
  info.server = std::move(said);
  return error{std::move(info)};
}

}  // namespace sluice::wire
