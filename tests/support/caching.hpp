#pragma once
// A pool with a result cache, and queries to ask it.
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <exception>
#include <functional>
#include <sluice/cache/result_cache.hpp>
#include <sluice/sluice.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "cluster.hpp"

namespace sluice::test {

/// Counts the queries that are sent.
struct query_counter : sluice::observer {
  void on_query(const sluice::query_event& event) noexcept override {
    sent += event.text.find("pg_") == std::string_view::npos;
  }
  int sent{0};
};

/// A pool and a cache of it.
struct place {
  explicit place(asio::io_context& on, sluice::cache_options options = {}, const std::string& to = dsn())
      : pool{on.get_executor(), to, {.max_size = 4}, watching(queries)}, cache{pool, options} {}
  static sluice::connection_options watching(sluice::observer& with) {
    sluice::connection_options each;
    each.watch = &with;
    return each;
  }
  query_counter queries;
  sluice::pool pool;
  sluice::result_cache cache;
};

inline void with_cache(const sluice::cache_options& options, const std::function<asio::awaitable<void>(place&)>& run) {
  asio::io_context context{1};
  place all{context, options};
  std::exception_ptr failure;
  asio::co_spawn(context, run(all), [&](std::exception_ptr why) {
    failure = std::move(why);
    all.pool.close();
  });
  context.run();
  if (failure) std::rethrow_exception(failure);
}

/// All documents of a stream.
inline asio::awaitable<std::string> all_of(sluice::pooled_stream rows) {
  std::string text;
  for (;;) {
    asio::awaitable<sluice::chunk> more = rows.next();
    const sluice::chunk chunk = co_await std::move(more);
    if (!chunk) break;
    for (const sluice::row row : chunk) {
      text += row.is_null() ? std::string_view{"NULL"} : row.text();
      text += ';';
    }
  }
  co_return text;
}

inline sluice::query documents(int from, int to) {
  return sluice::sql("select to_json(n) from generate_series($1, $2) n", from, to).as_document();
}

inline sluice::cache_use tagged(const char* tag) {
  sluice::cache_use how;
  how.tag = tag;
  return how;
}
inline sluice::cache_use as(sluice::cache_use::mode mode) {
  sluice::cache_use how;
  how.how = mode;
  return how;
}

}  // namespace sluice::test
