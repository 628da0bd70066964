#pragma once
// Writes FlatBuffers, as far as the metadata of Arrow's messages needs them: forwards, each table after its vtable, and
// what a table points to after the table. Numbers are little-endian whatever the machine is.
// @see FlatBuffers documentation, "FlatBuffers internals"
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace sluice::detail {

class flat_tables {
 public:
  /// A member of a table: its number there, and its value. An offset is written by `point`.
  struct member {
    std::uint16_t id;
    std::uint8_t size;  ///< bytes: 1, 2, 4 or 8; not 0
    std::uint64_t value{};
  };
  static constexpr member u8(std::uint16_t id, std::uint8_t value) { return {id, 1, value}; }
  static constexpr member i16(std::uint16_t id, std::int16_t value) {
    return {id, 2, static_cast<std::uint16_t>(value)};
  }
  static constexpr member i32(std::uint16_t id, std::int32_t value) {
    return {id, 4, static_cast<std::uint32_t>(value)};
  }
  static constexpr member i64(std::uint16_t id, std::int64_t value) {
    return {id, 8, static_cast<std::uint64_t>(value)};
  }
  static constexpr member offset(std::uint16_t id) { return {id, 4, 0}; }

  /// Where a table's members are.
  struct table {
    static constexpr std::size_t most_members = 8;
    std::size_t at{};
    std::array<std::size_t, most_members> members{};
  };

  /// Begins with the offset of the root, which `point({0}, ...)` sets.
  flat_tables() { add<std::uint32_t>(0); }

  table add_table(std::vector<member> members) {
    // The largest first, so that no padding lies between them.
    std::ranges::sort(
        members, [](const member& a, const member& b) { return a.size != b.size ? a.size > b.size : a.id < b.id; });
    std::uint16_t count = 0;
    for (const member& each : members) count = std::max<std::uint16_t>(count, static_cast<std::uint16_t>(each.id + 1));
    align(2);
    const std::size_t vtable = bytes_.size();
    const auto vtable_size = static_cast<std::uint16_t>(4 + 2 * count);
    table made{.at = aligned(vtable + vtable_size, 4)};
    std::size_t end = made.at + 4;
    for (const member& each : members) {
      end = aligned(end, each.size);
      made.members[each.id] = end;
      end += each.size;
    }
    add(vtable_size);
    add(static_cast<std::uint16_t>(end - made.at));
    for (std::uint16_t id = 0; id < count; ++id)
      add(static_cast<std::uint16_t>(made.members[id] == 0 ? 0 : made.members[id] - made.at));
    align(4);
    add(static_cast<std::uint32_t>(made.at - vtable));
    for (const member& each : members) {
      align(each.size);
      for (std::size_t i = 0; i < each.size; ++i) bytes_.push_back(static_cast<std::byte>(each.value >> (8 * i)));
    }
    return made;
  }

  /// Sets an offset: to what comes next, at the latest position that `alignment` allows.
  void point_here(std::size_t from, std::size_t alignment = 4) {
    align(alignment);
    point(from, bytes_.size());
  }
  void point(std::size_t from, std::size_t to) { store(from, static_cast<std::uint32_t>(to - from)); }

  void add_string(std::size_t from, std::string_view text) {
    point_here(from);
    add(static_cast<std::uint32_t>(text.size()));
    for (const char each : text) bytes_.push_back(static_cast<std::byte>(each));
    bytes_.push_back(std::byte{0});
  }
  /// A vector of offsets.
  /// @return where the first one is
  std::size_t add_vector(std::size_t from, std::size_t count) {
    point_here(from);
    add(static_cast<std::uint32_t>(count));
    const std::size_t first = bytes_.size();
    bytes_.resize(first + 4 * count);
    return first;
  }
  /// A vector of structs of two numbers of 64 bits each.
  void add_pairs(std::size_t from, std::span<const std::array<std::int64_t, 2>> pairs) {
    while (aligned(bytes_.size(), 8) != bytes_.size() + 4) bytes_.push_back(std::byte{0});
    point(from, bytes_.size());
    add(static_cast<std::uint32_t>(pairs.size()));
    for (const auto& [first, second] : pairs) {
      add(static_cast<std::uint64_t>(first));
      add(static_cast<std::uint64_t>(second));
    }
  }
  /// The finished bytes, so many that their number is a multiple of 8.
  [[nodiscard]] std::vector<std::byte> take() {
    align(8);
    return std::move(bytes_);
  }

  template <class Unsigned>
  static void store(std::byte* at, Unsigned value) noexcept {
    for (std::size_t i = 0; i < sizeof value; ++i) at[i] = static_cast<std::byte>(value >> (8 * i));
  }

 private:
  static constexpr std::size_t aligned(std::size_t at, std::size_t to) { return (at + to - 1) / to * to; }
  void align(std::size_t to) { bytes_.resize(aligned(bytes_.size(), to)); }
  template <class Unsigned>
    requires std::is_unsigned_v<Unsigned>
  void add(Unsigned value) {
    const std::size_t at = bytes_.size();
    bytes_.resize(at + sizeof value);
    store(bytes_.data() + at, value);
  }
  void store(std::size_t at, std::uint32_t value) { store(bytes_.data() + at, value); }

  std::vector<std::byte> bytes_;
};

}  // namespace sluice::detail
