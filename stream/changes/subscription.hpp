#pragma once
// One subscriber of a fan-out: its queue, and what it has acknowledged.
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <vector>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <sluice/stream/change_fan_out.hpp>

#include "changes/kept_change.hpp"
#include "drive/bell.hpp"
#include "query/predicate_node.hpp"

namespace sluice::detail {

class subscription {
 public:
  /// @par Errors  throws error: bad_query
  subscription(subscriber_options how, const asio::any_io_executor& on);

  [[nodiscard]] const subscriber_options& how() const noexcept { return how_; }
  /// Null: every row.
  [[nodiscard]] const node_ptr& condition() const noexcept { return condition_; }

  /// Whether it still gets changes.
  [[nodiscard]] bool is_live() const noexcept { return is_live_; }
  [[nodiscard]] bool is_full() const noexcept { return queue_.size() >= how_.max_events || bytes_ >= how_.max_bytes; }
  /// Whether its `next` waits, and will take what is in the queue.
  [[nodiscard]] bool is_waiting() const noexcept { return is_waiting_; }
  [[nodiscard]] std::size_t queued_events() const noexcept { return queue_.size(); }
  [[nodiscard]] std::size_t queued_bytes() const noexcept { return bytes_; }

  void push(std::shared_ptr<const kept_change> what);
  /// It gets no more: after its queue the end, or this error.
  void end(const std::exception_ptr& why = nullptr) noexcept;
  /// The same at once: what is in the queue is lost.
  void drop(const std::exception_ptr& why) noexcept;
  /// Its owner is gone.
  void leave() noexcept;

  /// What is in the queue, once there is something.
  static asio::awaitable<change_batch> next(std::shared_ptr<subscription> self);
  /// @return false: nothing up to there was handed out
  [[nodiscard]] bool acknowledge(position safe) noexcept;

  /// All before this position it does not need any more; nothing: it needs nothing of what was read.
  [[nodiscard]] std::optional<position> needs_after() const noexcept;
  /// What the fan-out has noted of that.
  std::optional<position> noted{};

 private:
  [[nodiscard]] change_batch take();

  subscriber_options how_;
  node_ptr condition_;
  wire::bell bell_;
  std::vector<shared_change> queue_;
  position first_needed_after_{};  // of the queue
  std::size_t bytes_{0};
  position handed_out_{};           // the last one
  std::optional<position> safe_{};  // all up to there, while not all that was handed out is
  std::exception_ptr failure_;
  bool is_live_{true};
  bool is_left_{false};
  bool is_waiting_{false};
};

}  // namespace sluice::detail
