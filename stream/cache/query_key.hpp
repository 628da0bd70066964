#pragma once
// What a result is known by: everything about its query that may change the rows.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/stream/options.hpp>
#include <sluice/stream/query.hpp>

namespace sluice::detail {

/// Two texts, made of parts with their lengths, so that no two queries share both. Reusable: memory is kept.
struct query_key {
  std::string statement;  ///< the SQL, types of its parameters, shape and mode, session state, tags
  std::string values;     ///< of the parameters
};

/// What the caller says about the query.
struct declared {
  std::string_view session;
  const std::vector<std::string>& tags;
};

/// Database and user are not part of it: a cache has one pool.
/// @param most  bytes of both texts together
/// @return false if it would be longer
/// @pre nothing of the query is left to the client, whose conditions have no text to compare
[[nodiscard]] bool write_key(query_key& into, const query& what, fetch_mode mode, const declared& more,
                             std::size_t most);

/// The tags of a query: its relation's name and those that the caller gives.
[[nodiscard]] std::vector<std::string> tags_of(const query& what, const std::vector<std::string>& more);

}  // namespace sluice::detail
