#pragma once
// Which queries may be answered from a cache, as far as that can be told without the server.
#include <string_view>

#include <sluice/stream/query.hpp>

namespace sluice::detail {

/// Whether running the query does nothing but read. What `from` builds does. Of other SQL, the text has to begin with
/// SELECT, TABLE, VALUES or WITH, may contain none of the words that write or lock, no comment, and may call no
/// function but well-known ones without effects; words count wherever they are, even in a literal. In doubt the answer
/// is no.
/// @param is_declared  the caller says that the functions it calls only read
[[nodiscard]] bool is_known_read(const query& what, bool is_declared);

/// The same for the functions and clauses of a text that `sql_effect` takes for a read.
[[nodiscard]] bool calls_only_known_functions(std::string_view sql) noexcept;

}  // namespace sluice::detail
