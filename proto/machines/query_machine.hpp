#pragma once
/// @file
/// The query protocol, seen from the client: which message may come next, and what it means.
///
/// The machine is a value: no socket, no buffer, no clock. Tell it every message that was sent (`sent`), feed it every
/// frame in order (`on`), and do what the step says. It tracks what the server still has to answer, so it supports any
/// message group: Parse, Bind, Describe, Execute and Sync in one write; Parse and Describe first and the rest when the
/// columns are known; another Execute for the next page; a simple Query.
/// Rows do not have to pass through here: while `may_have_rows()` holds, DataRow changes nothing (see `row_walk.hpp`).
/// @see PostgreSQL documentation, sections "Simple Query", "Extended Query" and "Pipelining"

#include <array>
#include <cstdint>
#include <iosfwd>

#include <sluice/proto/fault.hpp>
#include <sluice/proto/frame.hpp>
#include "messages/frontend.hpp"

namespace sluice::proto {

/// What one message means for the caller.
struct step {
  enum class kind : std::uint8_t {
    nothing,    ///< the conversation went on; feed the next frame
    parsed,     ///< ParseComplete: the statement exists from now on
    described,  ///< RowDescription: the columns are known
    no_rows,    ///< NoData: the statement returns no rows
    row,        ///< DataRow: the frame's body is a row; or CopyData of a COPY that was requested
    answer,     ///< DataRow of a question of the driver's own
    told,       ///< CommandComplete of one: there are no more answers
    suspended,  ///< PortalSuspended: the row limit of Execute was reached
    complete,   ///< CommandComplete or EmptyQueryResponse: no more rows of this result
    refused,    ///< ErrorResponse: the frame's body says why; the rest is skipped up to ReadyForQuery
    ready,      ///< ReadyForQuery: the answer to a Sync or a Query is complete
    aside,      ///< NoticeResponse, ParameterStatus, NotificationResponse: allowed at any time, changes nothing here
    copy_in,    ///< CopyInResponse: send the data and CopyDone, or CopyFail; and Sync if `needs_sync`
    copy_out,   ///< CopyOutResponse: the data is skipped
    copying,    ///< CopyOutResponse of a COPY that was requested: rows follow
    copied,     ///< CopyDone of a COPY that was requested
    violation,  ///< the server broke the protocol: `why` says how; close the connection
  };
  kind is{kind::nothing};
  fault why{};

  friend bool operator==(const step&, const step&) = default;
  friend std::ostream& operator<<(std::ostream& out, const step& s);
};

class query_machine {
 public:
  /// The most messages that may be unanswered at a time.
  static constexpr std::size_t most_awaited = 224;

  /// Records that this message was sent, after the earlier ones.
  /// @pre no more than `most_awaited` answers are then awaited
  void sent(const parse& message) noexcept;
  void sent(const bind& message) noexcept;
  void sent(const close& message) noexcept;
  void sent(const describe& message) noexcept;
  void sent(const execute& message) noexcept;
  void sent(const sync& message) noexcept;
  void sent(const query& message) noexcept;
  /// The same for a statement of the driver's own: its answers, rows and completion are ignored.
  void sent_aside(const parse& message) noexcept;
  void sent_aside(const execute& message) noexcept;
  /// The same for a question of the driver's own, whose rows are wanted apart from those of the query.
  void sent_question(const execute& message) noexcept;
  /// The same for a COPY TO STDOUT whose data is wanted.
  void sent_copy(const execute& message) noexcept;
  /// Messages without an answer of their own.
  void sent(const flush& /*message*/) const noexcept {}
  void sent(const copy_data& /*message*/) const noexcept {}
  void sent(const copy_done& /*message*/) const noexcept {}
  void sent(const copy_fail& /*message*/) const noexcept {}

  /// For a statement that was described before: whether it returns rows when it is executed next.
  void known(bool has_rows) noexcept { has_rows_ = has_rows; }

  /// @pre `next` was made by `next_frame`; frames are passed in the order of their arrival
  [[nodiscard]] step on(const frame& next) noexcept;

  /// Whether everything that was sent has been answered.
  [[nodiscard]] bool is_idle() const noexcept { return size_ == 0; }
  /// Whether no Sync is pending: a caller that wants ReadyForQuery has to send one.
  [[nodiscard]] bool needs_sync() const noexcept;
  /// Whether DataRow, or CopyData that is wanted, may come next.
  [[nodiscard]] bool may_have_rows() const noexcept {
    if (size_ == 0) return false;
    if (copying_) return front() == awaited::copy;
    return has_rows_ && (front() == awaited::rows || front() == awaited::results);
  }
  /// Whether the statement being executed returns rows, as far as is known.
  [[nodiscard]] bool has_rows() const noexcept { return has_rows_; }

 private:
  /// The kinds of answer that a sent message awaits.
  enum class awaited : std::uint8_t {
    parse,
    bind,
    close,
    parameters,  // of a statement's description; the columns follow
    columns,
    rows,
    parse_aside,
    rows_aside,
    answers,
    copy,       // to the client: its beginning or its data
    copy_over,  // CommandComplete after its data
    results,    // of a simple query: any number of them
    sync,
  };

  [[nodiscard]] awaited front() const noexcept { return queue_[first_]; }
  [[nodiscard]] awaited at(std::size_t place) const noexcept { return queue_[(first_ + place) % most_awaited]; }
  [[nodiscard]] bool is_next(awaited what) const noexcept { return size_ != 0 && front() == what; }
  void push(awaited what) noexcept;
  void pop() noexcept;
  step answered(step::kind kind) noexcept;
  step described(bool has_rows) noexcept;
  step completed() noexcept;
  step copies(char type) noexcept;
  step copy_data(char type) noexcept;
  void skip_to_sync() noexcept;

  std::array<awaited, most_awaited> queue_{};
  std::uint8_t first_{0};
  std::uint8_t size_{0};
  bool has_rows_{false};
  bool copying_{false};     // inside the data of a COPY
  bool any_result_{false};  // a simple query may end: it has had at least one result
};

}  // namespace sluice::proto
