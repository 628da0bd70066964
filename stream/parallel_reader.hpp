#pragma once
// The rows of several connections for one consumer.
#include <cstdint>
#include <deque>
#include <optional>

#include <asio/awaitable.hpp>

#include "bell.hpp"
#include "merge.hpp"
#include "parallel_work.hpp"

namespace sluice::detail {

/// Each connection lays its rows out and waits until the consumer has looked at them: they lie in its receive buffer.
class parallel_reader final : public parallel_work {
 public:
  parallel_reader(const asio::any_io_executor& on, const parallel_options& how);

  asio::awaitable<chunk> next();

  /// The consumer is done with the rows that it was given: their connection may read on.
  void give_back();
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

  std::deque<place> places_;  // of the connections; they stay where they are
  std::deque<std::uint32_t> ready_;
  std::optional<merge> merge_;  // when there is an order, instead of `ready_`
  place* shown_{nullptr};
};

}  // namespace sluice::detail
