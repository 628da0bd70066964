#pragma once
// Several connections that read one snapshot, and the tasks that they take.
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/cancellation_state.hpp>
#include <asio/strand.hpp>
#include <asio/this_coro.hpp>

#include <sluice/stream/connection.hpp>
#include <sluice/stream/parallel.hpp>
#include "transport/deadline.hpp"

#include "api/bell.hpp"
#include "api/first_row.hpp"
#include "parallel/split_tasks.hpp"

namespace sluice::detail {

/// Each connection lives on a strand of its own, so that on an executor with several threads they read at the same
/// time. Whoever derives says what becomes of the rows; one coroutine or thread, the consumer, waits for the whole.
///
/// What is static here takes a share of the work with it, so that the consumer may drop its own while it waits.
class parallel_work : public std::enable_shared_from_this<parallel_work> {
 public:
  parallel_work(asio::any_io_executor on, const parallel_options& how);
  virtual ~parallel_work() = default;
  parallel_work(const parallel_work&) = delete;
  parallel_work& operator=(const parallel_work&) = delete;

  /// Connects and divides in the background; then every connection begins with its first task.
  void launch(conninfo where, relation what);
  /// It will not be launched.
  void give_up() noexcept;
  /// Waits until all connections have their tasks.
  static asio::awaitable<void> begun(std::shared_ptr<parallel_work> self);
  /// Waits for the end of all; after a failure, too, so that nothing is under way any more when it is thrown.
  static asio::awaitable<void> finished(std::shared_ptr<parallel_work> self);
  /// Whatever is under way ends in the background. From any thread.
  void stop() noexcept;
  /// Waits until nothing is under way.
  /// @pre `stop` was called
  static asio::awaitable<void> stopped(std::shared_ptr<parallel_work> self);
  [[nodiscard]] parallel_progress progress() const;

 protected:
  struct worker {
    explicit worker(std::uint32_t index, const asio::any_io_executor& on)
        : number{index}, strand{asio::make_strand(on)} {}
    std::uint32_t number;
    asio::any_io_executor strand;
    asio::cancellation_signal stop;
    connection db;
  };

  /// What the first connection does in its transaction: it divides, and reads with the others.
  virtual asio::awaitable<void> lead(worker& me, conninfo where, relation what);
  /// What the rows will be like. Its lock is held.
  virtual void on_division(const division& parts) = 0;
  /// Takes rows of a connection, on the connection's strand; they are gone when it returns.
  virtual asio::awaitable<void> deliver(std::uint32_t connection, chunk rows) = 0;
  /// Whoever waits in `deliver` is to be woken. Its lock is held.
  virtual void on_stop() = 0;

  /// Waits for news until `is_done`, which looks at them.
  /// @par Errors  throws error: cancelled when the consumer's coroutine is; what `is_done` throws
  template <class Condition>
  static asio::awaitable<void> until(std::shared_ptr<parallel_work> self, Condition is_done) {
    while (!is_done()) {
      bool is_cancelled = false;
      try {
        co_await self->news_.rung(self->due());
      } catch (const std::system_error&) {  // Asio's way to say that this coroutine was cancelled before it could wait
        is_cancelled = true;
      }
      // Or while the news was on its way: the caller's next wait would tell of it in Asio's words.
      const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
      if (is_cancelled || state.cancelled() != asio::cancellation_type::none) self->fail_cancelled();
    }
  }
  void tell() { news_.ring(); }
  [[nodiscard]] asking ask_on(connection& db) const noexcept;
  [[nodiscard]] const parallel_options& how() const noexcept { return how_; }
  /// The consumer was away: unless its time counts, the deadline is later.
  void add_pause(wire::clock::duration pause) noexcept;
  [[nodiscard]] bool counts_pauses() const noexcept;

  // With the mutex locked:
  [[nodiscard]] bool is_stopped() const noexcept { return is_stopped_; }
  [[nodiscard]] std::uint32_t running() const noexcept { return running_; }
  /// It may have been stopped before a connection's coroutine could be told.
  void require_wanted() const;
  /// The consumer has some: what is left is the deadline of the whole.
  void note_rows() noexcept { has_rows_ = true; }
  /// Whether all is read. Looks at the deadline.
  /// @par Errors  throws error: what ended the work, deadline_exceeded, cancelled when it was stopped
  [[nodiscard]] bool is_over();

  mutable std::mutex mutex_;

 private:
  worker& add_worker();
  void spawn(worker& who, asio::awaitable<void> part);
  static asio::awaitable<void> work(std::shared_ptr<parallel_work> self, worker& me, asio::awaitable<void> part);
  asio::awaitable<void> open(worker& me, conninfo where, relation what);
  void spawn_all(const std::vector<worker*>& others, const conninfo& where, const std::string& snapshot);
  asio::awaitable<void> follow(worker& me, conninfo where, std::string snapshot);
  asio::awaitable<connection> connect_to(conninfo& where);
  asio::awaitable<void> read_tasks(worker& me);
  static asio::awaitable<void> leave(worker& me);
  [[nodiscard]] std::optional<split_task> take();
  void count(stream_stats& before, const stream_stats& now);
  void fail(std::exception_ptr failure);
  void stop_all() noexcept;
  [[nodiscard]] bool all_have_joined() const;
  [[nodiscard]] query_options own_limits() const noexcept;
  [[nodiscard]] wire::clock::time_point nearest_deadline() const noexcept;
  [[nodiscard]] wire::clock::time_point due() const;
  [[nodiscard]] error problem(errc code, std::string_view what, bool retryable) const;
  [[noreturn]] void fail_cancelled() const;

  asio::any_io_executor on_;
  parallel_options how_;
  std::string path_;   // of the split, which is read longer than the caller may keep it
  std::string place_;  // for messages
  wire::clock::time_point deadline_;
  wire::clock::time_point first_row_deadline_;
  bell news_{on_};
  bell joined_{on_};

  std::deque<split_task> tasks_;
  std::deque<worker> workers_;  // they stay where they are
  std::uint32_t running_{0};
  std::uint32_t joining_{1};  // connections that do not see the snapshot yet
  bool has_rows_{false};
  bool is_stopped_{false};
  std::exception_ptr failure_;
  parallel_progress progress_;
};

}  // namespace sluice::detail
