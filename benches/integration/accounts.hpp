#pragma once
// The table of pgbench, and queries of one of its rows.
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <sluice/sluice.hpp>
#include <stdexcept>
#include <string>

#include "server.hpp"

namespace sluice::bench {

inline constexpr int accounts = 100'000;

inline void load_accounts() {
  static const int result = std::system(("pgbench -q -i '" + dsn() + "' > /dev/null 2>&1").c_str());
  if (result != 0) throw std::runtime_error{"pgbench -i has failed"};
}

inline query by_key(int n) {
  return sql("select abalance from pgbench_accounts where aid = $1", 1 + n * 7'919LL % accounts).as_columns();
}

inline connection_options prepared() {
  connection_options how;
  how.statement_cache = 8;
  return how;
}

/// A pool of exactly so many connections.
inline pool_options of_size(std::size_t connections) {
  return {.min_size = connections, .max_size = connections, .idle_timeout = std::chrono::milliseconds{0}};
}

}  // namespace sluice::bench
