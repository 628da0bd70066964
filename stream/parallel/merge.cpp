#include "parallel/merge.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <compare>
#include <cstring>
#include <utility>

#include <sluice/proto/byte_order.hpp>
#include <sluice/proto/field_view.hpp>
#include <sluice/proto/oid.hpp>
#include <sluice/wire/error.hpp>

namespace sluice::detail {

namespace {

namespace oid = proto::oid;
using proto::field_view;
using proto::load_big;

std::strong_ordering compare_bytes(const field_view& a, const field_view& b) noexcept {
  const int common = std::memcmp(a.bytes(), b.bytes(), std::min(a.size(), b.size()));
  return common != 0 ? common <=> 0 : a.size() <=> b.size();
}

template <class Integer>
std::strong_ordering compare_as(const field_view& a, const field_view& b) noexcept {
  if (a.size() != sizeof(Integer) || b.size() != sizeof(Integer)) return a.size() <=> b.size();
  using bits = std::make_unsigned_t<Integer>;
  return static_cast<Integer>(load_big<bits>(a.bytes())) <=> static_cast<Integer>(load_big<bits>(b.bytes()));
}

/// NaN is greater than any number and equal to itself.
template <class Float, class Bits>
std::strong_ordering compare_floats(const field_view& a, const field_view& b) noexcept {
  if (a.size() != sizeof(Float) || b.size() != sizeof(Float)) return a.size() <=> b.size();
  const auto x = std::bit_cast<Float>(load_big<Bits>(a.bytes()));
  const auto y = std::bit_cast<Float>(load_big<Bits>(b.bytes()));
  if (std::isnan(x) || std::isnan(y)) return std::isnan(x) <=> std::isnan(y);
  return x < y ? std::strong_ordering::less : x > y ? std::strong_ordering::greater : std::strong_ordering::equal;
}

/// A numeric as it is sent: the number of base-10,000 digits, the weight of the first, the sign, the scale, the digits.
class numeric_at {
 public:
  explicit numeric_at(const field_view& from) noexcept : from_{from} {
    if (from.size() < 8) return;
    count_ = std::min<std::size_t>(load_big<std::uint16_t>(from.bytes()), (from.size() - 8) / 2);
    weight_ = static_cast<std::int16_t>(load_big<std::uint16_t>(from.bytes() + 2));
    switch (load_big<std::uint16_t>(from.bytes() + 4)) {
      case 0xc000: rank_ = 3; break;   // NaN
      case 0xd000: rank_ = 2; break;   // infinity
      case 0xf000: rank_ = -2; break;  // -infinity
      case 0x4000: rank_ = count_ == 0 ? 0 : -1; break;
      default: rank_ = count_ == 0 ? 0 : 1;
    }
  }
  friend std::strong_ordering operator<=>(const numeric_at& a, const numeric_at& b) noexcept {
    if (a.rank_ != b.rank_) return a.rank_ <=> b.rank_;
    if (a.rank_ == 1) return a.compare_size(b);
    return a.rank_ == -1 ? b.compare_size(a) : std::strong_ordering::equal;
  }

 private:
  [[nodiscard]] std::strong_ordering compare_size(const numeric_at& other) const noexcept {
    if (weight_ != other.weight_) return weight_ <=> other.weight_;
    for (std::size_t i = 0; i < std::max(count_, other.count_); ++i)
      if (digit(i) != other.digit(i)) return digit(i) <=> other.digit(i);
    return std::strong_ordering::equal;
  }
  [[nodiscard]] std::uint16_t digit(std::size_t i) const noexcept {
    return i < count_ ? load_big<std::uint16_t>(from_.bytes() + 8 + 2 * i) : std::uint16_t{0};
  }

  field_view from_;
  std::size_t count_{0};
  int weight_{0};
  int rank_{0};  // -1, 0, 1: a number's sign
};

std::strong_ordering compare(std::uint32_t type, const field_view& a, const field_view& b) noexcept {
  switch (type) {
    case oid::int2: return compare_as<std::int16_t>(a, b);
    case oid::int4:
    case oid::date: return compare_as<std::int32_t>(a, b);
    case oid::int8:
    case oid::time:
    case oid::timestamp:
    case oid::timestamptz: return compare_as<std::int64_t>(a, b);
    case oid::float4: return compare_floats<float, std::uint32_t>(a, b);
    case oid::float8: return compare_floats<double, std::uint64_t>(a, b);
    case oid::numeric: return numeric_at{a} <=> numeric_at{b};
    default: return compare_bytes(a, b);
  }
}

}  // namespace

bool is_sortable(std::uint32_t type) noexcept {
  switch (type) {
    case oid::boolean:
    case oid::bytea:
    case oid::name:
    case oid::int2:
    case oid::int4:
    case oid::int8:
    case oid::text:
    case oid::object_id:
    case oid::float4:
    case oid::float8:
    case oid::varchar:
    case oid::date:
    case oid::time:
    case oid::timestamp:
    case oid::timestamptz:
    case oid::numeric:
    case oid::uuid: return true;
    default: return false;
  }
}

void merge::add(std::uint32_t from, const chunk& rows) {
  const proto::row_batch& all = rows.rows_;
  if (all.shape.columns != keys_.size() + 1)
    throw error{errc::protocol_violation, "in parallel: the rows have other columns than were asked for"};
  heads_.push_back({from, all, proto::row_at(all.begin, all.end, all.shape)});
}

bool merge::comes_before(const std::byte* a, const std::byte* b) const noexcept {
  field_view left{field_view::first_of(a + proto::header_size).end()};  // after the document
  field_view right{field_view::first_of(b + proto::header_size).end()};
  for (const sort_column& key : keys_) {
    std::strong_ordering order = std::strong_ordering::equal;
    if (left.is_null() || right.is_null()) {
      order = key.nulls_first ? right.is_null() <=> left.is_null() : left.is_null() <=> right.is_null();
    } else {
      order = compare(key.type, left, right);
      if (key.descending) order = 0 <=> order;
    }
    if (order != 0) return order < 0;
    if (&key == &keys_.back()) break;
    left = field_view{left.end()};
    right = field_view{right.end()};
  }
  return false;
}

merge::run merge::next() {
  const auto first_of = [this](const head& a, const head& b) { return comes_before(a.rest.begin, b.rest.begin); };
  std::iter_swap(heads_.begin(), std::ranges::min_element(heads_, first_of));
  head& least = heads_.front();
  const auto others = heads_.begin() + 1;
  const auto runner_up = std::min_element(others, heads_.end(), first_of);

  proto::row_batch rows = least.rest;
  proto::row_batch& rest = least.rest;
  do {
    rest.begin += least.size;
    least.size = proto::row_at(rest.begin, rest.end, rest.shape);
  } while (least.size != 0 && (runner_up == heads_.end() || !comes_before(runner_up->rest.begin, rest.begin)));
  rows.end = rest.begin;
  rows.walked = nullptr;  // the walked part is not all of the batch
  const run result{chunk{rows}, least.from, least.size == 0};
  if (result.is_last) {
    std::swap(least, heads_.back());
    heads_.pop_back();
  }
  return result;
}

}  // namespace sluice::detail
