#pragma once
// What has been received, handed out and acknowledged of a change stream, and what the server is told about it.
#include <cstdint>
#include <mutex>

#include <sluice/stream/change.hpp>

#include "changes/transaction_end.hpp"
#include "messages/replication.hpp"

namespace sluice::detail {

/// @par Thread safety  all calls from any thread
class receipts {
 public:
  /// @param start          what is safe already
  /// @param confirmed      what the server need not keep any longer
  /// @param server         the end of its log
  /// @param keeps_position the consumer keeps positions: what it has not acknowledged is not confirmed, not even when
  ///                       the server is idle
  receipts(position start, lsn confirmed, lsn server, bool keeps_position) noexcept;

  /// A piece of the log that ends there has arrived.
  void received(lsn end, lsn server) noexcept;
  void handed_out(position at) noexcept;
  /// Everything up to there has been handed out.
  void reached(position at) noexcept;
  /// A transaction has ended. If all that was handed out is safe, it is confirmed now.
  void committed(const transaction_end& now) noexcept;
  /// Between two transactions the server says that up to there, nothing more is to be expected.
  /// @return whether the consumer has to be told
  [[nodiscard]] bool idle(lsn end) noexcept;

  /// @return false: nothing up to there has been handed out
  [[nodiscard]] bool acknowledge(position safe) noexcept;

  /// What to acknowledge once everything that was handed out is safe.
  [[nodiscard]] position last() const noexcept;
  [[nodiscard]] position acknowledged() const noexcept;
  /// What the server is, or will be, told that it need not keep.
  [[nodiscard]] lsn confirmed() const noexcept;
  /// Whether the server has not been told yet what was acknowledged.
  [[nodiscard]] bool are_due() const noexcept;

  struct counts {
    lsn received;
    lsn acknowledged;
    lsn server;
    std::uint64_t changes;
    bool is_all_safe;  ///< of what was handed out
  };
  [[nodiscard]] counts now() const noexcept;

  /// The message that tells the server, which is told with it.
  [[nodiscard]] proto::standby_status_update status(std::int64_t sent_at, bool wants_reply) noexcept;

 private:
  [[nodiscard]] bool is_all_safe() const noexcept { return safe_ >= due_; }
  /// What was read behind the last change is safe as well. A consumer that keeps positions has to be told first: it
  /// could not go on at one that lies before what is confirmed.
  void confirm_rest() noexcept;
  void confirm(lsn upto) noexcept;

  mutable std::mutex mutex_;
  lsn written_;
  lsn server_;
  lsn confirmed_;          // the server need not keep what lies before it
  lsn told_{};             // what the server was last told of that
  position last_;          // all up to there was handed out, or is not wanted
  position due_;           // the last of it that the consumer has to acknowledge
  position safe_;          // up to there it has
  position ended_last_{};  // of the last transaction: what was handed out last,
  lsn ended_{};            // and its end
  std::uint64_t changes_{0};
  bool keeps_position_;
};

}  // namespace sluice::detail
