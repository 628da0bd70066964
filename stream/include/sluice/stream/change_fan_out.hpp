#pragma once
/// @file
/// One change stream for many subscribers: one slot and one connection, each change decoded once.
///
///     sluice::change_stream changes = co_await sluice::follow(where, how);
///     sluice::change_fan_out everything{std::move(changes)};
///     sluice::subscriber_options wanted;
///     wanted.where = sluice::field("customer") == 42;
///     sluice::change_subscriber mine = everything.subscribe(wanted);
///     while (const sluice::change_batch some = co_await mine.next()) {
///       for (const sluice::shared_change& each : some) send(each.text());
///       mine.acknowledge(some.last());
///     }
///
/// @see docs/changes.md

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <sluice/export.hpp>
#include <sluice/stream/change.hpp>
#include <sluice/stream/changes.hpp>
#include <sluice/stream/predicate.hpp>
#include <sluice/stream/token.hpp>

namespace sluice {

namespace detail {
class fan_out;
struct kept_change;
class subscription;
}  // namespace detail

/// What happens when a subscriber's queue is full. A subscriber that waits in `next` is never too slow: it runs first.
enum class slow_subscriber : std::uint8_t {
  pause,  ///< nothing is read until there is room again; the server is held back
  drop,   ///< the subscriber is dropped: its `next` throws stream_too_large
  end,    ///< the stream ends: `next` throws stream_too_large, for the others once their queues are empty
};

/// What a subscriber wants, and how much may wait for it.
struct subscriber_options {
  /// Changes of this table only, schema.name or name, unquoted; of all tables if empty. With a table, what has none
  /// (messages, begin, commit) is not wanted.
  std::string table{};
  /// Only rows that match; evaluated on the client. @see change_options::where
  std::optional<predicate> where{};
  /// Changes up to here are skipped: the position that the subscriber stores with its data.
  std::optional<position> from{};
  /// Bounds of the queue; at least one change fits, however large. What `next` has handed out does not count.
  std::size_t max_events{4096};
  std::size_t max_bytes{std::size_t{1} << 20U};  ///< of changes with all that belongs to them
  slow_subscriber when_full{slow_subscriber::pause};
};

/// One change, shared by all who got it. A value type: copies share their contents. One that was moved from can only be
/// assigned to and destroyed.
/// @par Thread safety  as std::shared_ptr<const T>
class SLUICE_API shared_change {
 public:
  explicit shared_change(std::shared_ptr<const detail::kept_change> kept) noexcept : kept_{std::move(kept)} {}

  [[nodiscard]] sluice::operation operation() const noexcept;
  [[nodiscard]] sluice::position position() const noexcept;
  /// Of the transaction; 0 for a row of the snapshot, and for a message that is not transactional.
  [[nodiscard]] std::uint32_t xid() const noexcept;
  [[nodiscard]] std::string_view gid() const noexcept;  ///< @see change::gid
  /// When the transaction was committed, in UTC; the epoch where `xid` is 0.
  [[nodiscard]] std::chrono::sys_time<std::chrono::microseconds> committed_at() const noexcept;
  /// @par Lifetime  views into a change are valid as long as any copy of it
  /// @par Errors    throws error: bad_state for a change without a table
  [[nodiscard]] const changed_relation& relation() const;
  [[nodiscard]] std::string_view text() const noexcept;      ///< @see change::text
  [[nodiscard]] std::string_view old_text() const noexcept;  ///< @see change::old_text
  [[nodiscard]] bool old_is_key() const noexcept;
  [[nodiscard]] std::span<const std::string_view> unchanged() const noexcept;  ///< @see change::unchanged
  [[nodiscard]] std::string_view prefix() const noexcept;
  [[nodiscard]] bool is_cascade() const noexcept;
  [[nodiscard]] bool restarts_identity() const noexcept;

 private:
  std::shared_ptr<const detail::kept_change> kept_;
};

/// What was waiting for a subscriber. It owns its changes and may be kept.
class SLUICE_API change_batch {
 public:
  /// The end.
  change_batch() = default;
  explicit change_batch(std::vector<shared_change> changes) noexcept : changes_{std::move(changes)} {}

  /// False at the end; otherwise there is at least one change.
  explicit operator bool() const noexcept { return !changes_.empty(); }
  [[nodiscard]] std::vector<shared_change>::const_iterator begin() const noexcept { return changes_.begin(); }
  [[nodiscard]] std::vector<shared_change>::const_iterator end() const noexcept { return changes_.end(); }
  [[nodiscard]] std::size_t size() const noexcept { return changes_.size(); }
  /// Of the last change: what to acknowledge once all are safe.
  [[nodiscard]] position last() const noexcept { return changes_.empty() ? position{} : changes_.back().position(); }

