#include "whole_table.hpp"

#include <sluice/stream/query.hpp>

#include "quoting.hpp"

namespace sluice::detail {

std::string whole_table::check() const {
  return "select exists (select from pg_catalog.pg_class c join pg_catalog.pg_attribute a on a.attrelid = c.oid where "
         "c.oid = pg_catalog.to_regclass(" +
         quote_literal(name) +
         ") and c.relkind = 'r' and not c.relhassubclass and a.attname = " + quote_literal(column) +
         " and a.attgenerated = '')";
}

std::string whole_table::source() const { return name + " (" + quote_identifier(column) + ')'; }

}  // namespace sluice::detail
