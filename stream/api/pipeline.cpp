#include <sluice/stream/pipeline.hpp>

#include <optional>
#include <utility>
#include <vector>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include "engine/departure.hpp"

#include "api/query_list.hpp"

namespace sluice {

namespace {

wire::departure depart(const detail::query_list& unwanted) {
  std::vector<wire::query_reader*> readers;
  for (const auto& each : unwanted) readers.push_back(&each->reader());
  return wire::departure{unwanted.front()->keep_session(), std::move(readers)};
}

/// @param from  empty while an earlier result is still being read
asio::awaitable<void> leave_all(detail::query_list unwanted, std::optional<wire::departure> from) {
  const auto on = unwanted.front()->keep_session();
  while (!unwanted.front()->is_settled() && unwanted.front()->reader().is_behind_another()) co_await wire::changed(*on);
  if (!from) from.emplace(depart(unwanted));
  (void)co_await wire::leave(*std::move(from));
  for (const auto& each : unwanted) each->left();
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

pipeline::pipeline(queries sent) : waiting_{std::make_shared<queries>(std::move(sent))} {}

/// @param sent  behind the others
void pipeline::add(std::shared_ptr<detail::running_query> sent) {
  if (waiting_ == nullptr) waiting_ = std::make_shared<queries>();
  waiting_->push_back(std::move(sent));
}

asio::awaitable<row_stream> pipeline::next() {
  if (!has_next()) throw error{errc::bad_state, "the pipeline has no more results"};
  return next_of(waiting_);
}

asio::awaitable<row_stream> pipeline::next_of(std::shared_ptr<queries> waiting) {
  if (!waiting->empty()) co_await wire::until_left(waiting->front()->session(), waiting->front()->ends());
  if (waiting->empty()) throw error{errc::cancelled, "cancelled: the pipeline was left"};
  detail::running_query& first = *waiting->front();
  if (!first.session().is_broken() && first.reader().is_behind_another())
    first.link().refuse(errc::bad_state, "the result before is still being read");
  first.take_turn();
  row_stream rows{std::move(waiting->front())};
  waiting->pop_front();
  co_return rows;
}

asio::any_io_executor pipeline::get_executor() const {
  if (!has_next()) throw error{errc::bad_state, "the pipeline has no more results"};
  return waiting_->front()->link().get_executor();
}

void pipeline::leave() noexcept {
  if (!has_next()) return;
  const auto on = waiting_->front()->keep_session();
  try {
    queries unwanted = std::move(*waiting_);
    for (std::size_t i = unwanted.size(); i-- != 0;) {
      unwanted[i]->take_turn();  // its time starts now
      if (i + 1 == unwanted.size())
        unwanted[i]->drop();
      else
        unwanted[i]->drop_before(*unwanted[i + 1]);
    }
    std::optional<wire::departure> from;
    if (!unwanted.front()->reader().is_behind_another()) from.emplace(depart(unwanted));
    asio::co_spawn(on->io.get_executor(), leave_all(std::move(unwanted), std::move(from)), asio::detached);
  } catch (...) {  // no memory for the coroutine
    on->discard();
  }
  waiting_->clear();
}

}  // namespace sluice
