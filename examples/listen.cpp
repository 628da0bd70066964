// Prints the notifications on a channel until "stop" arrives; reconnects when the connection is lost.
//
//     listen CHANNEL [CONNINFO]
#include <cstdio>
#include <exception>
#include <string>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <sluice/sluice.hpp>

namespace {

asio::awaitable<void> listen(std::string conninfo, std::string channel) {
  sluice::notifications news{conninfo, {channel}};
  co_await news.listen();
  std::puts("listening");
  std::fflush(stdout);
  for (;;) {
    const sluice::listen_event event = co_await news.next();
    if (event.is == sluice::listen_event::kind::gap) {
      std::puts("something may have been missed: look at the tables again");
      continue;
    }
    std::printf("%s\n", event.what.payload.c_str());
    std::fflush(stdout);
    if (event.what.payload == "stop") co_return;
  }
}

}  // namespace

int main(int argc, char** argv) try {
  asio::io_context context{1};
  asio::co_spawn(context, listen(argc > 2 ? argv[2] : "", argc > 1 ? argv[1] : "news"),
                 [](const std::exception_ptr& failure) {
                   if (failure) std::rethrow_exception(failure);
                 });
  context.run();
} catch (const std::exception& e) {
  std::fprintf(stderr, "listen: %s\n", e.what());
  return 1;
}
