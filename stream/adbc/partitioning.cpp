#include "adbc/partitioning.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sluice/arrow/partitions.hpp>

#include "adbc/execution.hpp"

namespace sluice::adbc {

namespace {

/// Takes a word and the white space after it off the text.
bool take_word(std::string_view& from, std::string_view word) {
  const auto is_same = [](char one, char other) { return std::tolower(static_cast<unsigned char>(one)) == other; };
  if (from.size() < word.size() || !std::equal(word.begin(), word.end(), from.begin(),
                                               [&](char wanted, char given) { return is_same(given, wanted); }))
    return false;
  const std::size_t next = from.find_first_not_of(" \t\r\n", word.size());
  if (next == from.npos || (next == word.size() && word != "*")) return false;
  from.remove_prefix(next);
  return true;
}

/// The name in "table name" and "select * from name", if nothing else is there.
std::optional<std::string> only_table(std::string_view sql) {
  sql.remove_prefix(std::min(sql.find_first_not_of(" \t\r\n"), sql.size()));
  sql = sql.substr(0, sql.find_last_not_of("; \t\r\n") + 1);
  const bool is_whole =
      take_word(sql, "table") || (take_word(sql, "select") && take_word(sql, "*") && take_word(sql, "from"));
  constexpr std::string_view plain{"abcdefghijklmnopqrstuvwxyz0123456789_."};
  if (!is_whole || sql.find_first_not_of(plain) != sql.npos) return std::nullopt;
  return std::string{sql};
}

/// The relation whose rows the query gives; none if it is something else, such as a keyword.
std::optional<relation> whole_relation(session& on, const query& what, const result_columns& columns,
                                       const settings& how) {
  const std::optional<std::string> name = only_table(what.text());
  if (!name) return std::nullopt;
  try {
    relation found{*name};
    if (describe(on, sql("select * from " + found.qualified_name()), how) != columns) return std::nullopt;
    const text_rows kind =
        on.look(sql("select c.relkind in ('r', 'm') from pg_catalog.pg_class c where c.oid = "
                    "$1::pg_catalog.regclass",
                    found.qualified_name()));
    if (kind.empty() || kind[0][0] != "t") return std::nullopt;  // it has no pages
    return std::move(found).of_columns();
  } catch (const error& why) {
    if (why.kind() != condition::sql && why.kind() != condition::usage) throw;
    return std::nullopt;
  }
}

/// Where the connection leads, with those of its settings on which the meaning of SQL depends, if they were changed
/// since.
conninfo with_settings(session& on) {
  conninfo where = on.where();
  const text_rows changed = on.look(
      sql("select ' -c ' || name || '=' || pg_catalog.regexp_replace(setting, '([\\\\\\s])', '\\\\\\1', 'g') from "
          "pg_catalog.pg_settings where source = 'session' and name = any ('{search_path,TimeZone,DateStyle,"
          "IntervalStyle,bytea_output,extra_float_digits,lc_monetary,xmloption,array_nulls,transform_null_equals}')"));
  for (const std::vector<std::optional<std::string>>& each : changed) where.options += each.at(0).value_or("");
  return where;
}

class rows_of_partition final : public batch_source {
 public:
  explicit rows_of_partition(arrow_reader from) noexcept : from_{std::move(from)} {}
  arrow_schema schema() override { return from_.schema(); }
  arrow_batch next() override { return from_.next(); }

 private:
  arrow_reader from_;
};

struct exported_partitions {
  std::shared_ptr<blocking_partitions> from;
  std::vector<const std::uint8_t*> texts{};
  std::vector<std::size_t> lengths{};
};
void release_partitions(AdbcPartitions* partitions) {
  delete static_cast<exported_partitions*>(partitions->private_data);
  *partitions = {};
}

}  // namespace

std::shared_ptr<blocking_partitions> divide(session& on, const query& what, const result_columns& columns,
                                            const settings& how) {
  const conninfo where = with_settings(on);
  partition_options options{.count = how.partitions, .query = {.timeout = how.run.timeout}};
  if (!how.partition_key.empty()) {
    options.split = split_by::key(how.partition_key);
  } else if (!how.partition_hash.empty()) {
    options.split = split_by::hash(how.partition_hash);
  } else if (const std::optional<relation> whole = whole_relation(on, what, columns, how)) {
    return std::make_shared<blocking_partitions>(where, *whole, options);
  } else {
    options.count = 1;
  }
  return std::make_shared<blocking_partitions>(where, what, options);
}

void export_partition(const std::shared_ptr<session>& on, std::string_view descriptor, const settings& how,
                      ArrowArrayStream* to) {
  if (on->is_in_transaction())
    throw failure{status::invalid_state, "a partition is read in a transaction of its own: end the one that is open"};
  auto from =
      std::make_unique<rows_of_partition>(open_arrow_partition(on->connection(), descriptor, how.batches, how.run));
  (void)from->schema();
  (void)export_result(on, std::move(from), the_connection, to);
}

void export_partitions(std::shared_ptr<blocking_partitions> from, AdbcPartitions* to) {
  auto owned = std::make_unique<exported_partitions>(exported_partitions{.from = std::move(from)});
  for (const std::string& each : owned->from->descriptors()) {
    owned->texts.push_back(reinterpret_cast<const std::uint8_t*>(each.data()));
    owned->lengths.push_back(each.size());
  }
  *to = {.num_partitions = owned->texts.size(),
         .partitions = owned->texts.data(),
         .partition_lengths = owned->lengths.data(),
         .private_data = nullptr,
         .release = release_partitions};
  to->private_data = owned.release();
}

}  // namespace sluice::adbc
