// Servers that refuse every login, and servers that must not be trusted when they accept one.
#include "bytes.hpp"
#include "fault.hpp"

namespace sluice::test {

namespace {

using namespace std::chrono_literals;

const std::string in_time = "connect_timeout=1";  // the shortest that a connection string can express, in seconds

script greets(const backend& messages) { return script{}.hears().says(messages); }
script greets(const std::string& bytes) { return script{}.hears().says(bytes); }
backend welcome() { return backend{}.authentication_ok().backend_key_data(1, "key!").ready_for_query(); }

ending refused(errc code, std::string sqlstate, bool is_retryable) {
  return {.code = code, .sqlstate = std::move(sqlstate), .is_retryable = is_retryable};
}

}  // namespace

std::vector<fault> refusals() {
  const auto fatal = [](const char* sqlstate) { return greets(backend{}.error(sqlstate, "no", "FATAL")).hangs_up(); };
  return {
      {"starting up", fatal("57P03"), refused(errc::server_error, "57P03", true)},
      {"too many connections", fatal("53300"), refused(errc::server_error, "53300", true)},
      {"no such database", fatal("3D000"), refused(errc::server_error, "3D000", false)},
      {"wrong password", fatal("28P01"), refused(errc::auth_rejected, "28P01", false)},
      {"shutting down after the login", greets(backend{}.authentication_ok().error("57P01", "no", "FATAL")).hangs_up(),
       refused(errc::server_error, "57P01", true)},
      {"no process can be started",
       greets("Ecould not fork new process for connection\n" + std::string(1, '\0')).hangs_up(),
       {.code = errc::connect_failed,
        .says = "begin a session: could not fork new process for connection (",
        .is_retryable = true}},
      {"no Postgres", greets("HTTP/1.1 400 Bad Request\r\n\r\n").hangs_up(), {.code = errc::protocol_violation}},
      {"closed without a word", script{}.hears().hangs_up(), {.code = errc::connection_lost, .is_retryable = true}},
      {"reset without a word", script{}.hears().resets(), {.code = errc::connection_lost, .is_retryable = true}},
      {"silent", script{}.hears().falls_silent(), {.code = errc::deadline_exceeded, .is_retryable = true}, in_time},
      {"a byte now and then",
       script{}.hears().drips(std::string(10'000, 'R')),
       {.code = errc::protocol_violation},
       in_time},
      {"notices for ever",
       script{}.hears().repeats(backend{}.notice()),
       {.code = errc::deadline_exceeded, .is_retryable = true},
       in_time},
      {"parameters for ever",
       greets(backend{}.authentication_ok()).repeats(backend{}.parameter_status("a", "b")),
       {.code = errc::deadline_exceeded, .is_retryable = true},
       in_time},
  };
}

std::vector<fault> bad_logins() {
  const auto bad = [](const backend& messages) { return greets(messages).falls_silent(); };
  const ending violation{.code = errc::protocol_violation};
  const ending method{.code = errc::auth_method};
  const backend sasl = backend{}.authentication(10, raw("SCRAM-SHA-256\0\0"));
  const std::string password = "password=pencil";
  return {
      {"a password in clear text over TCP", bad(backend{}.authentication(3)), method, password},
      {"another method than was required", bad(backend{}.authentication(5, "salt")), method,
       password + " require_auth=scram-sha-256"},
      {"no method where one was required", bad(welcome()), method, password + " require_auth=scram-sha-256"},
      {"Kerberos", bad(backend{}.authentication(2)), method},
      {"GSSAPI", bad(backend{}.authentication(7)), method},
      {"a method that nobody knows", bad(backend{}.authentication(99)), method},
      {"no SASL mechanism", bad(backend{}.authentication(10, raw("\0"))), method, password},
      {"SCRAM ends before it has begun",
       greets(sasl).hears().says(backend{}.authentication(12, "v=AAAA")).falls_silent(), violation, password},
      {"SCRAM is passed over",
       greets(sasl).hears().says(welcome()).falls_silent(),
       {.code = errc::auth_proof},
       password},
      {"SCRAM with a nonce that is not ours",
       greets(sasl).hears().says(backend{}.authentication(11, "r=somebody,s=c2FsdA==,i=4096")).falls_silent(),
       {.code = errc::auth_proof},
       password},
      {"SCRAM with one round of hashing",
       greets(sasl)
           .answers([](const std::string& first) {
             const std::string nonce = first.substr(first.find("r=") + 2);
             return backend{}.authentication(11, "r=" + nonce + "x,s=c2FsdA==,i=1").bytes;
           })
           .falls_silent(),
       {.code = errc::auth_proof, .says = "below the limit of 4096"},
       password},
      {"a question after AuthenticationOk", bad(backend{}.authentication_ok().authentication(3)), violation, password},
      {"rows before anything was asked", bad(backend{}.authentication_ok().data_row("{}")), violation},
      {"ReadyForQuery in no known state", bad(backend{}.authentication_ok().ready_for_query('x')), violation},
      {"ReadyForQuery before AuthenticationOk", bad(backend{}.ready_for_query()), violation},
      {"a key without a secret", bad(backend{}.authentication_ok().message('K', be32(1))), violation},
      {"a key that is too long", bad(backend{}.authentication_ok().backend_key_data(1, std::string(257, 'k'))),
       violation},
      {"a protocol that was not asked for", bad(backend{}.message('v', be32(0x30063) + be32(0))), violation},
      {"an option that was not sent", bad(backend{}.message('v', be32(0x30000) + be32(1) + raw("_pq_.other\0"))),
       violation},
      {"a length that no answer to a login has", bad(backend{}.message('R', std::string(2'100, 'x'))), violation},
      {"an encoding that is not UTF8", bad(backend{}.authentication_ok().parameter_status("client_encoding", "LATIN1")),
       violation},
  };
}

std::vector<fault> bad_tls() {
  const std::string required = "sslmode=require";
  const ending unavailable{.code = errc::tls_unavailable};
  const ending failed{.code = errc::tls_failed};
  return {
      {"no TLS where it is required", greets("N").falls_silent(), unavailable, required},
      {"an error in the answer to SSLRequest", greets(backend{}.error("XX000", "believe me", "FATAL")).hangs_up(),
       unavailable, required},
      {"another answer to SSLRequest", greets("X").falls_silent(), failed, required},
      {"bytes behind the answer to SSLRequest", greets("Sx").falls_silent(), failed, required},
      {"a session behind the answer to SSLRequest", greets("S" + welcome().bytes).falls_silent(), failed, required},
      {"no handshake", greets("S").hears().says("HTTP/1.1 400 Bad Request\r\n\r\n").falls_silent(), failed, required},
      {"no handshake where TLS is preferred",
       greets("S").hears().says("HTTP/1.1 400 Bad Request\r\n\r\n").falls_silent(), failed, "sslmode=prefer"},
      {"closed in the handshake", greets("S").hears().hangs_up(), failed, required},
      {"silent in the handshake",
       greets("S").falls_silent(),
       {.code = errc::deadline_exceeded, .is_retryable = true},
       required + " " + in_time},
  };
}

}  // namespace sluice::test
