#pragma once
// A span that has begun. Unless there is an observer and the parent's trace is recorded, it does nothing.
#include <chrono>
#include <utility>

#include <sluice/wire/observer.hpp>

namespace sluice::wire {

class open_span {
 public:
  using time_point = event_clock::time_point;

  open_span() = default;
  open_span(observer* to, const trace_context& parent, time_point began = event_clock::now()) noexcept : began_{began} {
    if (!is_wanted(to, parent)) return;
    context_ = parent.child();
    parent_ = parent;
    if (context_.is_sampled()) to_ = to;
  }

  [[nodiscard]] static bool is_wanted(const observer* to, const trace_context& parent) noexcept {
    return to != nullptr && parent.is_sampled();
  }
  /// Whether it has begun, and not ended.
  [[nodiscard]] bool is_open() const noexcept { return to_ != nullptr; }
  [[nodiscard]] const trace_context& context() const noexcept { return context_; }
  [[nodiscard]] observer* reports_to() const noexcept { return to_; }
  [[nodiscard]] time_point began() const noexcept { return began_; }
  /// It began at another time.
  void move_to(time_point began) noexcept { began_ = began; }

  /// Only the first end is reported.
  /// @param what  without identifiers and times
  void end(span_event what, time_point now = event_clock::now()) noexcept {
    if (!is_open()) return;
    what.context = context_;
    what.parent_id = parent_.span_id;
    what.took = now - began_;
    const auto since = std::chrono::duration_cast<std::chrono::system_clock::duration>(event_clock::now() - began_);
    what.began = std::chrono::system_clock::now() - since;
    std::exchange(to_, nullptr)->on_span(what);
  }

 private:
  observer* to_{};
  trace_context context_{};
  trace_context parent_{};
  time_point began_{};
};

}  // namespace sluice::wire
