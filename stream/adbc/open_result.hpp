#pragma once
// Results as ArrowArrayStreams.
#include <atomic>
#include <cstdint>
#include <memory>

#include <sluice/arrow/batch.hpp>

#include "adbc/border.hpp"
#include "adbc/column_tree.hpp"
#include "adbc/session.hpp"

namespace sluice::adbc {

/// Where the batches of a result come from.
class batch_source {
 public:
  virtual ~batch_source() = default;
  batch_source(const batch_source&) = delete;
  batch_source& operator=(const batch_source&) = delete;
  [[nodiscard]] virtual arrow_schema schema() = 0;
  /// @return none at the end
  [[nodiscard]] virtual arrow_batch next() = 0;

 protected:
  batch_source() = default;
};

/// A result that a program reads, from any thread.
/// @par Thread safety  `cancel`; the rest as a `turn` on the connection
class open_result {
 public:
  enum class kind : std::uint8_t {
    of_server,
    in_memory,  ///< nothing is read from the connection, which is there to cancel it
  };
  /// @param on  the connection; null for a result in memory that nobody cancels
  open_result(std::shared_ptr<session> on, std::unique_ptr<batch_source> from, owner by, kind is);
  ~open_result();
  open_result(const open_result&) = delete;
  open_result& operator=(const open_result&) = delete;

  [[nodiscard]] owner by() const noexcept { return by_; }
  /// @par Errors  throws failure: cancelled, or invalid_state when it was closed; what the source throws
  [[nodiscard]] arrow_schema schema();
  [[nodiscard]] arrow_batch next();
  /// @return whether there was anything left to cancel
  bool cancel() noexcept;
  [[nodiscard]] bool is_cancelled() const noexcept { return is_cancelled_; }
  /// Gives the connection back. What was not read is cancelled on the server. While it is being read, which what was
  /// bound may interrupt, it is closed afterwards.
  /// @pre a turn on the connection
  void close() noexcept;

 private:
  template <class Call>
  auto read(const Call& call);

  std::shared_ptr<session> on_;
  std::unique_ptr<batch_source> from_;
  owner by_;
  kind is_;
  bool is_being_read_{false};  // this and the next need a turn
  bool is_closed_{false};
  std::atomic<bool> is_cancelled_{false};
  std::atomic<bool> is_over_{false};
};

/// Hands a result to a program.
/// @param to  overwritten
/// @return the result, for whoever may have to close it
std::shared_ptr<open_result> export_result(std::shared_ptr<session> on, std::unique_ptr<batch_source> from, owner by,
                                           ArrowArrayStream* to);
/// Hands over a result that is in memory, as one batch.
/// @param on    whose `cancel` ends it
/// @param rows  a struct
void export_tree(std::shared_ptr<session> on, std::unique_ptr<column_tree> rows, ArrowArrayStream* to);
/// A result without columns and rows: of a statement that returns none.
void export_nothing(ArrowArrayStream* to);

/// The error of a stream that `export_result` made; null for others, and without an error.
const AdbcError* error_of_stream(ArrowArrayStream* stream, AdbcStatusCode* code) noexcept;

}  // namespace sluice::adbc
