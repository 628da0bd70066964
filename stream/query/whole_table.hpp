#pragma once
// A relation of which every document is wanted as it is: if it is a plain table, COPY of the table itself costs the
// server less than COPY of a query.
#include <string>

namespace sluice::detail {

struct whole_table {
  std::string name;    // qualified and quoted
  std::string column;  // as it is called

  /// SQL that asks whether COPY gives what SELECT does: COPY takes no views, refuses generated columns, and leaves out
  /// the tables that inherit.
  [[nodiscard]] std::string check() const;
  /// What COPY copies.
  [[nodiscard]] std::string source() const;
};

}  // namespace sluice::detail