 private:
  std::vector<shared_change> changes_;
};

/// One of those who share a stream. Movable; it leaves when it is destroyed, also while its `next` waits, and may
/// outlive its `change_fan_out`.
/// @par Thread safety  none: as `change_fan_out`
class SLUICE_API change_subscriber {
 public:
  /// Nobody; also the moved-from state. Its calls throw bad_state.
  change_subscriber() noexcept;
  change_subscriber(change_subscriber&&) noexcept;
  change_subscriber& operator=(change_subscriber&&) noexcept;
  ~change_subscriber();

  /// Everything in its queue; waits only if that is empty.
  /// @return false at the end, which comes after `change_fan_out::close`, or when that was destroyed
  /// @par Errors        throws error: what has ended the stream, after all that came before it; stream_too_large when
  ///                    it was too slow; bad_state while another `next` of it waits. Throws what its condition has
  ///                    thrown: that ends this subscriber only
  /// @par Cancellation  terminal: throws cancelled; nothing is lost
  [[nodiscard]] asio::awaitable<change_batch> next();
  /// With a completion token: `void(std::exception_ptr, change_batch)`; see <sluice/stream/async.hpp>.
  template <class Token>
  auto next(Token&& token) {
    return detail::with_token(get_executor(), [this] { return next(); }, std::forward<Token>(token));
  }

  /// It no longer needs anything up to this position. Positions that all subscribers have acknowledged are confirmed to
  /// the server. Does nothing after the end.
  /// @par Errors  throws error: bad_state for a position that was not handed out to it yet
  void acknowledge(position safe);

  /// Unsubscribes. What it has not acknowledged is no longer retained for it; a waiting `next` throws cancelled.
  void leave() noexcept;

  [[nodiscard]] std::size_t queued_events() const noexcept;
  [[nodiscard]] std::size_t queued_bytes() const noexcept;
  /// @par Errors  throws error: bad_state for nobody
  [[nodiscard]] asio::any_io_executor get_executor() const;

 private:
  friend class change_fan_out;
  change_subscriber(std::shared_ptr<detail::fan_out> of, std::shared_ptr<detail::subscription> mine) noexcept;

  std::shared_ptr<detail::fan_out> of_;
  std::shared_ptr<detail::subscription> mine_;
};

/// Hands the changes of one stream to any number of subscribers. Movable.
///
/// A background coroutine on the stream's executor reads it while there is a subscriber, so the executor has to keep
/// running. Each subscriber gets what is read after it has subscribed. Without subscribers nothing is read, and nothing
/// is lost for the next one. The server may discard what no subscriber needs any more: what each of them has
/// acknowledged or did not want.
///
/// The text of a change is stored once, however many queues it is in. An idle subscriber takes about three kilobytes,
/// with a condition and the coroutine that waits.
/// @par Thread safety  none: it, its subscribers and the coroutines that wait for them belong to the stream's executor,
///                     which runs one handler at a time (an `io_context` of one thread, or a strand)
class SLUICE_API change_fan_out {
 public:
  /// @par Errors  throws error: bad_state for an empty stream
  explicit change_fan_out(change_stream of);
  change_fan_out(change_fan_out&&) noexcept;
  change_fan_out& operator=(change_fan_out&&) noexcept;
  /// Ends the stream as the destructor of `change_stream` does. Subscribers can still read what is in their queues.
  ~change_fan_out();

  /// A subscriber from now on. May be called at any time, also by a subscriber.
  /// @par Errors  throws error: bad_query for a condition that only the server can evaluate, and for bounds of 0;
  ///              bad_state when the stream has ended, or what has ended it
  [[nodiscard]] change_subscriber subscribe(subscriber_options how = {});

  /// Stops reading, tells the server what was acknowledged, and ends the connection. Subscribers get what is in their
  /// queues, and then the end.
  /// @par Errors        throws error: as change_stream::close
  /// @par Cancellation  terminal: closes the connection at once
  [[nodiscard]] asio::awaitable<void> close();
  /// With a completion token: `void(std::exception_ptr)`
  template <class Token>
  auto close(Token&& token) {
    return detail::with_token(get_executor(), [this] { return close(); }, std::forward<Token>(token));
  }

  [[nodiscard]] std::size_t subscribers() const noexcept;  ///< those that get changes
  [[nodiscard]] change_progress progress() const noexcept;
  /// The stream's.
  /// @par Errors  throws error: bad_state when it was moved from
  [[nodiscard]] asio::any_io_executor get_executor() const;

 private:
  std::shared_ptr<detail::fan_out> work_;
};

}  // namespace sluice
