#pragma once
// Several connections that read one snapshot, and the tasks they take.
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/strand.hpp>
#include <asio/this_coro.hpp>

#include <sluice/stream/connection.hpp>
#include <sluice/stream/parallel.hpp>
#include "drive/coroutine_driver.hpp"
#include "pool/session_pool.hpp"
#include "transport/deadline.hpp"

#include "api/first_row.hpp"
#include "drive/bell.hpp"
#include "parallel/split_tasks.hpp"
#include "parallel/task_line.hpp"

namespace sluice::detail {

/// Each connection runs on its own strand, so on an executor with several threads they read in parallel. Derived
/// classes decide what happens to the rows. One coroutine or thread, the consumer, waits for the whole.
///
/// Static functions hold a shared reference to the work, so the consumer may drop its own while it waits.
class parallel_work : public std::enable_shared_from_this<parallel_work> {
 public:
  parallel_work(asio::any_io_executor on, const parallel_options& how);
  virtual ~parallel_work() = default;
  parallel_work(const parallel_work&) = delete;
  parallel_work& operator=(const parallel_work&) = delete;

  /// Connects and divides in the background; then every connection starts on its first task.
  void launch(conninfo where, relation what);
  /// The same with connections of a pool, and with fewer if it has not enough left.
  /// @pre the pool's executor is this one's
  void launch(std::shared_ptr<wire::session_pool> lender, relation what);
  /// Called instead of `launch` if the work will not be launched.
  void give_up() noexcept;
  /// Waits until all connections have their tasks.
  static asio::awaitable<void> begun(std::shared_ptr<parallel_work> self);
  /// Waits for everything to end, also after a failure, so that nothing is running any more when it throws.
  static asio::awaitable<void> finished(std::shared_ptr<parallel_work> self);
  /// Ends whatever is running, in the background. May be called from any thread.
  void stop() noexcept;
  /// Waits until nothing is running.
  /// @pre `stop` was called
  static asio::awaitable<void> stopped(std::shared_ptr<parallel_work> self);
  [[nodiscard]] parallel_progress progress() const;
  [[nodiscard]] stream_stats stats() const;
  /// Of the rows, if they are columns and any task has told them.
  [[nodiscard]] std::span<const result_column> columns() const;
  /// How the queries were ended.
  /// @pre nothing is running
  [[nodiscard]] leaving outcome() const;
  [[nodiscard]] const asio::any_io_executor& get_executor() const noexcept { return on_; }

 protected:
  struct worker {
    worker(std::uint32_t index, asio::any_io_executor on) : number{index}, strand{std::move(on)} {}
    std::uint32_t number;
    asio::any_io_executor strand;
    asio::cancellation_signal stop;
    connection db;
    std::shared_ptr<wire::session> session;       // of `db`
    std::uint32_t table{0};                       // @see split_task::table
    std::vector<wire::session_pool::room> rooms;  // before it has a session; the first one has those of all
  };

  /// The same without a relation, for one that overrides `open`.
  void launch(conninfo where);
  /// What the first connection does: it connects, and leads in a transaction, if there are others.
  virtual asio::awaitable<void> open(worker& me, conninfo where);
  /// It divides the relation, then reads along with the others.
  virtual asio::awaitable<void> lead(worker& me, conninfo where, relation what);
  asio::awaitable<void> connect(worker& me, conninfo& where);
  /// Has all connections read the tasks.
  /// @param snapshot  of the transaction of this one; the others import it
  asio::awaitable<void> share(worker& me, const conninfo& where, const std::string& snapshot, division parts);
  /// Announces what the rows will be like. Called with the mutex locked.
  virtual void on_division(const division& parts) = 0;
  /// Takes rows of a connection, on the connection's strand; they are invalid after it returns.
  virtual asio::awaitable<void> deliver(const worker& by, chunk rows) = 0;
  /// Must wake any coroutine that waits in `deliver`. Called with the mutex locked.
  virtual void on_stop() = 0;

