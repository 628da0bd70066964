#pragma once
// Several connections that read one snapshot, and the tasks that they take.
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/strand.hpp>

#include <sluice/stream/connection.hpp>
#include <sluice/stream/parallel.hpp>

#include "bell.hpp"
#include "split_tasks.hpp"

namespace sluice::detail {

/// Each connection lives on a strand of its own, so that on an executor with several threads they read at the same
/// time. Whoever derives says what becomes of the rows; one coroutine or thread waits for the whole.
class parallel_work : public std::enable_shared_from_this<parallel_work> {
 public:
  virtual ~parallel_work() = default;
  parallel_work(const parallel_work&) = delete;
  parallel_work& operator=(const parallel_work&) = delete;

  /// Connects and divides; then every connection begins with its first task.
  asio::awaitable<void> begin(conninfo where, relation what);
  /// Whatever is under way ends in the background. From any thread.
  void stop() noexcept;
  /// Stops, and waits until nothing is under way.
  asio::awaitable<void> cancel();
  [[nodiscard]] parallel_progress progress() const;

 protected:
  parallel_work(asio::any_io_executor on, const parallel_options& how) : on_{std::move(on)}, how_{how} {}

  /// What the rows will be like. Its lock is held.
  virtual void on_division(const division& parts) = 0;
  /// Takes rows of a connection, on the connection's strand; they are gone when it returns.
  virtual asio::awaitable<void> deliver(std::uint32_t connection, chunk rows) = 0;
  /// Whoever waits in `deliver` is to be woken. Its lock is held.
  virtual void on_stop() = 0;

  asio::awaitable<void> news();
  void tell() { news_.ring(); }
  void throw_if_failed() const;

  // Guarded by `mutex_`:
  [[nodiscard]] bool is_stopped() const noexcept { return is_stopped_; }
  [[nodiscard]] std::uint32_t running() const noexcept { return running_; }

  mutable std::mutex mutex_;

 private:
  struct worker {
    explicit worker(std::uint32_t index, const asio::any_io_executor& on)
        : number{index}, strand{asio::make_strand(on)} {}
    std::uint32_t number;
    asio::any_io_executor strand;
    asio::cancellation_signal stop;
    connection db;
  };

  worker& add_worker();
  void spawn(worker& who, asio::awaitable<void> part);
  static asio::awaitable<void> work(std::shared_ptr<parallel_work> self, worker& me, asio::awaitable<void> part);
  asio::awaitable<void> lead(worker& me, conninfo where, relation what);
  asio::awaitable<void> follow(worker& me, conninfo where, std::string snapshot);
  asio::awaitable<connection> connect_to(conninfo& where);
  asio::awaitable<void> read_tasks(worker& me);
  static asio::awaitable<void> leave(worker& me);
  void require_wanted() const;
  [[nodiscard]] std::optional<split_task> take();
  void count(stream_stats& before, const stream_stats& now);
  void fail(std::exception_ptr failure);
  [[nodiscard]] bool all_have_joined() const;

  asio::any_io_executor on_;
  parallel_options how_;
  bell news_{on_};
  bell joined_{on_};

  std::deque<split_task> tasks_;
  std::deque<worker> workers_;  // they stay where they are
  std::uint32_t running_{0};
  std::uint32_t joining_{1};  // connections that do not see the snapshot yet
  bool is_stopped_{false};
  std::exception_ptr failure_;
  parallel_progress progress_;
};

}  // namespace sluice::detail
