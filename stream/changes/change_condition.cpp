#include "changes/change_condition.hpp"

#include <sluice/wire/error.hpp>

#include "api/error_note.hpp"

namespace sluice::detail {

node_ptr condition_on_client(const predicate& condition) {
  try {
    return condition.on_client().made();
  } catch (const error& why) {
    throw with_note(
        why,
        "the client evaluates conditions on changes, in which a column is a field, as in field(\"id\") == 7;"
        " what only the server can evaluate belongs into the publication's WHERE",
        why.rows());
  }
}

bool is_named(const changed_relation& table, std::string_view name) noexcept {
  const std::string_view schema = table.schema;
  return name == table.name || (name.size() == schema.size() + 1 + table.name.size() && name.starts_with(schema) &&
                                name[schema.size()] == '.' && name.ends_with(table.name));
}

}  // namespace sluice::detail
