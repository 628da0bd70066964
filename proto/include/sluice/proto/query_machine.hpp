#pragma once
/// @file
/// One query, seen from the client: which message may come now, and what it means.
///
/// The machine is a value: no socket, no buffer, no clock. Feed it every frame in order and do what `step` says. Three
/// kinds of flight are known:
///   - extended: Parse, Bind, Describe (portal), Execute, Sync, all in one write
///   - describe_first: Parse, Describe (statement), Flush; when `described` comes the caller looks at the columns,
///   sends
///     Bind, Execute and Sync, with another Parse before them or not, and says so by `executing`
///   - simple: Query, with as many results as the text has statements
/// Rows do not have to pass through here: while `may_have_rows()` holds, DataRow changes nothing (see `row_walk.hpp`).
/// @see PostgreSQL documentation, sections "Simple Query" and "Extended Query"

#include <cstdint>
#include <iosfwd>

#include <sluice/export.hpp>
#include <sluice/proto/fault.hpp>
#include <sluice/proto/frame.hpp>

namespace sluice::proto {

/// What one message means for the caller.
struct step {
  enum class kind : std::uint8_t {
    nothing,    ///< the conversation went on; feed the next frame
    described,  ///< RowDescription: the columns are known
    no_rows,    ///< NoData: the statement gives none
    row,        ///< DataRow: the frame's body is a row
    suspended,  ///< PortalSuspended: the row limit of Execute was reached
    complete,   ///< CommandComplete or EmptyQueryResponse: no more rows of this result
    refused,    ///< ErrorResponse: the frame's body says why; the rest is skipped up to ReadyForQuery
    ready,      ///< ReadyForQuery: the connection is free
    aside,      ///< NoticeResponse, ParameterStatus, NotificationResponse: may stand anywhere, changes nothing here
    copy_in,    ///< CopyInResponse: send CopyFail and Sync; an ErrorResponse follows
    copy_out,   ///< CopyOutResponse: the data is skipped
    violation,  ///< the server broke the protocol: `why` says how; close the connection
  };
  kind is{kind::nothing};
  fault why{};

  friend bool operator==(const step&, const step&) = default;
  SLUICE_API friend std::ostream& operator<<(std::ostream& out, const step& s);
};

class SLUICE_API query_machine {
 public:
  enum class flight : std::uint8_t { extended, describe_first, simple };

  /// Idle: no query is under way.
  query_machine() = default;
  explicit query_machine(flight kind) noexcept;

  /// @pre `next` was made by `next_frame`; frames are given in the order of their arrival
  [[nodiscard]] step on(const frame& next) noexcept;

  /// Bind, Execute and Sync were sent, with another Parse before them or not.
  /// @pre `is_deciding()`
  void executing(bool parsed_again) noexcept;
  /// A describe_first flight was refused, or will not be executed: Sync was sent.
  void synced() noexcept;

  /// A describe_first flight has told its columns, and the caller has not said `executing` yet.
  [[nodiscard]] bool is_deciding() const noexcept { return phase_ == phase::deciding; }
  /// No Sync is under way: a caller that wants ReadyForQuery has to send one.
  [[nodiscard]] bool needs_sync() const noexcept { return needs_sync_; }
  /// DataRow is what may come next.
  [[nodiscard]] bool may_have_rows() const noexcept {
    return phase_ == phase::fetching || phase_ == phase::simple_rows;
  }
  [[nodiscard]] bool is_idle() const noexcept { return phase_ == phase::idle; }

 private:
  enum class phase : std::uint8_t {
    idle,
    parsing,
    typing,      // describe_first: ParameterDescription
    describing,  // RowDescription or NoData
    deciding,    // describe_first: the caller's turn
    binding,
    fetching,
    rowless,         // a statement without rows: CommandComplete
    copying,         // the data of a COPY that nobody wants
    simple_results,  // a simple query between two results
    simple_rows,
    closing,  // ReadyForQuery
  };

  [[nodiscard]] step go(phase next, step::kind kind) noexcept;
  [[nodiscard]] step described(step::kind kind) noexcept;

  phase phase_{phase::idle};
  bool describe_first_{false};  // still before the decision
  bool described_{false};       // the columns are known: Bind's answer is followed by rows, not by their description
  bool has_rows_{false};
  bool answered_{false};  // a simple query may end: something came
  bool simple_{false};
  bool needs_sync_{false};
};

}  // namespace sluice::proto
