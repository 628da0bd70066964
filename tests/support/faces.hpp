#pragma once
// One test body for both APIs: the results of a query through the blocking client or through a coroutine.
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>
#include <optional>
#include <sluice/sluice.hpp>
#include <string>
#include <utility>
#include <vector>

namespace sluice::test {

/// Runs a coroutine to its end.
template <class T>
T run(asio::awaitable<T> work) {
  asio::io_context context{1};
  auto result = asio::co_spawn(context, std::move(work), asio::use_future);
  context.run();
  return result.get();
}

/// The rows that a query gave, and its error.
struct outcome {
  std::vector<std::string> rows;  ///< "NULL" for NULL
  std::optional<error> failure;
  stream_stats stats;
  bool usable{false};  ///< whether the connection accepts another query
};

inline void take(outcome& to, const chunk& rows) {
  for (const row each : rows) to.rows.push_back(each.is_null() ? "NULL" : std::string{each.text()});
}

struct blocking_face {
  static outcome ask(const std::string& dsn, const query& what, const query_options& options = {},
                     const connection_options& bounds = {}) {
    outcome seen;
    try {
      client db{dsn, bounds};
      {
        row_range rows = db.stream(what, options);
        try {
          while (const chunk batch = rows.next()) take(seen, batch);
        } catch (const error& e) {
          seen.failure = e;
        }
        seen.stats = rows.stats();
      }
      seen.usable = db.is_idle();
    } catch (const error& e) {
      seen.failure = e;
    }
    return seen;
  }
};

struct coroutine_face {
  static asio::awaitable<outcome> work(std::string dsn, query what, query_options options, connection_options bounds) {
    outcome seen;
    try {
      connection db = co_await connect(dsn, bounds);
      {
        row_stream rows = co_await db.stream(what, options);
        try {
          while (const chunk batch = co_await rows.next()) take(seen, batch);
        } catch (const error& e) {
          seen.failure = e;
        }
        seen.stats = rows.stats();
      }
      // This query waits until the one before has been left: if it succeeds, the connection is usable.
      try {
        (void)co_await db.execute("select 1");
        seen.usable = true;
      } catch (const error&) {
        seen.usable = false;
      }
    } catch (const error& e) {
      seen.failure = e;
    }
    co_return seen;
  }
  static outcome ask(const std::string& dsn, const query& what, const query_options& options = {},
                     const connection_options& bounds = {}) {
    return run(work(dsn, what, options, bounds));
  }
};

}  // namespace sluice::test
