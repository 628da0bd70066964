#pragma once
// The rows of several connections for one consumer.
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include <asio/awaitable.hpp>

#include "api/bell.hpp"
#include "parallel/merge.hpp"
#include "parallel/parallel_work.hpp"

namespace sluice::detail {

/// Each connection lays its rows out and waits until the consumer has looked at them: they lie in its receive buffer.
/// Those that the consumer holds stay there even when the work is stopped, until it gives them back.
class parallel_reader final : public parallel_work {
 public:
  parallel_reader(const asio::any_io_executor& on, const parallel_options& how);

  static asio::awaitable<chunk> next(std::shared_ptr<parallel_reader> self);
  static asio::awaitable<void> cancel(std::shared_ptr<parallel_reader> self);
  /// Gives back, and stops in the background.
  void abandon() noexcept;

  /// The consumer is done with the rows that it was given: their connection may read on.
  void give_back() noexcept;
  /// The next rows, the end (an empty chunk), or nothing: then wait for news, and come again.
  /// @par Errors  throws error: what ended the work
  std::optional<chunk> advance();
  /// Waits for rows of all connections, since one that is behind may have the next.
  [[nodiscard]] bool is_merging() const noexcept { return merge_.has_value(); }

 private:
  struct place {
    explicit place(const asio::any_io_executor& on) : turn{on} {}
    bell turn;
    chunk rows;
    bool is_done{true};  // with its rows, and may go on
  };

  void on_division(const division& parts) override;
  asio::awaitable<void> deliver(std::uint32_t connection, chunk rows) override;
  void on_stop() override;
  std::optional<chunk> take_rows();

  std::deque<place> places_;  // of the connections; they stay where they are
  std::deque<std::uint32_t> ready_;
  std::optional<merge> merge_;      // when there is an order, instead of `ready_`
  place* held_{nullptr};            // where the rows that the consumer was given lie
  bool is_last_of_place_{false};    // nothing else is there
  wire::clock::time_point left_{};  // when the consumer was given them
};

}  // namespace sluice::detail
