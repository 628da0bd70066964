#include "parallel/task_line.hpp"

#include <utility>

#include "engine/session.hpp"

#include "api/running_query.hpp"

namespace sluice::detail {

task_line::task_line(std::shared_ptr<wire::session> on, const query_options& limits)
    : on_{std::move(on)}, limits_{limits} {}

bool task_line::takes_more() const {
  if (on_->engine.queue.empty()) return true;
  return limits_.mode == fetch_mode::plain && !is_described_;
}

void task_line::send(const split_task& task) {
  last_ = on_->engine.queue.empty() ? std::make_shared<running_query>(on_, task.what, limits_)
                                    : std::make_shared<running_query>(*last_, task.what, limits_);
  is_described_ = task.what.rows() != query::shape::document && task.what.rows() != query::shape::columns;
  about_.push_back({task.weight, task.table});
  sent_.add(last_);
  last_->launch();
}

asio::awaitable<row_stream> task_line::next() {
  about_.pop_front();
  return sent_.next();
}

}  // namespace sluice::detail
