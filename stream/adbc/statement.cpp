#include "adbc/execution.hpp"
#include "adbc/handles.hpp"

namespace sluice::adbc {

namespace {
constexpr std::string_view incremental_option{"adbc.statement.exec.incremental"};
}

void statement::set(std::string_view option, std::string_view value) {
  const std::lock_guard lock{guard_};
  if (option == incremental_option) {
    if (as_bool(option, value)) not_implemented("incremental execution");
    return;
  }
  if (settings_.set(option, value)) return;
  if (!target_.set(option, value)) not_implemented("statement option " + std::string{option});
  if (target_.is_wanted()) sql_.reset();
}

std::string statement::get(std::string_view option) const {
  const std::lock_guard lock{guard_};
  if (option == incremental_option) return std::string{show(false)};
  if (std::optional<std::string> value = settings_.get(option)) return *std::move(value);
  if (std::optional<std::string> value = target_.get(option)) return *std::move(value);
  no_option(option);
}

void statement::set_sql(std::string_view sql) {
  const std::lock_guard lock{guard_};
  sql_ = sql;
  target_ = {};
}

std::string statement::sql() const {
  const std::lock_guard lock{guard_};
  if (!sql_) throw failure{status::invalid_state, "there is no query: call SetSqlQuery"};
  return *sql_;
}
settings statement::how() const {
  const std::lock_guard lock{guard_};
  return settings_;
}

void statement::close_last() noexcept {
  if (const std::shared_ptr<open_result> last = last_.lock()) last->close();
  last_.reset();
  partitions_.reset();
}

void statement::prepare() {
  const session::turn turn{*on_, by_};
  close_last();
  (void)sql();
}

result_columns statement::columns() {
  const session::turn turn{*on_, by_};
  close_last();
  std::vector<bind_value> types;
  if (bound_ != nullptr) types = typed_nulls(bound_->batch());
  return describe(*on_, query{sql(), std::move(types), query::shape::detect}, how());
}

ArrowSchema statement::result() {
  const result_columns all = columns();
  ArrowSchema made{};
  schema_of(all, how()).export_to(&made);
  return made;
}

ArrowSchema statement::parameters() {
  const session::turn turn{*on_, by_};
  close_last();
  const std::vector<std::string> types = parameter_types(*on_, sql());
  std::string one_of_each;
  for (const std::string& each : types) one_of_each += (one_of_each.empty() ? "select null::" : ", null::") + each;
  result_columns columns;
  if (!types.empty()) columns = describe(*on_, query{one_of_each, {}, query::shape::detect}, how());
  for (result_column& each : columns) each.name.clear();
  ArrowSchema made{};
  schema_of(columns, how()).export_to(&made);
  return made;
}

std::int64_t statement::execute(ArrowArrayStream* to) {
  const session::turn turn{*on_, by_};
  close_last();
  std::unique_ptr<bound_rows> bound = std::move(bound_);
  ingest_target target;
  {
    const std::lock_guard lock{guard_};
    target = target_;
  }
  if (target.is_wanted()) {
    if (bound == nullptr) throw failure{status::invalid_state, "there is nothing to ingest: call Bind or BindStream"};
    const auto rows = static_cast<std::int64_t>(ingest(*on_, target, *bound, how()));
    if (to != nullptr) export_nothing(to);
    return rows;
  }
  job work{.on = on_, .sql = sql(), .how = how(), .by = by_, .bound = std::move(bound)};
  if (to == nullptr) return run_command(std::move(work));
  std::int64_t affected = unknown_rows;
  last_ = run_query(std::move(work), to, affected);
  return affected;
}

ArrowSchema statement::execute_partitions(AdbcPartitions* to) {
  const session::turn turn{*on_, by_};
  close_last();
  const std::unique_ptr<bound_rows> bound = std::move(bound_);
  std::vector<bind_value> parameters;
  if (bound != nullptr) {
    if (!bound->advance()) throw failure{status::invalid_argument, "no row was bound"};
    parameters = bound->values();
    if (bound->advance()) not_implemented("partitions of a query for several bound rows");
  }
  const query what{sql(), std::move(parameters), query::shape::detect};
  const result_columns columns = describe(*on_, what, how());
  if (columns.empty()) throw failure{status::invalid_argument, "a statement that returns no rows has no partitions"};
  arrow_schema schema = schema_of(columns, how());
  partitions_ = divide(*on_, what, columns, how());
  export_partitions(partitions_, to);
  ArrowSchema made{};
  schema.export_to(&made);
  return made;
}

void statement::cancel() {
  if (!on_->cancel(by_)) throw failure{status::invalid_state, "there is no query to cancel"};
}

}  // namespace sluice::adbc
