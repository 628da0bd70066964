#include <array>
#include <filesystem>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "conninfo/conninfo_values.hpp"

namespace sluice {

bool conninfo::host::is_unix_socket() const noexcept {
  return address.empty() && (name.starts_with('/') || name.starts_with('@'));
}

std::string conninfo::host::socket_path() const { return name + "/.s.PGSQL." + std::to_string(port); }

std::string conninfo::host::to_string() const {
  if (is_unix_socket()) return socket_path();
  const std::string& shown = name.empty() ? address : name;
  const bool is_ipv6 = shown.find(':') != shown.npos;
  const std::string at = (is_ipv6 ? '[' + shown + ']' : shown) + ':' + std::to_string(port);
  return name.empty() || address.empty() ? at : at + " (" + address + ")";
}

}  // namespace sluice

namespace sluice::wire {

namespace {

bool is_ip_address(const std::string& text) {
  in_addr v4{};
  in6_addr v6{};
  return inet_pton(AF_INET, text.c_str(), &v4) == 1 ||
         inet_pton(AF_INET6, text.substr(0, text.find('%')).c_str(), &v6) == 1;  // what follows '%' names an interface
}

std::string counted(std::size_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string{noun} + (count == 1 ? "" : "s");
}

void check_name(const setting& given, std::string_view name) {
  if (name.starts_with('/') || name.find_first_of("@=", 1) == name.npos) return;
  refuse_value(given, "has an '@' or '=' inside of a host name; is it a piece of a password?");
}

}  // namespace

std::string default_socket_folder(const conninfo_environment& environment) {
  std::error_code ignored;
  for (const std::string& folder : environment.socket_folders)
    if (std::filesystem::is_directory(folder, ignored)) return folder;
  return environment.socket_folders.empty() ? "/var/run/postgresql" : environment.socket_folders.back();
}

std::vector<conninfo::host> servers(const settings& all, const conninfo_environment& environment) {
  std::vector<conninfo::host> hosts;
  const std::string& names = all.value("host");
  const std::string& addresses = all.value("hostaddr");
  const std::string& ports = all.value("port");

  if (!addresses.empty()) {
    for (const std::string_view address : comma_separated(addresses)) {
      conninfo::host& next = hosts.emplace_back();
      next.address = address;
      if (!address.empty() && !is_ip_address(next.address))
        refuse_value(*all.find("hostaddr"),
                     "must list IP addresses; element " + std::to_string(hosts.size()) + " is none");
    }
  }
  if (!names.empty()) {
    const auto elements = comma_separated(names);
    if (hosts.empty()) hosts.resize(elements.size());
    if (elements.size() != hosts.size())
      refuse_value(*all.find("host"), "has " + counted(elements.size(), "element") + ", but there are " +
                                          std::to_string(hosts.size()) + " of hostaddr");
    for (std::size_t i = 0; i < elements.size(); ++i) {
      check_name(*all.find("host"), elements[i]);
      hosts[i].name = elements[i];
    }
  }
  if (hosts.empty()) hosts.emplace_back();
  if (!ports.empty()) {
    const auto elements = comma_separated(ports);
    if (elements.size() != 1 && elements.size() != hosts.size())
      refuse_value(*all.find("port"), "has " + counted(elements.size(), "element") + " for " +
                                          counted(hosts.size(), "host") +
                                          "; one serves all, otherwise each has its own");
    for (std::size_t i = 0; i < hosts.size(); ++i)
      hosts[i].port = port(*all.find("port"), elements[elements.size() == 1 ? 0 : i]);
  }
  for (conninfo::host& each : hosts)
    if (each.name.empty() && each.address.empty()) each.name = default_socket_folder(environment);
  return hosts;
}

}  // namespace sluice::wire
