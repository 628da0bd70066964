#include <openssl/crypto.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "conninfo/conninfo_settings.hpp"
#include "conninfo/wiped_file.hpp"

namespace sluice {

namespace {

/// One line, read field by field. A backslash escapes the next character, and a colon ends a field.
class password_line {
 public:
  explicit password_line(std::string_view line) noexcept : rest_{line} {}

  /// Whether the next field is `*` or equals `expected`.
  bool matches(std::string_view expected) {
    if (rest_.starts_with("*:")) {
      rest_.remove_prefix(2);
      return true;
    }
    return field() == expected && ended_by_colon_;
  }
  std::string field() {
    std::string text = wire::room_for_value(rest_.size());
    while (!rest_.empty() && rest_.front() != ':') {
      if (rest_.front() == '\\' && rest_.size() > 1) rest_.remove_prefix(1);
      text += rest_.front();
      rest_.remove_prefix(1);
    }
    ended_by_colon_ = !rest_.empty();
    if (ended_by_colon_) rest_.remove_prefix(1);
    return text;
  }

 private:
  std::string_view rest_;
  bool ended_by_colon_{};
};

/// The name of a host in the file: the default socket folder is called "localhost" there.
std::string name_in_file(const conninfo::host& host) {
  if (host.name.empty()) return host.address.empty() ? "localhost" : host.address;
  return host.name == wire::default_socket_folder(conninfo_environment{}) ? "localhost" : host.name;
}

}  // namespace

std::optional<secret> password_for(const conninfo& info, const conninfo::host& host) {
  if (!info.password.empty()) return info.password;
  if (info.passfile.empty() || !wire::password_file_problem(info.passfile).empty()) return std::nullopt;

  const std::string name = name_in_file(host);
  const std::string port = std::to_string(host.port);
  wire::wiped_file file{info.passfile};
  if (!file.problem().empty())
    wire::refuse("the password file \"" + info.passfile + "\" " + std::string{file.problem()});
  while (const std::optional<std::string_view> text = file.line()) {
    if (text->starts_with('#') || text->find('\0') != text->npos) continue;
    password_line line{*text};
    if (!line.matches(name) || !line.matches(port) || !line.matches(info.database) || !line.matches(info.user))
      continue;
    std::string password = line.field();
    secret found{password};
    OPENSSL_cleanse(password.data(), password.size());
    return found;
  }
  return std::nullopt;
}

}  // namespace sluice

namespace sluice::wire {

std::string password_file_problem(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code missing;
  const fs::file_status status = fs::status(path, missing);
  if (missing || !fs::exists(status)) return {};
  using enum fs::perms;
  if (!fs::is_regular_file(status)) return "the password file \"" + path + "\" is not a plain file; it is ignored";
  if ((status.permissions() & (group_all | others_all)) != none)
    return "the password file \"" + path + "\" can be used by others; it is ignored until its mode is 0600 or less";
  return {};
}

}  // namespace sluice::wire
