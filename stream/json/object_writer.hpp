#pragma once
// Rows as objects of JSON: a key for each column, as `row_to_json` of the server makes them.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "json/text_buffer.hpp"
#include "json/value_json.hpp"

namespace sluice::detail {

/// Made once for a result; writes its rows one after the other.
class object_writer {
 public:
  /// The next column.
  /// @param write  how its values are written
  void add_column(std::string_view name, value_writer write);
  [[nodiscard]] std::size_t size() const noexcept { return columns_.size(); }

  /// Writes one row.
  /// @param body  of a DataRow
  /// @return false when it has other columns, or a value is malformed: then nothing is written
  /// @par Exception safety  strong: std::bad_alloc
  [[nodiscard]] bool write(text_buffer& to, std::span<const std::byte> body) const;

 private:
  struct column {
    std::string key;  // in front of its value: with the brace or comma before it, and the colon
    value_writer write;
  };
  [[nodiscard]] bool write_fields(text_buffer& to, std::span<const std::byte> body) const;

  std::vector<column> columns_;
};

}  // namespace sluice::detail
