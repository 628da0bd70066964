#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

#include <pwd.h>
#include <unistd.h>

#include "conninfo/conninfo_settings.hpp"

namespace sluice {

namespace {

struct account {
  std::string name;
  std::string home;
};

account look_up(uid_t user) {
  std::vector<char> room(16384);
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(user, &entry, room.data(), room.size(), &found) != 0 || found == nullptr) return {};
  return {entry.pw_name, entry.pw_dir};
}

/// Kept, because reading the user database is most of the cost of parsing a connection string.
const account& effective_user() {
  thread_local std::optional<std::pair<uid_t, account>> known;
  const uid_t now = geteuid();
  if (!known || known->first != now) known.emplace(now, look_up(now));
  return known->second;
}

std::optional<std::string> process_variable(std::string_view name) {
  const char* const value = std::getenv(std::string{name}.c_str());
  return value != nullptr ? std::optional<std::string>{value} : std::nullopt;
}

}  // namespace

conninfo_environment conninfo_environment::process() {
  const account& user = effective_user();
  const std::string home = process_variable("HOME").value_or("");
  conninfo_environment environment;
  environment.variable = process_variable;
  environment.home = home.empty() ? user.home : home;
  environment.user_name = user.name;
  return environment;
}

}  // namespace sluice

namespace sluice::wire {

setting from_variable(std::string_view key, std::string_view variable, std::string value) {
  if (value.find('\0') != value.npos) refuse(std::string{variable} + ": a zero byte is not allowed");
  return {std::move(value), std::string{key} + " (environment variable " + std::string{variable} + ")"};
}

void add_environment(settings& into, const conninfo_environment& environment) {
  for (const known_key& key : all_keys()) {
    if (key.variable.empty()) continue;
    if (auto value = environment.variable(key.variable))
      into.set_if_absent(key, from_variable(key.name, key.variable, std::move(*value)));
  }
  // Older than PGSSLMODE, and still honoured: ignoring it would silently give up TLS.
  const auto require_ssl = environment.variable("PGREQUIRESSL");
  if (require_ssl && require_ssl->starts_with('1'))
    into.set_if_absent(*find_key("sslmode"), from_variable("sslmode", "PGREQUIRESSL", "require"));
}

}  // namespace sluice::wire
