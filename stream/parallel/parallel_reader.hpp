#pragma once
// Delivers the rows of several connections to one consumer.
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include <asio/awaitable.hpp>

#include "drive/bell.hpp"
#include "parallel/merge.hpp"
#include "parallel/parallel_work.hpp"

namespace sluice::detail {

/// Each connection publishes its rows and waits until the consumer is done with them, since they lie in its receive
/// buffer. Rows that the consumer holds stay valid even when the work is stopped, until the consumer gives them back.
class parallel_reader : public parallel_work {
 public:
  parallel_reader(const asio::any_io_executor& on, const parallel_options& how);

  static asio::awaitable<chunk> next(std::shared_ptr<parallel_reader> self);
  static asio::awaitable<leaving> cancel(std::shared_ptr<parallel_reader> self);
  /// Gives the rows back, and stops in the background.
  void abandon() noexcept;

  /// The consumer is done with the rows it was given: their connection may continue reading.
  void give_back() noexcept;
  /// The next rows, the end (an empty chunk), or nothing: then wait for news and call again.
  /// @par Errors  throws error: the one that ended the work
  std::optional<chunk> advance();
  /// Of the rows that the consumer holds. @see split_task::table
  [[nodiscard]] std::uint32_t table() const noexcept { return held_ == nullptr ? 0 : held_->table; }
  /// A merge waits for rows of all connections, since a slow one may have the next row.
  [[nodiscard]] bool is_merging() const noexcept { return merge_.has_value(); }

 private:
  struct place {
    explicit place(const asio::any_io_executor& on) : turn{on} {}
    wire::bell turn;
    chunk rows;
    std::uint32_t table{0};
    bool is_done{true};  // with its rows, and may continue
  };

  void on_division(const division& parts) override;
  asio::awaitable<void> deliver(const worker& by, chunk rows) override;
  void on_stop() override;
  std::optional<chunk> take_rows();

  std::deque<place> places_;  // one per connection; addresses are stable
  std::deque<std::uint32_t> ready_;
  std::optional<merge> merge_;      // set if there is an order; replaces `ready_`
  place* held_{nullptr};            // where the rows that the consumer holds lie
  bool is_last_of_place_{false};    // that place has no other rows
  wire::clock::time_point left_{};  // when the consumer was given those rows
};

}  // namespace sluice::detail
