#pragma once
// The queries of a session that nobody wants any more. They are brought to their end one at a time, once the coroutines
// that wait for rows have gone out of the way; whatever else waits for that is told of each change.
#include <cstdint>

#include <asio/any_io_executor.hpp>
#include <asio/steady_timer.hpp>

namespace sluice::wire {

class departures {
 public:
  explicit departures(const asio::any_io_executor& on) : news_{on, asio::steady_timer::time_point::max()} {}

  /// Whether a query has to be left, or is being left: the session's next query waits.
  [[nodiscard]] bool are_any() const noexcept { return count_ != 0; }
  void begin() noexcept { ++count_; }
  void end() noexcept {
    --count_;
    tell();
  }

  /// Whether the next one can be brought to its end now.
  [[nodiscard]] bool may_proceed() const noexcept { return !is_proceeding_ && readers_ == 0; }
  /// One of them is being brought to its end, while this lives.
  class turn {
   public:
    explicit turn(departures& of) noexcept : of_{of} { of_.is_proceeding_ = true; }
    ~turn() { of_.is_proceeding_ = false; }
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;

   private:
    departures& of_;
  };

  /// A coroutine waits for rows, while this lives.
  class reader {
   public:
    explicit reader(departures& of) noexcept : of_{of} { ++of_.readers_; }
    ~reader() {
      --of_.readers_;
      if (of_.are_any()) of_.tell();
    }
    reader(const reader&) = delete;
    reader& operator=(const reader&) = delete;

   private:
    departures& of_;
  };
  [[nodiscard]] bool have_readers_in_the_way() const noexcept { return readers_ != 0; }

  /// Something has ended: whoever waits checks again.
  void tell() noexcept { news_.cancel(); }
  /// Cancelled by every `tell`.
  [[nodiscard]] asio::steady_timer& news() noexcept { return news_; }

 private:
  asio::steady_timer news_;
  std::uint32_t count_{0};
  std::uint32_t readers_{0};
  bool is_proceeding_{false};
};

}  // namespace sluice::wire
