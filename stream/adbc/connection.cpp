#include <algorithm>
#include <array>

#include <sluice/stream/query.hpp>

#include "adbc/handles.hpp"

namespace sluice::adbc {

namespace {

constexpr std::string_view autocommit_option{"adbc.connection.autocommit"};
constexpr std::string_view read_only_option{"adbc.connection.readonly"};
constexpr std::string_view isolation_option{"adbc.connection.transaction.isolation_level"};
constexpr std::string_view catalog_of_connection{"adbc.connection.catalog"};
constexpr std::string_view schema_of_connection{"adbc.connection.db_schema"};
constexpr std::array server_options{autocommit_option, read_only_option, isolation_option, catalog_of_connection,
                                    schema_of_connection};

struct level {
  std::string_view name;
  std::string_view sql;  // empty: the server's default
};
constexpr std::array levels{
    level{"adbc.connection.transaction.isolation.default", ""},
    level{"adbc.connection.transaction.isolation.read_uncommitted", "read uncommitted"},
    level{"adbc.connection.transaction.isolation.read_committed", "read committed"},
    level{"adbc.connection.transaction.isolation.repeatable_read", "repeatable read"},
    level{"adbc.connection.transaction.isolation.snapshot", "repeatable read"},  // which is a snapshot in Postgres
    level{"adbc.connection.transaction.isolation.serializable", "serializable"},
};

}  // namespace

connection::~connection() {
  if (on_ != nullptr) on_->release();
}

void connection::set(std::string_view option, std::string_view value) {
  {
    const std::lock_guard lock{guard_};
    if (settings_.set(option, value)) return;
    if (std::ranges::find(server_options, option) == server_options.end())
      not_implemented("connection option " + std::string{option});
    if (on_ == nullptr) {
      before_.emplace_back(option, value);
      return;
    }
  }
  apply(option, value);
}

void connection::init(const database& of) {
  if (on_ != nullptr) throw failure{status::invalid_state, "ConnectionInit was called before"};
  auto made = std::make_shared<session>(of.where());
  std::vector<std::pair<std::string, std::string>> options;
  {
    const std::lock_guard lock{guard_};
    settings own = of.defaults();
    for (const auto& [option, value] : before_) own.set(option, value);
    settings_ = own;
    options = before_;
    on_ = std::move(made);
  }
  try {
    for (const auto& [option, value] : options)
      if (std::ranges::find(server_options, option) != server_options.end()) apply(option, value);
  } catch (...) {
    on_.reset();
    throw;
  }
}

void connection::apply(std::string_view option, std::string_view value) {
  session& to = *on_;
  const session::turn turn{to, the_connection};
  if (option == autocommit_option) return to.set_autocommit(as_bool(option, value));
  if (option == read_only_option) return set_read_only(as_bool(option, value));
  if (option == isolation_option) return set_isolation(value);
  if (option == schema_of_connection) return to.configure("set search_path to " + quote_identifier(value));
  if (value != to.catalog())
    throw failure{status::not_implemented, "a connection to Postgres stays with its database: make another"};
}

void connection::set_read_only(bool on) {
  if (on_->is_in_transaction()) throw failure{status::invalid_state, "a transaction is open: end it before"};
  on_->configure(on ? "set session characteristics as transaction read only"
                    : "set session characteristics as transaction read write");
  const std::lock_guard lock{guard_};
  is_read_only_ = on;
}

void connection::set_isolation(std::string_view wanted) {
  if (on_->is_in_transaction()) throw failure{status::invalid_state, "a transaction is open: end it before"};
  const auto* const found = std::ranges::find(levels, wanted, &level::name);
  if (found == levels.end()) not_implemented("isolation level " + std::string{wanted});
  on_->configure(found->sql.empty()
                     ? std::string{"reset default_transaction_isolation"}
                     : "set session characteristics as transaction isolation level " + std::string{found->sql});
  const std::lock_guard lock{guard_};
  isolation_ = wanted;
}

std::string connection::get(std::string_view option) {
  std::shared_ptr<session> of;
  {
    const std::lock_guard lock{guard_};
    if (std::optional<std::string> value = settings_.get(option)) return *std::move(value);
    if (option == read_only_option) return std::string{show(is_read_only_)};
    if (option == isolation_option) return isolation_;
    of = on_;
    if (of == nullptr) {
      const auto set =
          std::ranges::find(before_, option, [](const auto& each) { return std::string_view{each.first}; });
      if (set != before_.end()) return set->second;
    }
  }
  if (std::ranges::find(server_options, option) == server_options.end()) no_option(option);
  const session::turn turn{*on(), the_connection};
  if (option == autocommit_option) return std::string{show(of->autocommit())};
  if (option == catalog_of_connection) return of->catalog();
  const std::optional<std::string> schema = of->look(sql("select pg_catalog.current_schema()")).at(0).at(0);
  if (!schema) throw failure{status::not_found, "no schema of the search path exists"};
  return *schema;
}

const std::shared_ptr<session>& connection::on() const {
  if (on_ == nullptr) throw failure{status::invalid_state, "ConnectionInit was not called"};
  return on_;
}

settings connection::defaults() const {
  const std::lock_guard lock{guard_};
  return settings_;
}

}  // namespace sluice::adbc
