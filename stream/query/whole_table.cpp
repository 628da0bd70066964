#include "query/whole_table.hpp"

#include <sluice/stream/query.hpp>

#include "query/quoting.hpp"

namespace sluice::detail {

std::string whole_table::check() const {
  return "select exists (select from pg_catalog.pg_class c join pg_catalog.pg_attribute a on a.attrelid"
         " operator(pg_catalog.=) c.oid where c.oid operator(pg_catalog.=) pg_catalog.to_regclass(" +
         quote_literal(name) +
         ")::pg_catalog.oid and c.relkind operator(pg_catalog.=) 'r' and not c.relhassubclass and "
         "a.attname operator(pg_catalog.=) " +
         quote_literal(column) + " and a.attgenerated operator(pg_catalog.=) '')";
}

std::string whole_table::source() const { return name + " (" + quote_identifier(column) + ')'; }

}  // namespace sluice::detail
