#pragma once
/// @file
/// Consecutive fields of one kind in a message body.

#include <cstddef>
#include <iterator>
#include <span>
#include <utility>

#include "messages/body_reader.hpp"

namespace sluice::proto {

/// A forward range over `count` fields, read in place. `Field::read` takes one field from a reader and returns the
/// range's value.
/// @par Lifetime  views the body
template <class Field>
class packed_list {
 public:
  using value_type = decltype(Field::read(std::declval<body_reader&>()));

  class iterator {
   public:
    using value_type = packed_list::value_type;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::forward_iterator_tag;
    using reference = value_type;
    using pointer = const value_type*;

    iterator() = default;
    iterator(std::span<const std::byte> fields, std::size_t left) noexcept : rest_{fields}, left_{left} { read(); }

    [[nodiscard]] value_type operator*() const noexcept { return value_; }
    [[nodiscard]] const value_type* operator->() const noexcept { return &value_; }
    iterator& operator++() noexcept {
      --left_;
      read();
      return *this;
    }
    iterator operator++(int) noexcept {
      auto before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const iterator& a, const iterator& b) noexcept { return a.left_ == b.left_; }

   private:
    void read() noexcept {
      if (left_ != 0) value_ = Field::read(rest_);
    }

    body_reader rest_{{}};
    std::size_t left_{0};
    value_type value_{};
  };

  packed_list() = default;

  /// Takes `count` fields from `in` and checks each; a failure shows in `in.ok()`.
  [[nodiscard]] static packed_list take(body_reader& in, std::size_t count) noexcept {
    packed_list list;
    body_reader look = in;
    for (std::size_t i = 0; i < count && look.ok(); ++i) (void)Field::read(look);
    if (!look.ok()) {
      (void)in.bytes(in.remaining() + 1);  // the reader records the failure
      return list;
    }
    list.count_ = count;
    list.fields_ = in.bytes(in.remaining() - look.remaining());
    return list;
  }

  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  [[nodiscard]] iterator begin() const noexcept { return {fields_, count_}; }
  [[nodiscard]] iterator end() const noexcept { return {}; }

 private:
  std::span<const std::byte> fields_{};
  std::size_t count_{0};
};

}  // namespace sluice::proto
