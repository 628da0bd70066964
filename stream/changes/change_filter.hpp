#pragma once
// Which rows of a change stream are handed out.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sluice/stream/changes.hpp>

#include "changes/change_condition.hpp"
#include "query/client_filter.hpp"

namespace sluice::detail {

class change_filter {
 public:
  /// @par Errors  throws error: bad_query for a condition that only the server can evaluate
  explicit change_filter(const change_options& how);

  /// Whether a message is one of the stream's own heartbeats.
  [[nodiscard]] bool is_heartbeat(std::string_view prefix) const noexcept {
    return !heartbeat_.empty() && prefix == heartbeat_;
  }
  [[nodiscard]] bool is_needed(const changed_relation& of) const noexcept;
  /// @param text  of the row that the conditions are about
  /// @par Errors  what a local condition throws
  [[nodiscard]] bool passes(const changed_relation& of, std::string_view text);

 private:
  struct condition {
    std::string table;  // empty: of all
    node_ptr holds;
  };

  std::string heartbeat_;  // the prefix of its messages; empty: there is none
  std::vector<condition> conditions_;
  row_conditions rows_;
  row_image image_;
};

}  // namespace sluice::detail
