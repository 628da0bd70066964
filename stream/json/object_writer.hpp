#pragma once
// Rows as objects of JSON: a key for each column, as the server's row_to_json makes them.
#include <cstddef>
#include <span>
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
  [[nodiscard]] std::size_t size() const noexcept { return columns_.size(); }

  /// Writes one row.
  /// @param body  of a DataRow
  /// @return false when it has other columns, or a value is malformed: then nothing is written
  /// @par Exception safety  strong: std::bad_alloc
  [[nodiscard]] bool write(text_buffer& to, std::span<const std::byte> body);

 private:
  [[nodiscard]] bool write_fields(text_buffer& to, std::span<const std::byte> body);

  std::vector<value_plan> columns_;  // as the fields of a composite
};

}  // namespace sluice::detail
