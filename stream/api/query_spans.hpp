#pragma once
// The spans of one query: its own, and within it those of its first row and its pages.
#include <cstdint>
#include <string>
#include <string_view>

#include <sluice/wire/observer.hpp>
#include "transport/open_span.hpp"

namespace sluice::detail {

class query_spans {
 public:
  using time_point = wire::open_span::time_point;
  using kind = span_event::kind;

  /// @param database  outlives this
  query_spans(observer& to, const trace_context& parent, kind is, std::string_view database, std::string_view text)
      : is_{is}, whole_{&to, parent}, database_{database}, text_{text} {}

  [[nodiscard]] const trace_context& context() const noexcept { return whole_.context(); }
  void begin(time_point at) noexcept {
    whole_.move_to(at);
    page_began_ = at;
  }
  void first_row(time_point came) const noexcept { part(kind::first_row, whole_.began()).end(described(), came); }
  /// The next page has been requested.
  void page_requested() noexcept { requested_ = event_clock::now(); }
  /// So many pages have ended so far, with so many rows.
  void pages_ended(std::uint64_t pages, std::uint64_t rows) noexcept {
    if (pages == pages_) return;
    span_event page = described();
    page.rows = rows - rows_;
    part(kind::page, page_began_).end(page);
    const bool is_under_way = requested_ > page_began_;
    page_began_ = is_under_way ? requested_ : event_clock::now();
    pages_ = pages;
    rows_ = rows;
  }
  /// The query is over.
  void end(const query_end_event& how) noexcept {
    span_event what = described();
    what.is = is_;
    what.rows = how.rows;
    what.bytes = how.bytes;
    what.failure = how.failure;
    what.was_left = how.was_left;
    whole_.end(what);
  }

 private:
  [[nodiscard]] span_event described() const noexcept { return {.database = database_, .text = text_}; }
  /// A span within this one.
  struct within {
    wire::open_span span;
    kind is;
    void end(span_event what, time_point now = event_clock::now()) noexcept {
      what.is = is;
      span.end(what, now);
    }
  };
  [[nodiscard]] within part(kind is, time_point began) const noexcept {
    return {wire::open_span{whole_.reports_to(), whole_.context(), began}, is};
  }

  kind is_;
  wire::open_span whole_;
  std::string_view database_;
  std::string text_;
  time_point page_began_{event_clock::now()};
  time_point requested_{};
  std::uint64_t pages_{0};
  std::uint64_t rows_{0};
};

}  // namespace sluice::detail
