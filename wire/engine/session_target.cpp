#include "engine/session_target.hpp"

#include <string_view>

#include "engine/run_query.hpp"

namespace sluice::wire {

namespace {

/// Whether a statement returns a row.
asio::awaitable<bool> gives_a_row(session& on, std::string_view statement) {
  query_reader question{on, statement};
  co_await read_to_end(question);
  co_return question.tag() == "SELECT 1";
}

asio::awaitable<bool> is_standby(session& on) {
  const auto said = on.server.parameters.find("in_hot_standby");
  if (said != on.server.parameters.end()) co_return said->second == "on";
  co_return co_await gives_a_row(on, "select 1 where pg_catalog.pg_is_in_recovery()");
}

asio::awaitable<bool> is_read_only(session& on) {
  const auto standby = on.server.parameters.find("in_hot_standby");
  const auto read_only = on.server.parameters.find("default_transaction_read_only");
  if (standby != on.server.parameters.end() && read_only != on.server.parameters.end())
    co_return standby->second == "on" || read_only->second == "on";
  co_return co_await gives_a_row(
      on, "select 1 where pg_catalog.current_setting('transaction_read_only') operator(pg_catalog.=) 'on'");
}

}  // namespace

asio::awaitable<std::string_view> mismatch(session& on, session_target wanted) {
  std::string_view why;
  switch (wanted) {
    case session_target::any: break;
    case session_target::read_write:
      if (co_await is_read_only(on)) why = "the session is read-only, and target_session_attrs wants to write";
      break;
    case session_target::read_only:
      if (!co_await is_read_only(on)) why = "the session can write, and target_session_attrs=read-only";
      break;
    case session_target::primary:
      if (co_await is_standby(on)) why = "the server is a standby, and target_session_attrs=primary";
      break;
    case session_target::standby:
    case session_target::prefer_standby:
      if (!co_await is_standby(on)) why = "the server is not a standby, and target_session_attrs=standby";
      break;
  }
  co_return why;
}

}  // namespace sluice::wire
