#pragma once
// Cancel requests that the server has accepted but that may not have hit anything yet: they could hit the next query.

namespace sluice::wire {

class cancel_requests {
 public:
  /// @param hit  one of them was seen to end a query
  void sent(int count, bool hit) noexcept { strays_ += count - (hit ? 1 : 0); }
  [[nodiscard]] bool may_be_on_their_way() const noexcept { return strays_ != 0; }
  /// A query that was sent after them has ended, so every request that was in transit has arrived.
  void have_arrived() noexcept { strays_ = 0; }

 private:
  int strays_{0};
};

}  // namespace sluice::wire
