#pragma once
// Builds nested Arrow arrays in memory, for what the driver tells of itself and of the catalog. The standard prescribes
// their types: structs in lists in structs, and a union.
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/arrow/abi.hpp>

namespace sluice::adbc {

/// A column, with the columns in it. What belongs together is appended from the inside out: first the elements, then
/// the end of their list; first the members, then the end of their struct.
class column_tree {
 public:
  enum class nulls : std::uint8_t { allowed, none };

  /// @param format  as ArrowSchema has it
  column_tree(std::string format, std::string name, nulls may_be_null = nulls::allowed);

  /// Adds a column in this one.
  /// @return the new one
  column_tree& add(std::string format, std::string name, nulls may_be_null = nulls::allowed);
  [[nodiscard]] column_tree& child(std::size_t index) const { return *children_[index]; }
  [[nodiscard]] std::size_t length() const noexcept { return length_; }

  void null();
  void text(std::string_view value);
  void boolean(bool value);
  template <class Number>
    requires(std::integral<Number> && !std::same_as<Number, bool>)
  void number(Number value) {
    append(value);
    end();
  }
  /// The elements of a list were appended.
  void end_list();
  /// A value was appended to each member of a struct.
  void end_struct() { end(); }
  /// A value was appended to this member of a union.
  void end_union(std::int8_t member);

  [[nodiscard]] ArrowSchema schema() const;
  /// Hands the values over.
  [[nodiscard]] ArrowArray take();

 private:
  template <class T>
  void append(T value, std::size_t buffer = 0) {
    const auto* const from = reinterpret_cast<const std::byte*>(&value);
    buffers_[buffer].insert(buffers_[buffer].end(), from, from + sizeof value);
  }
  void end(bool is_valid = true);
  static void set_bit(std::vector<std::byte>& bits, std::size_t at, bool value);
  [[nodiscard]] bool is(std::string_view format) const noexcept { return format_.starts_with(format); }

  std::string format_;
  std::string name_;
  nulls nulls_;
  std::size_t length_{0};
  std::size_t null_count_{0};
  std::vector<std::byte> valid_{};
  std::vector<std::vector<std::byte>> buffers_{};  // without the validity
  std::vector<std::unique_ptr<column_tree>> children_{};
};

}  // namespace sluice::adbc
