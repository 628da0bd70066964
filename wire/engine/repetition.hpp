#pragma once
// A statement that is run once for each of several rows of values, all sent at once: which row the server answers, and
// which it has refused.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <sluice/wire/error.hpp>

#include "engine/flight.hpp"
#include "engine/statement.hpp"
#include "machines/query_machine.hpp"

namespace sluice::wire {

class repetition {
 public:
  struct failure {
    std::size_t row;  ///< from 0
    server_message why;
  };

  /// @pre `what.rows` is not 0
  explicit repetition(const statement& what) noexcept
      : rows_{what.rows}, values_{what.values.size() / what.rows}, by_itself_{what.each_by_itself} {}

  /// Puts the rows behind what the flight has already, up to the last Sync.
  /// @param name        of the statement on the server; empty: the unnamed one
  /// @param is_prepared  it was parsed and described before
  void send(flight& to, const statement& what, std::string_view name, bool is_prepared);

  /// Everything that the machine was told of has been answered: tells it of the next row.
  void expect_next(proto::query_machine& machine) noexcept;
  /// Whether there are rows of which the machine has not been told.
  [[nodiscard]] bool has_more() const noexcept { return next_ != rows_; }

  /// Whether the server's refusal concerns one row alone.
  [[nodiscard]] bool fails_by_itself() const noexcept { return by_itself_ && next_ != 0; }
  void refused_one(server_message why);
  /// The server refuses the statement, or this row and all behind it.
  void refused_rest(proto::query_machine& machine) noexcept;
  void completed(std::uint64_t affected_rows) noexcept;

  /// How many rows were run, or refused by themselves.
  [[nodiscard]] std::size_t answered() const noexcept { return completed_ + failures_.size(); }
  [[nodiscard]] std::uint64_t affected_rows() const noexcept { return affected_rows_; }
  /// The row that ended the others; nothing if there is none, or the statement itself was refused.
  [[nodiscard]] const std::optional<std::size_t>& ended_at() const noexcept { return ended_at_; }
  /// Of rows by themselves, in their order.
  [[nodiscard]] const std::vector<failure>& failures() const noexcept { return failures_; }

 private:
  std::size_t rows_;
  std::size_t values_;  // of each row
  bool by_itself_;
  bool parses_each_{false};
  std::size_t next_{0};
  std::size_t completed_{0};
  std::uint64_t affected_rows_{0};
  std::vector<failure> failures_{};
  std::optional<std::size_t> ended_at_{};
  bool is_refused_{false};
};

}  // namespace sluice::wire
