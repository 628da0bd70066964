#pragma once
// The tasks that one connection has been given: the one that it reads, and those that were sent behind it, so that the
// server begins the next one at once, however distant it is.
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include <asio/awaitable.hpp>

#include <sluice/stream/options.hpp>
#include <sluice/stream/pipeline.hpp>
#include <sluice/stream/row_stream.hpp>

#include "parallel/relation_parts.hpp"

namespace sluice::detail {

/// Destroyed before its end, it abandons what was sent, as a pipeline does.
class task_line {
 public:
  /// @param limits  of each task
  task_line(std::shared_ptr<wire::session> on, const query_options& limits);

  /// Whether a task can be sent now. Behind another one that is so in plain mode only, and not where the server may
  /// first have to describe the columns: for objects that are made of them here, and for columns in chosen formats.
  [[nodiscard]] bool takes_more() const;
  /// @pre `takes_more`
  void send(const split_task& task);
  /// How many were sent whose rows `next` has not returned yet.
  [[nodiscard]] std::size_t size() const noexcept { return sent_.remaining(); }
  /// Of the task that is next.
  /// @pre `size() != 0`
  [[nodiscard]] std::uint64_t weight() const noexcept { return about_.front().weight; }
  /// @see split_task::table
  /// @pre `size() != 0`
  [[nodiscard]] std::uint32_t table() const noexcept { return about_.front().table; }
  /// The rows of the next task. Those of the one before have to be at their end.
  [[nodiscard]] asio::awaitable<row_stream> next();

 private:
  std::shared_ptr<wire::session> on_;
  query_options limits_;
  std::shared_ptr<running_query> last_{};
  pipeline sent_{};
  struct about {
    std::uint64_t weight;
    std::uint32_t table;
  };
  std::deque<about> about_{};
  bool is_described_{false};  // each task, before it runs
};

}  // namespace sluice::detail
