// Two streams at once on one thread: each coroutine takes chunks as they arrive and leaves after a few of them.
//
//     coroutine [CONNINFO]
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <sluice/sluice.hpp>

namespace {

asio::awaitable<void> export_some(std::string conninfo, std::string relation, std::uint64_t wanted) {
  sluice::connection conn = co_await sluice::connect(conninfo);
  const sluice::query query = sluice::from(relation);
  sluice::row_stream stream = co_await conn.stream(query);

  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  while (const sluice::chunk chunk = co_await stream.next()) {  // an empty chunk is the end
    for (const sluice::row row : chunk) {
      if (rows == wanted) break;
      bytes += row.text().size();  // a view: no copy, no allocation
      ++rows;
    }
    if (rows == wanted) break;
  }
  co_await stream.cancel();  // stops the query on the server; does nothing if it has ended
  std::printf("%s: %llu rows, %llu bytes\n", relation.c_str(), static_cast<unsigned long long>(rows),
              static_cast<unsigned long long>(bytes));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string conninfo = argc > 1 ? argv[1] : "";
  asio::io_context context{1};
  int status = 0;
  const auto report = [&](const std::exception_ptr& thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const std::exception& e) {
      std::fprintf(stderr, "coroutine: %s\n", e.what());
      status = 1;
    }
  };
  asio::co_spawn(context, export_some(conninfo, "v_user", 10), report);
  asio::co_spawn(context, export_some(conninfo, "v_order", 1'000'000), report);
  context.run();
  return status;
}
