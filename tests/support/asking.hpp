#pragma once
// Helpers that query a connection after trouble, and helpers that ask psql about the server's side.
#include <string>

#include <sluice/sluice.hpp>

#include "cluster.hpp"

namespace sluice::test {

/// Whether some session is running a query that contains `words`.
inline bool is_running(const std::string& words) {
  return psql(
             "select count(*) from pg_stat_activity where pid <> pg_backend_pid() and state = 'active' and "
             "query like '%" +
             words + "%'") != "0";
}

/// Waits until some session runs a query that contains `words`. If none ever does, the suite's time limit ends the
/// test.
inline void wait_until_running(const std::string& words) {
  wait_until(
      "exists (select from pg_stat_activity where pid <> pg_backend_pid() and state = 'active' and query like '%" +
      words + "%' and query not like 'do %')");
}

/// The documents of a query, concatenated, or the error.
inline std::string answer(client& db, const query& what) {
  std::string text;
  try {
    for (const row each : db.stream(what)) text += each.is_null() ? "NULL" : each.text();
  } catch (const error& e) {
    text = e.what();
  }
  return text;
}

inline asio::awaitable<std::string> answer(connection& db, query what) {
  std::string text;
  try {
    row_stream rows = co_await db.stream(what);
    while (const chunk batch = co_await rows.next())
      for (const row each : batch) text += each.is_null() ? "NULL" : each.text();
  } catch (const error& e) {
    text = e.what();
  }
  co_return text;
}

}  // namespace sluice::test
