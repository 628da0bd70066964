#pragma once
// Evaluates conditions on received rows in place.

#include <memory>
#include <utility>

#include "query/predicate_node.hpp"

namespace sluice::detail {

/// Conditions on one document at a time, which is indexed once for all of them. They give the same answers as the
/// server would.
/// @par Thread safety  none: it parses into memory of its own
class row_conditions {
 public:
  row_conditions();
  ~row_conditions();
  row_conditions(row_conditions&&) noexcept;
  row_conditions& operator=(row_conditions&&) noexcept;

  /// The conditions that follow are on this row.
  void begin(const row& each);
  /// @par Errors  what a local condition throws
  [[nodiscard]] bool hold(const node& what);

 private:
  class evaluation;
  std::unique_ptr<evaluation> work_;
};

/// A condition prepared for many rows.
/// @par Thread safety  none
class client_filter {
 public:
  explicit client_filter(node_ptr what) : what_{std::move(what)} {}

  /// @par Errors  what a local condition throws
  [[nodiscard]] bool matches(const row& each) {
    conditions_.begin(each);
    return conditions_.hold(*what_);
  }

 private:
  node_ptr what_;
  row_conditions conditions_;
};

}  // namespace sluice::detail
