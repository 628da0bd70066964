#pragma once
// Requests to cancel that the server has taken, and that may not have hit anything yet: the next query would be hit.

namespace sluice::wire {

class cancel_requests {
 public:
  /// @param hit  one of them was seen to have ended a query
  void sent(int count, bool hit) noexcept { strays_ += count - (hit ? 1 : 0); }
  [[nodiscard]] bool may_be_on_their_way() const noexcept { return strays_ != 0; }
  /// A query that was sent after them has ended: whatever was on its way has arrived.
  void have_arrived() noexcept { strays_ = 0; }

 private:
  int strays_{0};
};

}  // namespace sluice::wire
