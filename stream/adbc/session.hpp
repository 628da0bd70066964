#pragma once
// One connection as all its handles share it: the C handles of the connection and its statements, and the streams of
// results, each of which may be released first.
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/stream/batch.hpp>
#include <sluice/stream/client.hpp>
#include <sluice/stream/copy.hpp>
#include <sluice/stream/transaction.hpp>

#include "adbc/border.hpp"
#include "adbc/turn_lock.hpp"

namespace sluice::adbc {

class batch_source;
class open_result;

/// Who does something on a connection, for whoever wants to cancel it.
using owner = std::uint64_t;
inline constexpr owner the_connection{0};
[[nodiscard]] owner new_owner() noexcept;

/// Rows of a small result; nothing for NULL.
using text_rows = std::vector<std::vector<std::optional<std::string>>>;

/// A connection. One thread at a time does something on it, and holds a `turn`; others wait for theirs. Only `cancel`
/// does not wait.
class session {
 public:
  /// Connects. @see client
  explicit session(conninfo where);
  ~session();
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  /// A connection in use by this thread.
  class turn {
   public:
    /// @par Errors  throws failure: invalid_state when the connection was released, and for a turn that never comes
    turn(session& of, owner by);
    ~turn();
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;

   private:
    session& of_;
    std::unique_lock<turn_lock> lock_;
    std::optional<owner> before_;  // a stream that was bound may read from the same connection
  };

  // The following need a turn. They run in the open transaction, or in a new one without autocommit.
  [[nodiscard]] row_range stream(const query& what, const query_options& how);
  command_result execute(const query& what, const query_options& how);
  command_result execute(std::string_view statements, const query_options& how);
  /// Runs something in the open transaction; with autocommit in one of its own: all of it, or nothing.
  /// @param work  called with a blocking_transaction
  template <class Work>
  auto in_one_transaction(const Work& work) {
    if (!autocommit_) return work(transaction());
    blocking_transaction own = connection_.begin();
    auto result = work(own);
    own.commit();
    return result;
  }
  /// Runs a question that may fail, without failing the open transaction.
  /// @param work  called with a client or a blocking_transaction
  template <class Work>
  auto beside(const Work& work) {
    if (!is_in_transaction()) return work(connection_);
    blocking_transaction inside = transaction_->begin();
    auto result = work(inside);
    inside.commit();
    return result;
  }
  /// Rows about the connection and the catalog, as text. They begin no transaction.
  [[nodiscard]] text_rows look(query what);
  /// Statements that set something up. They begin no transaction.
  void configure(std::string_view statements);
  [[nodiscard]] bool is_in_transaction() const noexcept { return transaction_ && transaction_->is_open(); }
  /// The name of its database.
  [[nodiscard]] std::string catalog();

  [[nodiscard]] bool autocommit() const noexcept { return autocommit_; }
  /// Turned on, it commits.
  void set_autocommit(bool on);
  /// @par Errors  throws failure: invalid_state with autocommit
  void commit();
  /// Closes the results that are still open, too.
  void rollback();
  [[nodiscard]] client& connection() noexcept { return connection_; }
  /// Where it leads.
  [[nodiscard]] const conninfo& where() const noexcept { return where_; }

  /// A result that is read from this connection, until `remove`, which comes before it needs a turn to end.
  void add(open_result& result);
  void remove(open_result& result) noexcept;
  /// Leaves what a result was read from to the next turn, because this thread cannot have one.
  void leave(std::unique_ptr<batch_source> from) noexcept;
  /// Cancels what runs: a call in another thread, or results that are being read.
  /// @param by  whose; `the_connection`: anybody's
  /// @return whether there was anything
  [[nodiscard]] bool cancel(owner by) noexcept;
  /// The handle of the connection is gone: no new turns, except to read results to their end.
  void release() noexcept { is_released_ = true; }
  [[nodiscard]] bool is_released() const noexcept { return is_released_; }

 private:
  friend class open_result;
  blocking_transaction& transaction();
  void end_transaction();
  void forget_interrupt();
  void drop_what_was_left();
  void close_results(bool only_cancelled) noexcept;
  void begin_turn(owner by, std::optional<owner>& before);
  void end_turn(std::optional<owner> before) noexcept;

  turn_lock use_;
  conninfo where_;
  client connection_;
  std::optional<blocking_transaction> transaction_{};
  bool autocommit_{true};
  std::atomic<bool> is_released_{false};

  std::mutex guard_;  // of what follows; no waiting while it is held
  std::optional<owner> running_{};
  bool is_interrupted_{false};
  std::vector<open_result*> results_{};
  std::vector<std::unique_ptr<batch_source>> left_{};
};

}  // namespace sluice::adbc
