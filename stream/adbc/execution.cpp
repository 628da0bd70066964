#include "adbc/execution.hpp"

#include <optional>
#include <string_view>
#include <utility>

#include <sluice/arrow/reader.hpp>

namespace sluice::adbc {

namespace {

constexpr errc only_described{errc::unsupported_result};

query statement_of(const std::string& sql, std::vector<bind_value> parameters = {}) {
  return {sql, std::move(parameters), query::shape::detect};
}

/// What a look at the columns has shown.
struct seen_columns {
  bool is_known{false};
  result_columns columns{};

  /// Whether this is how a look ends, and not a failure.
  [[nodiscard]] bool ended(const error& why) const noexcept { return is_known && why.code() == only_described; }
};
using seen_ptr = std::shared_ptr<seen_columns>;

/// The query with its columns looked at before it runs, which it then does only if it returns rows.
/// @param runs  false: not even then
query looked_at(query what, const settings& how, const seen_ptr& seen, bool runs) {
  return arrow_query(std::move(what), how.batches).check_columns([seen, runs](std::span<const result_column> columns) {
    seen->columns.assign(columns.begin(), columns.end());
    seen->is_known = true;
    if (!runs || columns.empty()) throw error{only_described, "the statement was only described"};
  });
}

class rows_of_query final : public batch_source {
 public:
  explicit rows_of_query(arrow_reader from) noexcept : from_{std::move(from)} {}
  arrow_schema schema() override { return from_.schema(); }
  arrow_batch next() override { return from_.next(); }

 private:
  arrow_reader from_;
};

bool same_type(const ArrowSchema& one, const ArrowSchema& other) {
  if (std::string_view{one.format} != other.format || one.n_children != other.n_children) return false;
  for (std::int64_t i = 0; i < one.n_children; ++i)
    if (!same_type(*one.children[i], *other.children[i])) return false;
  return true;
}

/// The rows of a query that is run for one bound row after the other.
class rows_for_each_bound final : public batch_source {
 public:
  /// Runs it for the first row.
  rows_for_each_bound(session& on, job what, result_columns columns)
      : on_{on}, what_{std::move(what)}, columns_{std::move(columns)}, schema_{schema_of(columns_, what_.how)} {
    what_.on.reset();  // whoever has this keeps the connection
    (void)run_next();
  }

  arrow_schema schema() override { return schema_of(columns_, what_.how); }
  arrow_batch next() override {
    while (from_) {
      if (arrow_batch batch = from_->next()) return batch;
      from_.reset();
      if (!run_next()) break;
    }
    return {};
  }

 private:
  bool run_next() {
    if (!what_.bound->advance()) return false;
    query what = arrow_query(statement_of(what_.sql, what_.bound->values()), what_.how.batches);
    from_.emplace(on_.stream(what, what_.how.run), what_.how.batches);
    const arrow_schema now = from_->schema();
    if (!same_type(now.schema(), schema_.schema()))
      throw failure{status::invalid_state, "the result has other columns than for the bound rows before"};
    return true;
  }

  session& on_;
  job what_;
  result_columns columns_;
  arrow_schema schema_;
  std::optional<arrow_reader> from_{};
};

std::int64_t run_for_each_bound(job& what) {
  const auto run = [&](blocking_transaction& in) {
    blocking_batch_writer to = in.batch(what.sql, {.timeout = what.how.run.timeout});
    while (what.bound->advance()) {
      std::vector<bind_value> row = what.bound->values();
      to.write_row(row);
    }
    return static_cast<std::int64_t>(to.finish().affected_rows);
  };
  return what.on->in_one_transaction(run);
}

std::shared_ptr<open_result> run_bound_query(job what, ArrowArrayStream* to, std::int64_t& affected) {
  session& on = *what.on;
  result_columns columns = describe(on, statement_of(what.sql, typed_nulls(what.bound->batch())), what.how);
  if (columns.empty()) {
    affected = run_for_each_bound(what);
    export_nothing(to);
    return nullptr;
  }
  const std::shared_ptr<session> kept = what.on;
  const owner by = what.by;
  return export_result(kept, std::make_unique<rows_for_each_bound>(on, std::move(what), std::move(columns)), by, to);
}

}  // namespace

result_columns describe(session& on, query what, const settings& how) {
  const auto seen = std::make_shared<seen_columns>();
  const query asked = looked_at(std::move(what), how, seen, false);
  try {
    row_range rows = on.stream(asked, {.timeout = how.run.timeout});
    (void)rows.next();
  } catch (const error& why) {
    if (!seen->ended(why)) throw;
  }
  return std::move(seen->columns);
}

std::vector<bind_value> typed_nulls(const input_batch& bound) {
  std::vector<bind_value> all;
  for (const input_column& each : bound.columns())
    all.push_back(bind_value::of_type(std::nullopt, each.parameter_type()));
  return all;
}

arrow_schema schema_of(const result_columns& columns, const settings& how) {
  if (columns.empty()) return arrow_schema{column_tree{"+s", ""}.schema()};
  detail::batch_assembly made{how.batches};
  made.take(chunk{}, columns);
  return made.schema();
}

std::vector<std::string> parameter_types(session& on, const std::string& sql_text) {
  const std::string name = "sluice_adbc_" + std::to_string(new_owner());
  const auto ask = [&](auto& in) {
    std::vector<std::string> names;
    (void)in.execute(statement_of("prepare " + name + " as " + sql_text), query_options{});
    query question =
        sql("select t.type::pg_catalog.text from pg_catalog.pg_prepared_statements s, "
            "pg_catalog.unnest(s.parameter_types) with ordinality t(type, at) where s.name = $1 order by t.at",
            name);
    row_range rows = in.stream(std::move(question).as_text_columns(), query_options{});
    while (const chunk some = rows.next())
      for (const row each : some) names.push_back(each.get<std::string>(0));
    (void)in.execute("deallocate " + name, query_options{});
    return names;
  };
  return on.beside(ask);
}

std::shared_ptr<open_result> run_query(job what, ArrowArrayStream* to, std::int64_t& affected) {
  affected = unknown_rows;
  if (what.bound != nullptr) return run_bound_query(std::move(what), to, affected);
  const auto seen = std::make_shared<seen_columns>();
  const query statement = statement_of(what.sql);
  try {
    arrow_reader from{what.on->stream(looked_at(statement, what.how, seen, true), what.how.run), what.how.batches};
    (void)from.schema();
    return export_result(what.on, std::make_unique<rows_of_query>(std::move(from)), what.by, to);
  } catch (const error& why) {
    if (!seen->ended(why) || !seen->columns.empty()) throw;
  }
  affected = static_cast<std::int64_t>(what.on->execute(statement, {.timeout = what.how.run.timeout}).affected_rows);
  export_nothing(to);
  return nullptr;
}

std::int64_t run_command(job what) {
  if (what.bound != nullptr) return run_for_each_bound(what);
  const query_options how{.timeout = what.how.run.timeout};
  return static_cast<std::int64_t>(what.on->execute(std::string_view{what.sql}, how).affected_rows);
}

}  // namespace sluice::adbc
