#include "engine/ending.hpp"

#include <chrono>
#include <ostream>

namespace sluice::wire {

namespace {
constexpr std::chrono::milliseconds look_at_others_again{20};
}

ending::action ending::next(const sight& of, clock::time_point now) noexcept {
  using enum action::kind;
  if (of.is_over) return {.is = done};
  switch (is_) {
    case state::new_one:
      is_ = state::left_alone;
      if (given_.until > now) return {.is = leave_alone, .until = given_.until, .reads = given_.reads};
      [[fallthrough]];
    case state::left_alone:
      is_ = state::spared;
      spared_until_ = later(now, of.ends_soon);
      [[fallthrough]];
    case state::spared:
      if (of.would_hit_others) return {.is = read, .until = now + look_at_others_again};
      if (now < spared_until_) return {.is = read, .until = spared_until_};
      [[fallthrough]];
    case state::to_be_cancelled:
      is_ = state::cancelled;
      ++requests_;
      return {.is = cancel};
    case state::cancelled: is_ = state::to_be_cancelled; return {.is = read, .until = later(now, interval_.next())};
  }
  return {};
}

std::ostream& operator<<(std::ostream& out, const ending::action& what) {
  const auto at = std::chrono::duration_cast<std::chrono::milliseconds>(what.until.time_since_epoch()).count();
  switch (what.is) {
    case ending::action::kind::done: return out << "done";
    case ending::action::kind::cancel: return out << "cancel";
    case ending::action::kind::leave_alone: return out << "leave alone until " << at;
    case ending::action::kind::read: return out << "read until " << at;
  }
  return out;
}

}  // namespace sluice::wire
