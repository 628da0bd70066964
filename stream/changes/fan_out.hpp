#pragma once
// Reads one change stream for many subscribers.
#include <cstddef>
#include <exception>
#include <map>
#include <memory>
#include <vector>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/cancellation_signal.hpp>

#include <sluice/stream/change_fan_out.hpp>

#include "changes/change_condition.hpp"
#include "changes/kept_change.hpp"
#include "changes/subscription.hpp"
#include "drive/bell.hpp"
#include "query/client_filter.hpp"

namespace sluice::detail {

// Static functions hold a shared reference to the state, because its owner may be destroyed while they wait. Conditions
// are the caller's code: they may subscribe, leave, and destroy the owner.
class fan_out {
 public:
  explicit fan_out(change_stream of);

  /// Reads in the background from now on.
  static void start(const std::shared_ptr<fan_out>& self);
  [[nodiscard]] std::shared_ptr<subscription> subscribe(subscriber_options how);
  static asio::awaitable<change_batch> next(std::shared_ptr<fan_out> self, std::shared_ptr<subscription> mine);
  void acknowledge(subscription& by, position safe);
  void leave(subscription& who) noexcept;

  static asio::awaitable<void> close(std::shared_ptr<fan_out> self);
  /// The owner is gone.
  void leave() noexcept;

  [[nodiscard]] std::size_t live() const noexcept;
  [[nodiscard]] change_progress progress() const noexcept { return stream_.progress(); }
  [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return executor_; }

 private:
  static asio::awaitable<void> read(std::shared_ptr<fan_out> self);
  static asio::awaitable<void> read_on(std::shared_ptr<fan_out> self);
  [[nodiscard]] bool may_read() const noexcept;
  void hand_out(const change_chunk& some);
  /// @return whether all have room for another
  [[nodiscard]] bool hand_out(const change& each);
  [[nodiscard]] bool is_wanted(subscription& by, const change& each, const changed_relation* table);
  void refuse(subscription& slow);
  void note(subscription& of);
  void settle();
  void forget_left() noexcept;
  void end(const std::exception_ptr& why) noexcept;

  asio::any_io_executor executor_;
  change_stream stream_;
  wire::bell room_;  // wakes the reader
  wire::bell done_;  // rung when the reader has ended
  asio::cancellation_signal stop_;
  std::vector<std::shared_ptr<subscription>> subscriptions_;
  std::map<position, std::size_t> needed_;  // how many need what follows a position
  change_keeper keeper_;
  row_conditions conditions_;
  row_image image_;
  bool has_image_{false};  // of the change that is being handed out
  position read_{};        // all that was read
  position previous_{};    // of the change that was read last
  position settled_{};     // all that was acknowledged
  std::exception_ptr failure_;
  bool is_over_{false};
  bool is_reading_{false};
  bool is_handing_out_{false};
  bool is_pausing_{false};
  bool is_closing_{false};
  bool is_left_{false};  // the owner is gone
};

}  // namespace sluice::detail
