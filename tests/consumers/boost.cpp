// A user's program with Boost.Asio, built against an installed sluice that was built with it: prints a number.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <exception>
#include <string_view>

#include <sluice/sluice.hpp>

namespace {

boost::asio::awaitable<void> ask() {
  sluice::connection db = co_await sluice::connect("");
  const sluice::query what = sluice::sql("select $1::int * 6 as product", 7);
  sluice::row_stream rows = co_await db.stream(what);
  while (const sluice::chunk some = co_await rows.next())
    for (const sluice::row row : some) {
      const std::string_view text = row.text();
      std::printf("%.*s\n", static_cast<int>(text.size()), text.data());
    }
}

}  // namespace

int main() {
  boost::asio::io_context context{1};
  boost::asio::co_spawn(context, ask(), [](const std::exception_ptr& failed) {
    if (failed) std::rethrow_exception(failed);
  });
  context.run();
}
