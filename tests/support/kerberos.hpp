#pragma once
// The private realm of ci/with-kerberos: tickets, and roles that log in with them.
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

#include "cluster.hpp"
#include "shell.hpp"
#include "temporary_folder.hpp"

namespace sluice::test {

/// A file of ci/with-kerberos, such as "gss.keytab".
inline std::string kerberos_file(std::string_view name) {
  return cluster_value("SLUICE_TEST_KRB_DIR") + "/" + std::string{name};
}

/// A variable of this process's environment until the end of the test. No other thread may read the environment when it
/// changes.
class changed_variable {
 public:
  changed_variable(std::string name, const std::string& value) : name_{std::move(name)} {
    const char* const before = std::getenv(name_.c_str());
    if (before != nullptr) before_ = before;
    had_one_ = before != nullptr;
    ::setenv(name_.c_str(), value.c_str(), 1);
  }
  ~changed_variable() {
    if (had_one_)
      ::setenv(name_.c_str(), before_.c_str(), 1);
    else
      ::unsetenv(name_.c_str());
  }
  changed_variable(const changed_variable&) = delete;
  changed_variable& operator=(const changed_variable&) = delete;

 private:
  std::string name_;
  std::string before_;
  bool had_one_{false};
};

/// The credentials of a principal, in use until the end of the test.
class ticket {
 public:
  /// @param options  of kinit, such as "-l 2s"
  explicit ticket(const std::string& principal = "gss_user", const std::string& options = "-f")
      : use_{"KRB5CCNAME", "FILE:" + folder_.path("cache")} {
    const finished got = shell("kinit -k -t " + kerberos_file("gss.keytab") + " " + options + " " + principal);
    if (got.status != 0) throw std::runtime_error{"kinit failed: " + got.err};
  }

  [[nodiscard]] static bool has_expired() { return shell("klist -s").status != 0; }

 private:
  temporary_folder folder_;
  changed_variable use_;
};

/// A connection string of a role of ci/with-kerberos. It does not fall back to TLS.
inline std::string by_kerberos(const std::string& role, const std::string& options = {}) {
  return "host=localhost hostaddr=127.0.0.1 port=" + cluster_value("SLUICE_TEST_PORT") + " dbname=sluice user='" +
         role + "' sslmode=disable " + options;
}

}  // namespace sluice::test
