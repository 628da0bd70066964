#pragma once
/// @file
/// The iterator of row ranges whose chunks come from a blocking source.

#include <cstddef>
#include <iterator>

#include <sluice/export.hpp>
#include <sluice/stream/chunk.hpp>

namespace sluice {

namespace detail {
class blocking_parallel;
class blocking_query;
}  // namespace detail

/// A std::input_iterator; at the end it equals std::default_sentinel.
/// @par Lifetime  its row is valid until it moves on to the next chunk
/// @par Errors    `++` throws error as the range's `next` does
template <class Source>
class row_iterator {
 public:
  using value_type = row;
  using difference_type = std::ptrdiff_t;
  using iterator_concept = std::input_iterator_tag;

  row_iterator() = default;
  explicit row_iterator(Source& from) : from_{&from} { read(); }

  [[nodiscard]] row operator*() const noexcept { return *at_; }
  row_iterator& operator++() {
    if (++at_ == std::default_sentinel) read();
    return *this;
  }
  void operator++(int) { ++*this; }
  friend bool operator==(const row_iterator& it, std::default_sentinel_t) noexcept { return it.from_ == nullptr; }

 private:
  void read();

  Source* from_{};
  chunk::iterator at_{};
};

template <class Source>
void row_iterator<Source>::read() {
  const chunk rows = from_->next();
  if (rows)
    at_ = rows.begin();
  else
    from_ = nullptr;
}

extern template class SLUICE_API row_iterator<detail::blocking_parallel>;
extern template class SLUICE_API row_iterator<detail::blocking_query>;

}  // namespace sluice
