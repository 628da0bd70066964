#include <cstdlib>

#include "adbc/handles.hpp"

namespace sluice::adbc {

namespace {
constexpr std::string_view uri_option{"uri"};
constexpr std::string_view user_option{"username"};
constexpr std::string_view password_option{"password"};
}  // namespace

void database::set(std::string_view option, std::string_view value) {
  const std::lock_guard lock{guard_};
  if (option == uri_option)
    uri_ = value;
  else if (option == user_option)
    user_ = value;
  else if (option == password_option)
    password_ = value;
  else if (!settings_.set(option, value))
    not_implemented("database option " + std::string{option});
  else
    return;
  where_.reset();
}

std::string database::get(std::string_view option) const {
  const std::lock_guard lock{guard_};
  if (option == uri_option || option == password_option)
    throw failure{status::not_found, "the driver does not give out " + std::string{option} + ", which may be a secret"};
  if (option == user_option && user_) return *user_;
  if (std::optional<std::string> value = settings_.get(option)) return *std::move(value);
  no_option(option);
}

void database::init() {
  const std::lock_guard lock{guard_};
  // The user's name is the default of the database's, so it has to be known when the string is parsed.
  conninfo_environment environment = conninfo_environment::process();
  environment.variable = [this,
                          before = environment.variable](std::string_view variable) -> std::optional<std::string> {
    if (variable == "PGUSER" && user_) return user_;
    return before ? before(variable) : std::nullopt;
  };
  conninfo parsed = conninfo::parse(uri_, environment);
  if (user_) parsed.user = *user_;
  if (password_) parsed.password = *password_;
  where_ = std::move(parsed);
}

const conninfo& database::where() const {
  const std::lock_guard lock{guard_};
  if (!where_) throw failure{status::invalid_state, "DatabaseInit was not called"};
  return *where_;
}

settings database::defaults() const {
  const std::lock_guard lock{guard_};
  return settings_;
}

}  // namespace sluice::adbc
