#pragma once
// What an observer is told about one query.
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include <sluice/wire/observer.hpp>

namespace sluice::detail {

class query_report {
 public:
  /// Nobody is told anything.
  query_report() = default;
  /// @param database  outlives this
  query_report(observer& to, std::string_view database, std::string_view text, bool is_paged, bool was_prepared)
      : to_{&to}, database_{database}, text_{text}, is_paged_{is_paged}, was_prepared_{was_prepared} {}

  /// Whether there is an observer, and the end has not been reported.
  [[nodiscard]] bool is_open() const noexcept { return to_ != nullptr; }
  void sent() const noexcept {
    if (is_open()) to_->on_query(event());
  }
  void first_row(std::chrono::steady_clock::duration after) const noexcept {
    if (is_open()) to_->on_first_row(event(), after);
  }
  void chunk(const chunk_event& what) const noexcept {
    if (is_open()) to_->on_chunk(what);
  }
  /// Only the first end is reported.
  /// @param how  without the query
  void end(query_end_event how) noexcept {
    if (!is_open()) return;
    how.query = event();
    std::exchange(to_, nullptr)->on_query_end(how);
  }

 private:
  [[nodiscard]] query_event event() const noexcept {
    return {.database = database_, .text = text_, .is_paged = is_paged_, .was_prepared = was_prepared_};
  }

  observer* to_{};
  std::string_view database_;
  std::string text_;
  bool is_paged_{false};
  bool was_prepared_{false};
};

}  // namespace sluice::detail
