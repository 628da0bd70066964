#pragma once
// What running a statement may change, as far as its text shows.
#include <cstdint>
#include <string_view>

#include <sluice/stream/query.hpp>

namespace sluice::detail {

// `by_functions` if it begins with SELECT, TABLE, VALUES, SHOW or WITH and contains none of the words that write. Such
// a word counts wherever it appears, even in a string or a comment: mistaking a read for a write costs time; the
// reverse costs data.
[[nodiscard]] query::effect effect_of(std::string_view sql) noexcept;

/// Where in the FROM of another query a statement can stand.
enum class enclosing : std::uint8_t {
  none,
  as_subquery,  ///< it reads
  as_cte,       ///< INSERT, UPDATE, DELETE or MERGE, which returns rows
};
[[nodiscard]] enclosing how_to_enclose(std::string_view sql) noexcept;
/// Whether COPY takes it as a query.
[[nodiscard]] bool can_be_copied(std::string_view sql) noexcept;

}  // namespace sluice::detail
