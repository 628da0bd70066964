#pragma once
// The private Postgres of an integration test, as ci/with-postgres describes it in the environment, and psql as the
// reference.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::test {

/// A variable that ci/with-postgres sets. Throws if this process was not started by it, so that a test that needs a
/// server fails without one.
inline std::string cluster_value(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr || *value == '\0')
    throw std::runtime_error(std::string{variable} + " is not set: this test needs a Postgres of its own, run it as " +
                             "'ci/with-postgres BUILD_FOLDER/tests/integration_tests' or by 'meson test'");
  return value;
}

/// A connection string of the superuser over the Unix socket.
inline std::string dsn() { return cluster_value("SLUICE_TEST_DSN"); }

/// A connection string of the superuser over TCP on 127.0.0.1.
inline std::string tcp_dsn() { return cluster_value("SLUICE_TEST_TCP_DSN"); }

/// The path of a certificate or key of the cluster, such as "ca.crt".
inline std::string tls_file(const std::string& name) { return cluster_value("SLUICE_TEST_TLS_DIR") + "/" + name; }

/// The password of every user that has one, except sasl_user.
inline constexpr std::string_view user_password = "secret";

/// The password of sasl_user in UTF-8: SASLprep makes "secretaIX" of it.
inline constexpr std::string_view sasl_user_password = "secret\xc2\xaa\xe2\x85\xa8";

/// A connection string of another user over TCP, with its password if it has one: trust_user, scram_user, md5_user,
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

/// Turns JIT off in a connection string. Compiling an endless query may take the server longer than everything else it
/// does first.
inline std::string without_jit(std::string conninfo = dsn()) { return std::move(conninfo) + " options='-c jit=off'"; }

/// What psql prints for `sql`: a line per row, columns separated by '|', without the last newline. The text is passed
/// to psql unchanged, so it may contain several statements and any quotes. Throws with psql's own message when a
/// statement fails.
/// @param conninfo  the server and user; by default the superuser over the Unix socket
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

/// Waits until `condition` holds on the server, which checks it every few milliseconds. If it never holds, the suite's
/// time limit ends the test.
/// @param conninfo  which server; by default that of `dsn`
inline void wait_until(const std::string& condition, const std::string& conninfo = dsn()) {
  psql("do $wait$ begin loop perform pg_stat_clear_snapshot(); exit when (" + condition +
           "); perform pg_sleep(0.002); end loop; end $wait$",
       conninfo);
}

}  // namespace sluice::test
