#pragma once
/// @file
/// The columns of a row: one after the other, by position, by name, and into a type. Part of
/// <sluice/stream/columns.hpp>, which lists the C++ types.

#include <array>
#include <cstddef>
#include <iterator>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <sluice/export.hpp>
#include <sluice/proto/field_view.hpp>
#include <sluice/proto/oid.hpp>
#include <sluice/stream/binary_field.hpp>
#include <sluice/stream/members.hpp>
#include <sluice/stream/row.hpp>
#include <sluice/wire/result_columns.hpp>

namespace sluice {

namespace detail {

/// Reads the fields of a row, one after the other.
class field_walk {
 public:
  field_walk() = default;
  field_walk(const std::byte* body, const result_columns* columns) : at_{body + 2}, columns_{columns} {
    if (columns == nullptr) fail_no_columns();
  }
  [[nodiscard]] binary_field next() {
    if (index_ == columns_->size()) fail_past_the_last(index_);
    const proto::field_view field{at_};
    at_ = field.end();
    const result_column& column = (*columns_)[index_];
    return {.bytes = {field.bytes(), field.size()},
            .is_null = field.is_null(),
            .type = column.is_text ? proto::oid::text : column.type,
            .index = index_++,
            .column = &column,
            .described = column.parts.empty() ? nullptr : &column};
  }
  [[nodiscard]] binary_field skip_to(std::size_t index) {
    if (index >= columns_->size()) fail_past_the_last(index);
    while (index_ != index) (void)next();
    return next();
  }

  [[nodiscard]] std::size_t size() const noexcept { return columns_->size(); }
  /// @par Errors  throws error: bad_column if there is no column of that name, or more than one
  [[nodiscard]] SLUICE_API std::size_t position_of(std::string_view name) const;

 private:
  [[noreturn]] SLUICE_API static void fail_no_columns();
  [[noreturn]] SLUICE_API void fail_past_the_last(std::size_t index) const;

  const std::byte* at_{};
  const result_columns* columns_{};
  std::size_t index_{0};
};

[[noreturn]] SLUICE_API void fail_missing(std::string_view member);
[[noreturn]] SLUICE_API void fail_unknown(std::string_view column);
[[noreturn]] SLUICE_API void fail_twice(std::string_view column);

/// Reads a row into a type, by the names of its members.
template <class T>
class member_reader {
 public:
  explicit member_reader(T& into) noexcept : into_{into} {}

  void read(field_walk fields) {
    for (std::size_t left = fields.size(); left != 0; --left) {
      const binary_field next = fields.next();
      const bool is_member = [&]<std::size_t... Index>(std::index_sequence<Index...>) {
        return (take<Index>(next) || ...);
      }(std::make_index_sequence<count>{});
      if constexpr (json_policy<T>::unknown_members_are_errors)
        if (!is_member) fail_unknown(next.column->name);
    }
    [&]<std::size_t... Index>(std::index_sequence<Index...>) {
      (require<Index>(), ...);
    }(std::make_index_sequence<count>{});
  }

 private:
  static constexpr auto members = sluice_json_members(static_cast<const T*>(nullptr));
  static constexpr std::size_t count = std::tuple_size_v<decltype(members)>;
  template <std::size_t Index>
  using type_of = std::remove_cvref_t<decltype(std::declval<T&>().*(std::get<Index>(members).at))>;

  template <std::size_t Index>
  [[nodiscard]] bool take(const binary_field& field) {
    constexpr auto member = std::get<Index>(members);
    if (field.column->name != member.name) return false;
    if (is_read_[Index]) fail_twice(member.name);
    is_read_[Index] = true;
    into_.*(member.at) = value_of<type_of<Index>>(field);
    return true;
  }
  template <std::size_t Index>
  void require() const {
    if constexpr (!json_policy<T>::missing_members_keep_their_value && !takes_null<type_of<Index>>)
      if (!is_read_[Index]) fail_missing(std::get<Index>(members).name);
  }

  T& into_;
  std::array<bool, count> is_read_{};
};

}  // namespace detail

inline std::span<const result_column> row::columns() const noexcept {
  return columns_ == nullptr ? std::span<const result_column>{} : std::span{*columns_};
}

/// The fields of a row, in order.
class field_range {
 public:
  class iterator {
   public:
    using value_type = binary_field;
    using difference_type = std::ptrdiff_t;

    iterator() = default;
    iterator(const detail::field_walk& at, std::size_t left) : after_{at}, left_{left} { look(); }
    [[nodiscard]] const binary_field& operator*() const noexcept { return field_; }
    [[nodiscard]] const binary_field* operator->() const noexcept { return &field_; }
    iterator& operator++() {
      --left_;
      look();
      return *this;
    }
    iterator operator++(int) {
      iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const iterator& a, const iterator& b) noexcept { return a.left_ == b.left_; }
    friend bool operator==(const iterator& it, std::default_sentinel_t) noexcept { return it.left_ == 0; }

   private:
    void look() {
      if (left_ != 0) field_ = after_.next();
    }

    detail::field_walk after_{};
    std::size_t left_{0};
    binary_field field_{};
  };

  field_range(const detail::field_walk& first, std::size_t count) noexcept : first_{first}, count_{count} {}
  [[nodiscard]] iterator begin() const { return {first_, count_}; }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }

 private:
  detail::field_walk first_;
  std::size_t count_;
};

inline field_range row::fields() const { return {detail::field_walk{body_, columns_}, columns().size()}; }

template <class T>
T row::get(std::size_t index) const {
  return detail::value_of<T>(detail::field_walk{body_, columns_}.skip_to(index));
}
template <class T>
T row::get(std::string_view name) const {
  detail::field_walk fields{body_, columns_};
  return detail::value_of<T>(fields.skip_to(fields.position_of(name)));
}

template <class First, class... Rest>
  requires(sizeof...(Rest) != 0 || !has_json_members<First>)
std::tuple<First, Rest...> row::get() const {
  detail::field_walk fields{body_, columns_};
  // Braces, so that the elements are initialised in order.
  return std::tuple<First, Rest...>{detail::value_of<First>(fields.next()), detail::value_of<Rest>(fields.next())...};
}
template <has_json_members T>
T row::get() const {
  T value{};
  detail::member_reader<T>{value}.read(detail::field_walk{body_, columns_});
  return value;
}

}  // namespace sluice
