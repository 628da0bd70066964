// A queue of jobs in a table: takes one at a time, does it and marks it as done in one transaction, and waits for a
// notification when there is none. Any number of these programs share the work. Ends when it has done a job "stop".
//
//     jobs [CONNINFO]
//
// It needs: create table job (id bigint generated always as identity, work text not null,
//                             done boolean not null default false)
#include <cstdint>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/this_coro.hpp>

#include <sluice/sluice.hpp>
#include <sluice/stream/columns.hpp>
#include <sluice/stream/in_transaction.hpp>

namespace {

/// A job that nobody else has taken; others skip it until the transaction ends.
asio::awaitable<std::optional<std::pair<std::int64_t, std::string>>> take(sluice::transaction& tx) {
  const sluice::query next =
      sluice::sql("select id, work from job where not done order by id limit 1 for update skip locked").as_columns();
  sluice::row_stream rows = co_await tx.stream(next);
  std::optional<std::pair<std::int64_t, std::string>> taken;
  while (const sluice::chunk some = co_await rows.next())
    for (const sluice::row row : some) taken.emplace(row.get<std::int64_t>(0), row.get<std::string>(1));
  co_return taken;
}

/// @return the job's work, or nothing if there was none
asio::awaitable<std::optional<std::string>> do_one(sluice::transaction& tx) {
  auto job = co_await take(tx);
  if (!job) co_return std::nullopt;
  std::printf("%s\n", job->second.c_str());  // the work: it may happen again if the transaction has to be repeated
  std::fflush(stdout);
  const sluice::query done = sluice::sql("update job set done = true where id = $1", job->first);
  (void)co_await tx.execute(done);
  co_return std::move(job->second);
}

asio::awaitable<void> work(std::string conninfo) {
  sluice::pool pool{co_await asio::this_coro::executor, conninfo, {.max_size = 2}};
  sluice::notifications news{conninfo, {"jobs"}};
  co_await news.listen();  // from now on no notification is missed, so the table can be looked at
  for (;;) {
    asio::awaitable<std::optional<std::string>> attempt = sluice::in_transaction(pool, do_one);
    const std::optional<std::string> done = co_await std::move(attempt);
    if (done == "stop") co_return;
    if (!done) (void)co_await news.next();  // or a gap, after which there may be jobs as well
  }
}

}  // namespace

int main(int argc, char** argv) try {
  asio::io_context context{1};
  asio::co_spawn(context, work(argc > 1 ? argv[1] : ""), [](const std::exception_ptr& failure) {
    if (failure) std::rethrow_exception(failure);
  });
  context.run();
} catch (const std::exception& e) {
  std::fprintf(stderr, "jobs: %s\n", e.what());
  return 1;
}