  /// Waits for news until `is_done`, which checks for them.
  /// @par Errors  throws error: cancelled when the consumer's coroutine is; what `is_done` throws
  template <class Condition>
  static asio::awaitable<void> until(std::shared_ptr<parallel_work> self, Condition is_done) {
    while (!is_done()) {
      asio::awaitable<void> news = self->news_.rung(self->due());
      const bool goes_on = co_await wire::uncancelled(std::move(news));
      if (!goes_on) self->fail_cancelled();
    }
  }
  void tell() { news_.ring(); }
  [[nodiscard]] asking ask_on(connection& db) const noexcept;
  /// Limits for queries other than the tasks. The consumer watches the deadlines of the whole.
  [[nodiscard]] query_options own_limits() const noexcept;
  [[nodiscard]] const parallel_options& how() const noexcept { return how_; }
  /// The consumer was busy: this extends the deadline, unless the consumer's time counts.
  void add_pause(wire::clock::duration pause) noexcept;
  [[nodiscard]] bool counts_pauses() const noexcept;

  // With the mutex locked:
  [[nodiscard]] bool is_stopped() const noexcept { return is_stopped_; }
  [[nodiscard]] std::uint32_t running() const noexcept { return running_; }
  /// Needed because the work may be stopped before a connection's coroutine can be told.
  void require_wanted() const;
  /// The consumer has received rows: only the overall deadline remains.
  void note_rows() noexcept;
  /// Whether everything has been read. Checks the deadline.
  /// @par Errors  throws error: what ended the work; deadline_exceeded; cancelled if it was stopped
  [[nodiscard]] bool is_over();

  mutable std::mutex mutex_;

 private:
  void begin(conninfo where);
  worker& add_worker();
  void spawn(worker& who, asio::awaitable<void> part);
  static asio::awaitable<void> work(std::shared_ptr<parallel_work> self, worker& me, asio::awaitable<void> part);
  void spawn_all(worker& me, const std::vector<worker*>& others, const conninfo& where, const std::string& snapshot);
  asio::awaitable<void> follow(worker& me, conninfo where, std::string snapshot);
  asio::awaitable<void> read_tasks(worker& me);
  void take_room(worker& me);
  [[nodiscard]] bool let_go(worker& me) noexcept;
  [[nodiscard]] bool send_tasks(task_line& to);
  [[nodiscard]] std::optional<split_task> take(std::size_t already);
  void count(stream_stats& before, const stream_stats& now);
  void note_columns(std::span<const result_column> columns);
  void fail(std::exception_ptr failure);
  void stop_all() noexcept;
  [[nodiscard]] bool is_alone() const noexcept { return how_.connections == 1; }
  [[nodiscard]] bool all_have_joined() const;
  [[nodiscard]] wire::clock::time_point nearest_deadline() const noexcept;
  [[nodiscard]] wire::clock::time_point due() const;
  [[nodiscard]] error problem(errc code, std::string_view what, bool retryable) const;
  [[noreturn]] void fail_cancelled() const;

  asio::any_io_executor on_;
  parallel_options how_;
  std::optional<relation> what_;                  // until it has begun
  std::shared_ptr<wire::session_pool> lender_{};  // null: connections are made
  std::string path_;                              // of the split; read for longer than the caller may keep its own
  std::string place_;                             // for messages
  wire::clock::time_point deadline_;
  wire::clock::time_point first_row_deadline_;
  wire::bell news_{on_};
  wire::bell joined_{on_};

  std::deque<split_task> tasks_;
  std::deque<worker> workers_;  // addresses are stable
  std::uint32_t running_{0};
  std::uint32_t joining_{1};  // connections that have not imported the snapshot yet
  bool has_rows_{false};
  bool is_stopped_{false};
  std::exception_ptr failure_;
  bool has_broken_{false};  // a connection that could not be brought to a clean end
  parallel_progress progress_;
  wire::clock::time_point began_{};
  stream_stats totals_;
  result_columns columns_;  // does not change once it is set
};

}  // namespace sluice::detail
