#pragma once
// A batch: what is collected, and what has become of the rows that were sent.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sluice/stream/batch.hpp>
#include <sluice/stream/bind_value.hpp>
#include <sluice/wire/error.hpp>

#include "engine/session.hpp"

#include "api/running_query.hpp"

namespace sluice::detail {

// What becomes of a batch is decided by calls that may fail anywhere.
class batching {
 public:
  // @param block  the transaction that all rows are part of; 0: each row is by itself
  // @param use    of the session, until the batch is over; null: something else keeps the session
  batching(std::string statement, batch_options how, std::uint64_t block,
           std::unique_ptr<const wire::session::use> use = nullptr)
      : statement_{std::move(statement)}, how_{std::move(how)}, block_{block}, use_{std::move(use)} {
    how_.rows = std::max<std::size_t>(how_.rows, 1);
  }

  [[nodiscard]] std::uint64_t block() const noexcept { return block_; }
  [[nodiscard]] query_options options() const noexcept { return {.timeout = how_.timeout}; }
  [[nodiscard]] std::uint64_t rows() const noexcept { return sent_ + group_ + left_over_; }
  [[nodiscard]] bool is_empty() const noexcept { return group_ == 0; }
  [[nodiscard]] bool is_full() const noexcept { return group_ >= how_.rows || left_over_ != 0; }
  [[nodiscard]] const batch_result& result() const noexcept { return result_; }

  // Throws error: bad_state when the batch is over; bad_query when the row has another number of values than the first.
  void add(std::span<bind_value> row);
  // The rows to be sent now. What is not followed by `settle` ends the batch.
  [[nodiscard]] repeated_command take();
  // Takes over what was answered.
  // Throws error: `failure`, or the first failure of a row that there is no handler for.
  void settle(running_query& sent, const std::optional<error>& failure);
  // The error of a group that got no connection.
  [[nodiscard]] error not_sent(const error& why) const;
  void end();
  // To be called when a call has ended: a batch that is over needs its session no more.
  void release_if_over() noexcept {
    if (is_ != state::open) use_.reset();
  }

 private:
  enum class state : std::uint8_t { open, sending, over };

  void require_open() const;
  void begin_group(std::size_t columns);
  [[nodiscard]] bool joins_the_group(std::span<const bind_value> row) noexcept;
  [[nodiscard]] error not_run(const error& why, std::uint64_t first) const;
  [[nodiscard]] error with_progress(const error& why, std::uint64_t first) const;
  [[nodiscard]] error in_row(std::uint64_t row, const error& why) const;

  std::string statement_;
  batch_options how_;
  std::uint64_t block_;
  state is_{state::open};
  std::optional<std::size_t> columns_{};  // values of each row
  std::vector<bind_value> values_{};      // of all rows that were not sent
  std::vector<std::uint32_t> types_{};    // of the group
  std::vector<bool> has_type_{};          // there was more than a NULL in this column
  std::size_t group_{0};                  // the rows of the same types, which come first
  std::size_t left_over_{0};              // the rows behind them
  std::uint64_t sent_{0};
  batch_result result_{};
  std::unique_ptr<const wire::session::use> use_;
};

}  // namespace sluice::detail
