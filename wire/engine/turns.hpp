#pragma once
// Whom the server answers next: one turn for each Sync or Query that was sent, in that order.
#include <cstddef>
#include <vector>

namespace sluice::wire {

class query_conversation;

class turns {
 public:
  [[nodiscard]] bool empty() const noexcept { return all_.empty(); }
  /// Who is answered now; null: nobody.
  [[nodiscard]] query_conversation* first() const noexcept { return all_.empty() ? nullptr : all_.front(); }
  /// Who is answered last; null: nobody.
  [[nodiscard]] query_conversation* last() const noexcept { return all_.empty() ? nullptr : all_.back(); }
  /// From first to last.
  [[nodiscard]] const std::vector<query_conversation*>& all() const noexcept { return all_; }

  /// Makes room for one more turn, so that a flight is also recorded once it is encoded.
  void reserve_one() { all_.reserve(all_.size() + 1); }
  /// A flight with one Sync, or a Query, was sent.
  void add(query_conversation& whose) { all_.push_back(&whose); }
  /// ReadyForQuery has arrived.
  /// @pre not empty
  void end_first() noexcept { all_.erase(all_.begin()); }
  /// Only the first `count` were sent.
  void take_back_to(std::size_t count) noexcept { all_.resize(count); }
  /// `gone` is destroyed.
  /// @return whether it still had a turn: whose the next answers are is then unknown
  [[nodiscard]] bool forget(const query_conversation& gone) noexcept {
    return std::erase_if(all_, [&](const query_conversation* each) { return each == &gone; }) != 0;
  }

 private:
  std::vector<query_conversation*> all_;
};

}  // namespace sluice::wire
