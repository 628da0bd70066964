// Serves many customers from one change stream: each gets the changes of its own orders as lines, and one that is too
// slow is dropped instead of holding up the others. Usage: example-fan_out CONNINFO PUBLICATION CUSTOMER...
//
// Ends when each customer has got a delete.
#include <cstdio>
#include <exception>
#include <string>
#include <system_error>
#include <utility>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <sluice/stream/change_fan_out.hpp>
#include <sluice/stream/predicate.hpp>
#include <sluice/wire/asio_errors.hpp>

namespace {

/// What a server would do for one connected client: a web socket, say.
asio::awaitable<void> serve(std::string customer, sluice::change_subscriber changes) {
  for (;;) {
    const sluice::change_batch some = co_await changes.next();
    if (!some) co_return;
    for (const sluice::shared_change& each : some) {
      const bool is_delete = each.operation() == sluice::operation::remove;
      const std::string row{is_delete ? each.old_text() : each.text()};
      std::printf("%s: %s %s\n", customer.c_str(), std::string{to_string(each.operation())}.c_str(), row.c_str());
      if (is_delete) co_return;  // it leaves, and the stream stands still when the last one has left
    }
    changes.acknowledge(some.last());
  }
}

asio::awaitable<void> run(std::string conninfo, std::string publication, int count, char** customers) {
  sluice::change_options how;
  how.slot = "example_fan_out";
  how.publications.push_back(publication);
  how.create = sluice::slot_creation::temporary;
  sluice::change_stream changes = co_await sluice::follow(conninfo, how);
  sluice::change_fan_out all{std::move(changes)};
  const asio::any_io_executor on = co_await asio::this_coro::executor;

  int left = count;
  asio::steady_timer all_served{on, asio::steady_timer::time_point::max()};
  for (int i = 0; i < count; ++i) {
    const std::string customer = customers[i];
    sluice::subscriber_options wanted;
    wanted.where = sluice::field("customer") == customer;
    wanted.when_full = sluice::slow_subscriber::drop;
    sluice::change_subscriber one = all.subscribe(wanted);
    asio::co_spawn(on, serve(customer, std::move(one)), [&](const std::exception_ptr& failure) {
      if (failure) std::rethrow_exception(failure);
      if (--left == 0) all_served.cancel();
    });
  }
  std::puts("serving");
  std::fflush(stdout);
  sluice::wire::asio_code cancelled;
  co_await all_served.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
  co_await all.close();
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 4) {
    std::fputs("usage: example-fan_out CONNINFO PUBLICATION CUSTOMER...\n", stderr);
    return 2;
  }
  asio::io_context context{1};
  asio::co_spawn(context, run(argv[1], argv[2], argc - 3, argv + 3), [](const std::exception_ptr& failure) {
    if (failure) std::rethrow_exception(failure);
  });
  context.run();
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "example-fan_out: %s\n", e.what());
  return 1;
}
