#pragma once
// What a COPY into a table says, and asks before.
#include <string>
#include <string_view>
#include <vector>

#include <sluice/stream/query.hpp>
#include <sluice/stream/row.hpp>
#include <sluice/stream/to_binary.hpp>

namespace sluice::detail {

// A table that is written, and which of its columns.
class copy_target {
 public:
  // @param columns  none: all that can be written, in their order
  // Throws error: bad_query for names that cannot be
  copy_target(std::string_view table, std::vector<std::string> columns);

  // Asks for the table's columns, and their types.
  [[nodiscard]] query question() const;
  // One of the answers.
  void note(const row& answer);
  // The columns to write, once all answers were noted.
  // Throws error: bad_column for one that the table does not have.
  [[nodiscard]] std::vector<written_column> columns() const;
  [[nodiscard]] std::string copy() const;

 private:
  std::string table_;
  std::vector<std::string> wanted_;
  std::vector<written_column> found_{};
};

}  // namespace sluice::detail
