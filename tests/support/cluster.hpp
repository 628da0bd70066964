#pragma once
// The private Postgres of an integration test, as ci/with-postgres describes it in the environment, and psql as the
// oracle.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::test {

/// What ci/with-postgres says about its server. Throws when it did not start this process: a test that needs a server
/// and has none fails.
inline std::string cluster_value(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr || *value == '\0')
    throw std::runtime_error(std::string{variable} + " is not set: this test needs a Postgres of its own, run it as " +
                             "'ci/with-postgres BUILD_FOLDER/tests/integration_tests' or by 'meson test'");
  return value;
}

/// Connection string of the superuser over the Unix socket.
inline std::string dsn() { return cluster_value("SLUICE_TEST_DSN"); }

/// Connection string of the superuser over TCP on 127.0.0.1.
inline std::string tcp_dsn() { return cluster_value("SLUICE_TEST_TCP_DSN"); }

/// A certificate or key of the cluster, such as "ca.crt".
inline std::string tls_file(const std::string& name) { return cluster_value("SLUICE_TEST_TLS_DIR") + "/" + name; }

/// The password of every user that has one, but for sasl_user.
inline constexpr std::string_view user_password = "secret";

/// The password of sasl_user in UTF-8: SASLprep makes "secretaIX" of it.
inline constexpr std::string_view sasl_user_password = "secret\xc2\xaa\xe2\x85\xa8";

/// Connection string of another user over TCP, with its password where it has one: trust_user, scram_user, md5_user,
/// clear_user, sasl_user, tls_user, cert_user, plain_user.
inline std::string as_user(std::string_view name) {
  std::string text = "host=127.0.0.1 port=" + cluster_value("SLUICE_TEST_PORT") + " dbname=sluice user=";
  text += name;
  if (name != "trust_user" && name != "cert_user" && name != "plain_user") {
    text += " password=";
    text += name == "sasl_user" ? sasl_user_password : user_password;
  }
  return text;
}

/// The same without JIT, which may take the server longer than all else that an endless query does at first.
inline std::string without_jit(std::string conninfo = dsn()) { return std::move(conninfo) + " options='-c jit=off'"; }

/// What psql prints for `sql`: a line per row, columns separated by '|', without the last newline. The text goes to
/// psql as it is, so that it may hold several statements and any quotes.
/// @param conninfo  the server and user to ask; the superuser over the Unix socket unless given
/// Throws with psql's own message when a statement fails.
inline std::string psql(std::string_view sql, const std::string& conninfo = dsn()) {
  const auto quoted = [](std::string_view text) {
    std::string word = "'";
    for (const char c : text) c == '\'' ? word += "'\\''" : word += c;
    return word + "'";
  };
  const std::string command = "PGOPTIONS='-c client_min_messages=error' psql -XAtq -v ON_ERROR_STOP=1 -d " +
                              quoted(conninfo) + " -c " + quoted(sql) + " 2>&1";
  struct closing {
    void operator()(std::FILE* stream) const { ::pclose(stream); }
  };
  std::unique_ptr<std::FILE, closing> output{::popen(command.c_str(), "r")};
  if (!output) throw std::runtime_error("cannot run psql");
  std::string text;
  char piece[4096];
  while (const std::size_t got = std::fread(piece, 1, sizeof piece, output.get())) text.append(piece, got);
  if (::pclose(output.release()) != 0) throw std::runtime_error("psql failed: " + text);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

/// Comes back when `condition` holds on the server, which looks every few milliseconds; one that never does is for the
/// suite's time limit.
inline void wait_until(const std::string& condition) {
  psql("do $wait$ begin loop perform pg_stat_clear_snapshot(); exit when (" + condition +
       "); perform pg_sleep(0.002); end loop; end $wait$");
}

}  // namespace sluice::test
