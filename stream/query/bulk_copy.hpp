#pragma once
// A query as COPY ... TO STDOUT.
//
// COPY takes no parameters. They travel by Parse and Bind as usual, into transaction-local settings (`set_config` with
// its third argument true), and the copied query reads them from there: values never become SQL text.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/stream/query.hpp>

#include "engine/decider.hpp"
#include "engine/statement.hpp"
#include "query/result_shape.hpp"

namespace sluice::detail {

/// What a copy needs besides the query. Must outlive the statement that `make_copy` has changed.
class bulk_copy {
 public:
  /// @par Errors  throws error: bad_query, @see with_parameters
  /// @param rows  null: documents or columns, as the query says
  bulk_copy(const query& what, std::span<const proto::parameter> values, std::shared_ptr<result_shape> rows);

  /// Turns `of` into a COPY.
  void make_copy(wire::statement& of) const;

 private:
  const query& what_;
  std::shared_ptr<result_shape> rows_;
  std::vector<bool> are_null_;  // of the parameters
  std::string question_;  // whether the table can be copied instead of the query, or what the session's settings are
  std::string carrying_;  // SQL that puts the non-NULL values into settings
  std::vector<proto::parameter> carried_;
  std::vector<std::uint32_t> carried_types_;
};

}  // namespace sluice::detail
