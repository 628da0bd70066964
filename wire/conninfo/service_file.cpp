#include <array>
#include <filesystem>
#include <optional>

#include "conninfo/conninfo_values.hpp"
#include "conninfo/wiped_file.hpp"

namespace sluice::wire {

namespace {

namespace fs = std::filesystem;

// Where distributions and builds from source keep it; libpq has one such folder compiled in.
constexpr std::array system_folders{"/etc/postgresql-common", "/etc/sysconfig/pgsql", "/usr/local/pgsql/etc", "/etc"};

std::string_view trimmed(std::string_view line) {
  while (!line.empty() && is_space(line.front())) line.remove_prefix(1);
  while (!line.empty() && is_space(line.back())) line.remove_suffix(1);
  return line;
}

class service_reader {
 public:
  service_reader(settings& into, std::string_view service) : into_{into}, header_{"[" + std::string{service} + "]"} {}

  /// @return whether the file defines the service
  bool read(const fs::path& path, std::string_view place) {
    wiped_file file{path.string()};
    if (!file.was_opened()) refuse(std::string{place} + " cannot be read");
    if (!file.problem().empty()) refuse(std::string{place} + ": the service file " + std::string{file.problem()});
    bool found = false;
    line_ = 1;
    for (std::optional<std::string_view> text; (text = file.line()); ++line_) {
      const std::string_view line = trimmed(*text);
      if (line.empty() || line.starts_with('#')) continue;
      if (line.starts_with('[')) {
        if (found) return true;
        found = line.starts_with(header_);
      } else if (found) {
        take(path, line);
      }
    }
    return found;
  }

 private:
  void take(const fs::path& path, std::string_view line) {
    const std::string place = "service file \"" + path.string() + "\", line " + std::to_string(line_);
    if (line.find('\0') != line.npos) refuse(place + ": a zero byte is not allowed");
    if (line.starts_with("ldap")) refuse(place + ": looking a service up by LDAP is not supported");
    const std::size_t equals = line.find('=');
    if (equals == line.npos) refuse(place + ": a parameter without '='");
    const std::string_view name = line.substr(0, equals);
    if (name == "service" || name == "servicefile") refuse(place + ": a service may not refer to another one");
    const known_key* const key = find_key(name);
    if (key == nullptr) refuse(place + ": unknown parameter");
    std::string value = room_for_value(line.size());
    value = line.substr(equals + 1);
    into_.set_if_absent(*key, {std::move(value), std::string{name} + " (" + place + ")"});
  }

  settings& into_;
  std::string header_;
  std::size_t line_{};
};

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

fs::path system_file(const conninfo_environment& environment) {
  if (const auto folder = environment.variable("PGSYSCONFDIR")) return fs::path{*folder} / "pg_service.conf";
  for (const char* const folder : system_folders)
    if (fs::path path = fs::path{folder} / "pg_service.conf"; is_there(path)) return path;
  return {};
}

}  // namespace

void add_service(settings& into, const conninfo_environment& environment) {
  const auto given = [&](std::string_view name) -> std::optional<setting> {
    if (const setting* const in_string = into.find(name)) return setting{in_string->value, in_string->place};
    const known_key& key = *find_key(name);
    auto value = environment.variable(key.variable);
    if (!value) return std::nullopt;
    return from_variable(key.name, key.variable, std::move(*value));
  };
  const auto service = given("service");
  if (!service) return;

  service_reader reader{into, service->value};
  if (const auto named = given("servicefile")) {
    if (reader.read(named->value, named->place)) return;
  } else if (const fs::path own = fs::path{environment.home} / ".pg_service.conf";
             !environment.home.empty() && is_there(own)) {
    if (reader.read(own, own.string())) return;
  }
  const fs::path shared = system_file(environment);
  if (!shared.empty() && is_there(shared) && reader.read(shared, shared.string())) return;
  refuse_value(*service, "is defined in no service file");
}

}  // namespace sluice::wire
