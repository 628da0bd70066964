#pragma once
// A query as COPY ... TO STDOUT.
//
// COPY takes no parameters. They travel as ever, by Parse and Bind, into settings of the transaction (`set_config` with
// its third argument true), and the copied query reads them from there: values never become SQL text.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/stream/query.hpp>

#include "engine/decider.hpp"
#include "engine/statement.hpp"

namespace sluice::detail {

/// What a copy needs besides the query. Outlives the statement that `make_copy` has changed.
class bulk_copy {
 public:
  /// @par Errors  throws error: bad_query, @see with_parameters
  explicit bulk_copy(const query& what, std::span<const proto::parameter> values);

  /// Lets `of` be copied.
  void make_copy(wire::statement& of) const;

 private:
  const query& what_;
  std::vector<bool> are_null_;  // of the parameters
  std::string question_;        // whether the table can be copied in the query's place
  std::string carrying_;        // SQL that puts those values which are not NULL into settings
  std::vector<proto::parameter> carried_;
  std::vector<std::uint32_t> carried_types_;
};

}  // namespace sluice::detail
