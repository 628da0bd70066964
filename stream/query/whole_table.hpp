#pragma once
// A relation of which every document is wanted unchanged: if it is a plain table, COPY of the table itself costs the
// server less than COPY of a query.
#include <string>

namespace sluice::detail {

struct whole_table {
  std::string name;    // qualified and quoted
  std::string column;  // unquoted

  /// SQL that asks whether COPY gives the same rows as SELECT: COPY takes no views, refuses generated columns, and
  /// omits the tables that inherit.
  [[nodiscard]] std::string check() const;
  /// The source clause of the COPY.
  [[nodiscard]] std::string source() const;
};

}  // namespace sluice::detail
