#include "api/leaving_query.hpp"

#include <utility>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include "engine/departure.hpp"

namespace sluice::detail {

asio::awaitable<leaving> leave(std::shared_ptr<running_query> query, wire::departure from) {
  const leaving how = co_await wire::leave(std::move(from));
  query->left();
  co_return how;
}

asio::awaitable<leaving> stop(std::shared_ptr<running_query> query) {
  query->stop();
  if (query->reader().is_over()) co_return leaving::drained;  // its connection may be somebody else's by now
  wire::departure from = query->depart();
  const leaving how = co_await leave(std::move(query), std::move(from));
  co_return how;
}

void leave_in_background(std::shared_ptr<running_query> query) noexcept {
  if (query == nullptr) return;
  const auto alive = query->keep_session();
  query->drop();
  if (query->is_settled()) {
    query->left();
    if (alive->leaving.have_readers_in_the_way()) alive->io.wake();
    query.reset();
    alive->leaving.tell();  // a pool may be waiting for the stream to end
    return;
  }
  try {
    wire::departure from = query->depart();
    asio::co_spawn(alive->io.get_executor(), leave(std::move(query), std::move(from)), asio::detached);
  } catch (...) {  // no memory for the coroutine
    alive->discard();
  }
}

}  // namespace sluice::detail
