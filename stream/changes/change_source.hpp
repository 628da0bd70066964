#pragma once
// A change stream at work: from connecting to the changes, over a snapshot, and again after the connection was lost.
#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <sluice/stream/changes.hpp>
#include <sluice/wire/conninfo.hpp>
#include <sluice/wire/observer.hpp>

#include "api/wish.hpp"
#include "changes/change_connection.hpp"
#include "changes/change_feed.hpp"
#include "changes/receipts.hpp"
#include "changes/second_connection.hpp"
#include "changes/slot_health.hpp"
#include "changes/snapshot_reader.hpp"
#include "drive/bell.hpp"
#include "transport/open_span.hpp"

namespace sluice::detail {

// Static functions hold a shared reference to the state, because its owner may be destroyed while they wait.
/// @par Thread safety  `acknowledge` and what the feed does to what has arrived may run in another thread than the
/// rest,
///                     while no call waits
class change_source {
 public:
  change_source(conninfo where, change_options how, const asio::any_io_executor& on);
  change_source(const change_source&) = delete;
  change_source& operator=(const change_source&) = delete;

  static asio::awaitable<void> begin(std::shared_ptr<change_source> self);
  /// @return whether the feed has something, or the position has moved; false at the end
  static asio::awaitable<bool> next(std::shared_ptr<change_source> self);
  void acknowledge(position safe);
  static asio::awaitable<void> close(std::shared_ptr<change_source> self);
  static asio::awaitable<slot_lag> lag(std::shared_ptr<change_source> self);
  /// The owner is gone.
  void leave() noexcept;

  [[nodiscard]] change_feed& feed() noexcept { return *feed_; }
  [[nodiscard]] change_progress progress() const noexcept;
  [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return executor_; }

 private:
  enum class phase : std::uint8_t {
    snapshot,
    settling,  // the snapshot has been handed out: it is to be acknowledged
    streaming,
    over,
  };

  static asio::awaitable<void> tell_in_time(std::shared_ptr<change_source> self);
  static asio::awaitable<void> attend(std::shared_ptr<change_source> self);
  asio::awaitable<void> attend_on();
  asio::awaitable<void> beat(second_connection& on);
  asio::awaitable<void> tell_of_slot(second_connection& on);
  asio::awaitable<slot_lag> look_at_slot(second_connection& on);

  asio::awaitable<void> connect();
  asio::awaitable<void> open();
  asio::awaitable<void> begin_with(slot_facts slot);
  asio::awaitable<void> create(const slot_facts& server);
  asio::awaitable<void> start(lsn from);
  asio::awaitable<void> read_on();
  asio::awaitable<void> read_some();
  asio::awaitable<bool> read_snapshot();
  asio::awaitable<void> settle();
  asio::awaitable<void> make_permanent();
  asio::awaitable<void> make_failover(std::string slot);
  [[nodiscard]] bool is_snapshot_safe() const noexcept;
  /// @return whether there is something to hand out
  asio::awaitable<bool> read_log();
  asio::awaitable<void> learn_types();
  void tell_soon();
  asio::awaitable<void> reconnect();
  asio::awaitable<void> connect_again();
  [[nodiscard]] bool may_reconnect(const error& why) const noexcept;
  void require_usable(const slot_facts& slot, std::optional<position> from);
  asio::awaitable<void> require_same_history(std::uint32_t timeline);
  void tell(bool wants_reply) noexcept;
  [[nodiscard]] wire::clock::time_point next_telling() const noexcept;
  /// Its rows have positions between this one and those of all changes.
  [[nodiscard]] position before_snapshot() const noexcept { return {.commit = {begins_.value - 1}}; }
  void end() noexcept;
  [[nodiscard]] slot_lag with_age(slot_lag told) const noexcept;
  void report(change_stream_event::kind what, const slot_lag* health = nullptr) noexcept;
  void begin_batch() noexcept;
  void end_batch() noexcept;

  conninfo where_;
  change_options how_;
  asio::any_io_executor executor_;
  wish wish_;
  wish attended_;    // the same for what is done over a second connection
  wire::bell bell_;  // wakes what tells the server

  std::unique_ptr<change_connection> connection_;
  change_filter filter_;
  std::optional<receipts> receipts_;
  std::optional<change_feed> feed_;
  std::optional<snapshot_reader> snapshot_;
  phase phase_{phase::streaming};
  std::string slot_;  // the one that is read: a temporary one up to the end of a snapshot
  lsn begins_{};      // where the changes begin
  std::uint32_t server_version_{0};
  std::uint32_t timeline_{0};           // of the log that is read; 0: a standby's
  std::chrono::milliseconds interval_;  // between two tellings
  std::optional<error> failure_;        // which has ended the stream
  bool has_something_{false};           // to hand out
  std::uint64_t reported_{0};           // changes
  std::atomic<wire::clock::rep> acknowledged_at_{0};
  wire::open_span batch_{};          // what was handed out is with the consumer
  std::uint64_t changes_before_{0};  // it
  wire::clock::time_point told_at_{};
  std::atomic<wire::clock::rep> due_since_{0};  // the first acknowledgement that was not told; 0: there is none
};

}  // namespace sluice::detail
