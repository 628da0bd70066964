#pragma once
// How long a running query has taken and whose time that was: the server's, the consumer's, or a pause's. What takes
// next to no time is left out, because reading the system's clock takes longer.
#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>

#include <sluice/stream/options.hpp>
#include "transport/deadline.hpp"
#include "transport/link.hpp"

namespace sluice::detail {

class query_clock {
 public:
  using time_point = wire::clock::time_point;
  using duration = wire::clock::duration;

  /// @param io  outlives this
  explicit query_clock(const wire::link& io) : io_{&io} {}

  /// The query was requested at `asked`: its time counts from then. From `begins` on, when nothing is in its way any
  /// more, it is the consumer's time.
  void start(time_point asked, time_point begins) noexcept {
    began_ = asked;
    left_ = begins;
  }
  /// The query that was sent before this one is over.
  void take_turn() noexcept {
    began_ = left_ = wire::clock::now();
    waited_before_ = io_->waited();
    reads_before_ = io_->reads();
  }
  /// The consumer asks for more.
  void enter() noexcept {
    recent_ = wire::clock::now();
    consumer_before_ = recent_ - left_;
    consumer_ += consumer_before_;
    waited_at_entry_ = io_->waited();
  }
  /// The time now, or as it was a moment ago if nothing has taken long since.
  [[nodiscard]] time_point take_now() noexcept {
    const time_point now = std::exchange(recent_, time_point{});
    return now == time_point{} ? wire::clock::now() : now;
  }
  /// A wait for the server has ended.
  void waited() noexcept { recent_ = io_->wait_ended(); }
  /// What comes next may take long.
  void time_passes() noexcept { recent_ = {}; }
  /// From now on it is the consumer's time.
  void leave() noexcept { left_ = take_now(); }
  /// A chunk is handed out; from now on it is the consumer's time.
  /// @return whether it is the first
  bool leave_with_chunk() noexcept {
    leave();
    if (chunks_++ != 0) return false;
    first_row_ = left_;
    return true;
  }
  void begin_pause() noexcept {
    pause_began_ = wire::clock::now();
    consumer_ += pause_began_ - std::exchange(left_, pause_began_);
    ++pauses_;
  }
  void end_pause() noexcept { paused_ += wire::clock::now() - pause_began_; }
  [[nodiscard]] time_point pause_began() const noexcept { return pause_began_; }

  struct limit {
    time_point when;
    std::string_view words;
  };
  /// The nearest of the query's own deadlines, whoever is waiting.
  [[nodiscard]] limit nearest_limit(const query_options& options) const noexcept {
    const time_point since = options.timeout_counts_pauses ? began_ : began_ + consumer_;
    const limit whole{wire::limit_after(since, options.timeout), "the query's deadline passed"};
    if (chunks_ != 0) return whole;
    const limit first{wire::limit_after(began_, options.first_row_timeout), "no row came in time"};
    return whole.when <= first.when ? whole : first;
  }

  /// Whether a deadline has passed, should the consumer ask for more now.
  [[nodiscard]] bool is_late(const query_options& options) const noexcept {
    return (options.timeout_counts_pauses ? wire::clock::now() : left_) >= nearest_limit(options).when;
  }

  [[nodiscard]] std::uint64_t chunks() const noexcept { return chunks_; }
  [[nodiscard]] duration first_row() const noexcept { return chunks_ == 0 ? duration{} : first_row_ - began_; }
  [[nodiscard]] duration elapsed() const noexcept { return left_ - began_; }
  [[nodiscard]] duration consumer() const noexcept { return consumer_; }
  [[nodiscard]] duration server_wait() const noexcept { return io_->waited() - waited_before_; }
  /// The same of the current chunk.
  [[nodiscard]] duration consumer_wait_now() const noexcept { return consumer_before_; }
  [[nodiscard]] duration server_wait_now() const noexcept { return io_->waited() - waited_at_entry_; }
  [[nodiscard]] std::uint64_t reads() const noexcept { return io_->reads() - reads_before_; }
  [[nodiscard]] std::uint64_t pauses() const noexcept { return pauses_; }
  [[nodiscard]] duration paused() const noexcept { return paused_; }

 private:
  const wire::link* io_;
  time_point began_{};
  time_point left_{};
  time_point recent_{};  // the time a moment ago, in the current call
  time_point first_row_{};
  time_point pause_began_{};
  duration consumer_{};
  duration consumer_before_{};  // the current chunk
  duration paused_{};
  duration waited_before_{io_->waited()};
  duration waited_at_entry_{};
  std::uint64_t reads_before_{io_->reads()};
  std::uint64_t chunks_{0};
  std::uint64_t pauses_{0};
};

}  // namespace sluice::detail
