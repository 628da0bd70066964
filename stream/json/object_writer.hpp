#pragma once
// Rows as objects of JSON: a key for each column, as the server's row_to_json makes them.
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "json/text_buffer.hpp"
#include "json/value_plan.hpp"

namespace sluice::detail {

/// Made once for a result; writes its rows one after the other, without an allocation once its memory is as large as
/// the rows need it.
class object_writer {
 public:
  /// The next column.
  void add_column(std::string_view name, value_plan values);
  /// The next column, whose values have a place inside the object; columns in the same inner object follow each other.
  void add_column(std::span<const std::string> place, value_plan values);
  [[nodiscard]] std::size_t size() const noexcept { return columns_.size(); }

  /// Writes one row.
  /// @param body  of a DataRow
  /// @return false when it has other columns, or a value is malformed: then nothing is written
  /// @par Exception safety  strong: std::bad_alloc
  [[nodiscard]] bool write(text_buffer& to, std::span<const std::byte> body);
  /// The column, from 0, whose value made the last `write` return false; `size()` if the row has other columns.
  [[nodiscard]] std::size_t culprit() const noexcept { return culprit_; }

 private:
  [[nodiscard]] bool write_fields(text_buffer& to, std::span<const std::byte> body);

  std::vector<value_plan> columns_;  // as the fields of a composite
  std::vector<std::string> last_{};  // the place of the last column, if it has one
  std::string end_{"}"};
  std::size_t culprit_{0};
};

}  // namespace sluice::detail
