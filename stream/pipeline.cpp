#include <sluice/stream/pipeline.hpp>

#include <utility>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include <sluice/wire/leave.hpp>

#include "query_list.hpp"

namespace sluice {

namespace {

using queries = detail::query_list;

asio::awaitable<void> leave_all(queries unwanted) {
  std::vector<wire::exchange*> exchanges;
  for (const auto& each : unwanted) exchanges.push_back(&each->exchange());
  const auto patience = unwanted.front()->patience();
  const std::span<wire::exchange* const> all{exchanges};
  (void)co_await wire::leave(all, patience);
}

}  // namespace

pipeline::pipeline() noexcept = default;
pipeline::pipeline(pipeline&&) noexcept = default;

pipeline& pipeline::operator=(pipeline&& other) noexcept {
  if (this == &other) return *this;
  leave();
  waiting_ = std::move(other.waiting_);
  return *this;
}

pipeline::~pipeline() { leave(); }

pipeline::pipeline(queries sent) noexcept : waiting_{std::move(sent)} {}

asio::awaitable<row_stream> pipeline::next() {
  if (waiting_.empty()) throw error{errc::bad_state, "the pipeline has no more results"};
  detail::running_query& first = *waiting_.front();
  co_await wire::until_left(first.session());
  if (first.session().is != wire::session::state::broken && first.exchange().is_behind_another())
    first.link().fail(errc::bad_state, "the result before is still being read");
  first.take_turn();
  row_stream rows{std::move(waiting_.front())};
  waiting_.pop_front();
  co_return rows;
}

void pipeline::leave() noexcept {
  if (waiting_.empty()) return;
  const auto on = waiting_.front()->keep_session();
  try {
    for (const auto& each : waiting_) each->leaving();
    wire::announce_leave(*on);
    asio::co_spawn(on->io.get_executor(), leave_all(std::move(waiting_)), asio::detached);
  } catch (...) {  // no memory for the coroutine
    on->discard();
  }
  waiting_.clear();
}

}  // namespace sluice
