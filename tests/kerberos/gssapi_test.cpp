// Logins and encryption by GSSAPI, with a real KDC and a real Postgres.
// Run as: ci/with-postgres ci/with-pgbouncer ci/with-kerberos BUILD_FOLDER/tests/kerberos_tests
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <ostream>
#include <sluice/stream/pool.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"
#include "kerberos.hpp"
#include "listener.hpp"
#include "silent_kdc.hpp"

namespace gssapi_test {
namespace {

using namespace sluice::test;
using sluice::condition;
using sluice::errc;
using sluice::sql;

sluice::query question() {
  return sql("select to_json(concat_ws(' ', case when gss_authenticated then 'gss' else 'other' end, "
             "case when encrypted then 'encrypted' else 'plain' end, principal)) "
             "from pg_catalog.pg_stat_gssapi where pid = pg_backend_pid()")
      .as_document();
}

/// What the server says about the session, or the error.
struct result {
  std::string session;  // such as "gss encrypted gss_user@SLUICE.TEST"
  std::optional<sluice::error> failure;

  [[nodiscard]] std::string said() const { return failure ? failure->what() : "no failure, " + session; }
  [[nodiscard]] std::error_code code() const { return failure ? failure->code() : std::error_code{}; }
  [[nodiscard]] bool says(std::string_view words) const { return said().find(words) != std::string::npos; }
};

template <class Face>
result reach(const std::string& conninfo) {
  const outcome seen = Face::ask(conninfo, question());
  if (seen.failure) return {{}, seen.failure};
  std::string session = seen.rows.empty() ? "no row" : seen.rows.front();
  return {session.substr(1, session.size() - 2), std::nullopt};
}

/// The first refusal: Kerberos tolerates clocks that differ, so a ticket outlives its end by some seconds.
template <class Face>
result refused(const std::string& conninfo) {
  for (;;) {
    result seen = reach<Face>(conninfo);
    if (seen.failure) return seen;
  }
}

const std::string plain = "gss plain gss_user@SLUICE.TEST";
const std::string encrypted = "gss encrypted gss_user@SLUICE.TEST";

using faces = testing::Types<blocking_face, coroutine_face>;
template <class Face>
class Gssapi : public testing::Test {};
TYPED_TEST_SUITE(Gssapi, faces);

TYPED_TEST(Gssapi, LogsInWithATicket) {
  const ticket mine;
  for (const char* options : {"gssencmode=disable", "gssencmode=disable require_auth=gss"})
    EXPECT_EQ(reach<TypeParam>(by_kerberos("gss_user", options)).said(), "no failure, " + plain) << options;
}

TYPED_TEST(Gssapi, EncryptsBeforeTlsIsTriedWhereThereIsATicket) {
  const ticket mine;
  for (const char* options : {"", "gssencmode=prefer", "gssencmode=require", "require_auth=gss", "sslmode=require",
                              "gssencmode=require require_auth=gss"})
    EXPECT_EQ(reach<TypeParam>(by_kerberos("gss_only", options)).said(), "no failure, " + encrypted) << options;
}

TYPED_TEST(Gssapi, LogsInWithAKeytabAlone) {
  const temporary_folder folder;
  const changed_variable keytab{"KRB5_CLIENT_KTNAME", kerberos_file("gss.keytab")};
  const changed_variable cache{"KRB5CCNAME", "FILE:" + folder.path("cache")};
  EXPECT_EQ(reach<TypeParam>(by_kerberos("gss_user", "gssencmode=disable")).said(), "no failure, " + plain);
  EXPECT_EQ(reach<TypeParam>(by_kerberos("gss_user", "gssencmode=require")).said(), "no failure, " + encrypted);
}

TYPED_TEST(Gssapi, EncryptsAMillionRows) {
  const ticket mine;
  constexpr int many = 1'000'000;
  const outcome seen = TypeParam::ask(by_kerberos("gss_user", "gssencmode=require"),
                                      sql("select json_build_object('n', n, 'x', repeat('x', n % 100)) as each "
                                          "from generate_series(0, $1::int - 1) n",
                                          many)
                                          .as_document());
  EXPECT_FALSE(seen.failure) << seen.failure->what();
  ASSERT_EQ(seen.rows.size(), std::size_t{many});
  for (std::size_t n = 0; n < many; ++n) {
    const std::string expected = R"({"n" : )" + std::to_string(n) + R"(, "x" : ")" + std::string(n % 100, 'x') + "\"}";
    ASSERT_EQ(seen.rows[n], expected);
  }
  EXPECT_TRUE(seen.usable);
}

TYPED_TEST(Gssapi, EncryptsLargeParametersAndLargeRows) {
  const ticket mine;
  for (const std::size_t size : {16'000U, 16'384U, 16'500U, 64'000U, 65'536U, 20'000'000U}) {
    const outcome seen = TypeParam::ask(by_kerberos("gss_user", "gssencmode=require"),
                                        sql("select to_json($1::text || 'y')", std::string(size, 'x')).as_document());
    ASSERT_EQ(seen.rows.size(), 1U) << seen.failure->what();
    EXPECT_TRUE(seen.rows.front() == '"' + std::string(size, 'x') + "y\"") << size;
    EXPECT_TRUE(seen.usable);
  }
}

/// The ticket lives as long as this machine takes to connect.
TYPED_TEST(Gssapi, GoesOnWithASessionWhoseTicketHasExpired) {
  std::optional<sluice::client> db;
  std::optional<ticket> brief;
  for (int seconds = 2; !db; seconds *= 2) {
    brief.reset();
    brief.emplace("gss_user", "-l " + std::to_string(seconds) + "s");
    try {
      db.emplace(by_kerberos("gss_user", "gssencmode=require"));
    } catch (const sluice::error& e) {
      ASSERT_TRUE(ticket::has_expired()) << e.what();
    }
  }
  const result again = refused<TypeParam>(by_kerberos("gss_user", "gssencmode=require"));
  EXPECT_EQ(again.code(), errc::auth_method) << again.said();
  EXPECT_TRUE(again.says("Ticket expired")) << again.said();
  EXPECT_EQ(answer(*db, question()), '"' + encrypted + '"');
}

TYPED_TEST(Gssapi, WithAnExpiredTicketDoesWhatTheOtherSettingsSay) {
  const ticket brief{"gss_user", "-l 1s"};
  const result login = refused<TypeParam>(by_kerberos("gss_user", "gssencmode=disable"));
  EXPECT_EQ(login.code(), errc::auth_method) << login.said();
  EXPECT_TRUE(login.says("Ticket expired")) << login.said();
  EXPECT_EQ(reach<TypeParam>(by_kerberos("gss_none")).said(), "no failure, other plain");
  const result preferred = reach<TypeParam>(by_kerberos("gss_user"));
  EXPECT_EQ(preferred.code(), errc::auth_method) << preferred.said();
  EXPECT_TRUE(preferred.says("\n  with GSSAPI encryption: ")) << preferred.said();
}

TYPED_TEST(Gssapi, WithoutCredentialsDoesWhatTheOtherSettingsSay) {
  EXPECT_EQ(reach<TypeParam>(by_kerberos("gss_none")).said(), "no failure, other plain");
  const result required = reach<TypeParam>(by_kerberos("gss_none", "gssencmode=require"));
  EXPECT_EQ(required.code(), errc::auth_method) << required.said();
  EXPECT_TRUE(required.says("No Kerberos credentials available")) << required.said();
  EXPECT_TRUE(required.says("gssencmode requires GSSAPI encryption")) << required.said();
  EXPECT_TRUE(required.says("kinit")) << required.said();
  const result login = reach<TypeParam>(by_kerberos("gss_user"));
  EXPECT_EQ(login.code(), errc::auth_method) << login.said();
  EXPECT_TRUE(login.says("No Kerberos credentials available")) << login.said();
}

TYPED_TEST(Gssapi, NeedsAServiceThatTheKdcKnows) {
  const ticket mine;
  const std::string absent = " krbsrvname=absent";
  EXPECT_EQ(reach<TypeParam>(by_kerberos("gss_none", absent)).said(), "no failure, other plain");
  for (const char* mode : {" gssencmode=require", " gssencmode=disable"}) {
    const result seen = reach<TypeParam>(by_kerberos("gss_user", absent + mode));
    EXPECT_EQ(seen.code(), errc::auth_method) << seen.said();
    EXPECT_TRUE(seen.says("the service absent@localhost: ")) << seen.said();
    EXPECT_TRUE(seen.says("not found in Kerberos database")) << seen.said();
  }
}

TYPED_TEST(Gssapi, NeedsAServiceWhoseKeyTheServerHas) {
  const ticket mine;
  const std::string other = " krbsrvname=other";
  EXPECT_EQ(reach<TypeParam>(by_kerberos("gss_none", other)).said(), "no failure, other plain");
  const result required = reach<TypeParam>(by_kerberos("gss_user", other + " gssencmode=require"));
  EXPECT_EQ(required.code(), errc::tls_failed) << required.said();
  EXPECT_TRUE(required.says("closed the connection during the GSSAPI handshake")) << required.said();
  const result login = reach<TypeParam>(by_kerberos("gss_user", other + " gssencmode=disable"));
  EXPECT_EQ(login.code(), condition::auth) << login.said();
}

TYPED_TEST(Gssapi, LetsTheServerMapPrincipals) {
  {
    const ticket mine;
    EXPECT_EQ(reach<TypeParam>(by_kerberos("gss_user@SLUICE.TEST")).said(), "no failure, " + encrypted);
    EXPECT_EQ(reach<TypeParam>(by_kerberos("gss_user@SLUICE.TEST", "gssencmode=disable")).said(),
              "no failure, " + plain);
    EXPECT_EQ(reach<TypeParam>(by_kerberos("gss_mapped", "gssencmode=require")).code(), errc::auth_rejected);
  }
  {
    const ticket admin{"gss_user/admin"};
    EXPECT_EQ(reach<TypeParam>(by_kerberos("gss_mapped")).said(),
              "no failure, gss encrypted gss_user/admin@SLUICE.TEST");
    EXPECT_EQ(reach<TypeParam>(by_kerberos("gss_mapped", "gssencmode=disable")).said(),
              "no failure, gss plain gss_user/admin@SLUICE.TEST");
  }
  const ticket stranger{"gss_stranger"};
  for (const char* mode : {"gssencmode=require", "gssencmode=disable", "gssencmode=prefer"}) {
    const result seen = reach<TypeParam>(by_kerberos("gss_user", mode));
    EXPECT_EQ(seen.code(), errc::auth_rejected) << seen.said();
    EXPECT_EQ(seen.failure->sqlstate(), "28000") << seen.said();
  }
}

/// The other methods work inside of the encryption, and a password in clear text is no secret any more.
TYPED_TEST(Gssapi, EncryptsOtherLogins) {
  const ticket mine;
  for (const char* role : {"gss_password", "gss_clear"}) {
    EXPECT_TRUE(reach<TypeParam>(by_kerberos(role, "password=secret")).says(" encrypted")) << role;
    const result wrong = reach<TypeParam>(by_kerberos(role, "password=wrong gssencmode=require"));
    EXPECT_EQ(wrong.code(), errc::auth_rejected) << role << ": " << wrong.said();
  }
  EXPECT_EQ(reach<TypeParam>(by_kerberos("gss_password", "password=secret gssencmode=disable")).code(),
            errc::auth_rejected);
}

TYPED_TEST(Gssapi, IsWhatRequireAuthSays) {
  const ticket mine;
  const auto code = [](const std::string& role, const std::string& options) {
    return reach<TypeParam>(by_kerberos(role, options)).code();
  };
  EXPECT_EQ(code("gss_user", "gssencmode=disable require_auth=!gss"), errc::auth_method);
  EXPECT_EQ(code("gss_user", "gssencmode=disable require_auth=scram-sha-256"), errc::auth_method);
  EXPECT_EQ(code("gss_user", "gssencmode=disable require_auth=scram-sha-256,gss"), std::error_code{});
  EXPECT_EQ(code("gss_trusted", "require_auth=gss"), std::error_code{}) << "encryption has proved who both are";
  EXPECT_EQ(code("gss_trusted", "require_auth=none"), std::error_code{});
  EXPECT_EQ(code("gss_trusted", "require_auth=scram-sha-256"), errc::auth_method);
  EXPECT_EQ(code("gss_none", "gssencmode=disable require_auth=gss"), errc::auth_method) << "no proof at all";
  EXPECT_EQ(code("gss_password", "password=secret require_auth=gss"), errc::auth_method);
}

TYPED_TEST(Gssapi, IsNotTriedWhereTheServerRefusesItButTheOthersAre) {
  const ticket mine;
  EXPECT_EQ(reach<TypeParam>(by_kerberos("gss_none")).said(), "no failure, other plain") << "refused in pg_hba.conf";
  const result required = reach<TypeParam>(by_kerberos("gss_none", "gssencmode=require"));
  EXPECT_EQ(required.code(), errc::auth_rejected) << required.said();
  EXPECT_EQ(required.failure->sqlstate(), "28000");
}

TYPED_TEST(Gssapi, LeavesUnixSocketsAlone) {
  const ticket mine;
  EXPECT_EQ(reach<TypeParam>(dsn()).said(), "no failure, other plain");
  const result required = reach<TypeParam>(dsn() + " gssencmode=require");
  EXPECT_EQ(required.code(), errc::tls_unavailable) << required.said();
  EXPECT_TRUE(required.says("Unix sockets")) << required.said();
}

TEST(GssEncryption, ReplacesTlsUnlessOnlyTlsCanDoWhatIsRequired) {
  const ticket mine;
  const std::string in_tls =
      "host=localhost hostaddr=127.0.0.1 port=" + cluster_value("SLUICE_TEST_PORT") + " dbname=sluice ";
  {
    const sluice::client db{in_tls + "user=gss_user sslmode=require"};
    EXPECT_EQ(db.tls_version(), "");
  }
  {
    const sluice::client db{in_tls + "user=gss_user sslmode=require gssencmode=disable"};
    EXPECT_EQ(db.tls_version(), "TLSv1.3");
  }
  {
    const sluice::client db{in_tls + "user=scram_user password=secret sslmode=require channel_binding=require"};
    EXPECT_EQ(db.tls_version(), "TLSv1.3");
  }
  const sluice::client db{in_tls + "user=tls_user password=secret"};
  EXPECT_EQ(db.tls_version(), "TLSv1.3") << "pg_hba.conf has it by TLS only, which is tried next";
}

TEST(GssEncryption, IsForEveryConnectionOfAPool) {
  const ticket mine;
  const std::vector<std::string> all = run([]() -> asio::awaitable<std::vector<std::string>> {
    const std::string text = by_kerberos("gss_user", "gssencmode=require");
    asio::any_io_executor on = co_await asio::this_coro::executor;
    sluice::pool pool{on, text};
    std::vector<std::string> seen;
    for (int i = 0; i < 3; ++i) {
      sluice::pooled_stream rows = pool.stream(question());
      while (const sluice::chunk batch = co_await rows.next())
        for (const sluice::row each : batch) seen.emplace_back(each.text());
    }
    co_return seen;
  }());
  EXPECT_EQ(all, std::vector<std::string>(3, '"' + encrypted + '"'));
}

/// Forwards connections to the server, and keeps what clients sent.
class wire_tap {
 public:
  explicit wire_tap(int connections)
      : relays_{std::vector<listener::conversation>(static_cast<std::size_t>(connections),
                                                    [this](const server_end& client) { forward(client); }),
                listener::kind::tcp} {}

  [[nodiscard]] std::string port() const {
    const std::string dsn = relays_.dsn();
    const std::size_t at = dsn.find("port=") + 5;
    return dsn.substr(at, dsn.find(' ', at) - at);
  }
  /// By connection, in the order in which they ended.
  [[nodiscard]] std::vector<std::string> sent() const {
    const std::lock_guard hold{mutex_};
    return sent_;
  }

 private:
  void forward(const server_end& client) {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
    const server_end server{descriptor};
    const int little = 64 << 10;  // what is on its way has to be read before a cancelled query is over
    ::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
    ::setsockopt(client.descriptor(), SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(cluster_value("SLUICE_TEST_PORT"))));
    if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
    std::string sent;
    for (;;) {
      std::array<pollfd, 2> watched{pollfd{client.descriptor(), POLLIN, 0}, pollfd{descriptor, POLLIN, 0}};
      (void)::poll(watched.data(), watched.size(), -1);
      if (watched[0].revents != 0) {
        const std::string bytes = client.receive();
        if (bytes.empty() || !server.try_send(bytes)) break;
        sent += bytes;
      }
      if (watched[1].revents != 0) {
        const std::string bytes = server.receive();
        if (bytes.empty() || !client.try_send(bytes)) break;
      }
    }
    const std::lock_guard hold{mutex_};
    sent_.push_back(sent);
  }

  mutable std::mutex mutex_;
  std::vector<std::string> sent_;
  listener relays_;
};

TYPED_TEST(Gssapi, EncryptsCancelRequestsToo) {
  const ticket mine;
  std::vector<std::string> sent;
  {
    wire_tap tap{16};  // a request to cancel may be repeated
    std::string text = by_kerberos("gss_user", "gssencmode=require");
    const std::string port = cluster_value("SLUICE_TEST_PORT");
    text.replace(text.find("port=" + port), 5 + port.size(), "port=" + tap.port());
    const outcome seen =
        TypeParam::ask(without_jit(text), sql("select to_json(generate_series(1, 2000000000)) as gss_cancel_test"),
                       {.timeout = std::chrono::seconds{1}, .timeout_counts_pauses = true});
    ASSERT_TRUE(seen.failure);
    EXPECT_EQ(seen.failure->code(), condition::timeout) << seen.failure->what();
    EXPECT_GT(seen.rows.size(), 0U);
    EXPECT_TRUE(seen.usable);
    EXPECT_FALSE(is_running("gss_cancel_test"));
    while (tap.sent().size() < 2) {
    }
    sent = tap.sent();
  }
  for (const std::string& bytes : sent) {
    EXPECT_EQ(bytes.substr(0, 8), be32(8) + be16(1234) + be16(5680)) << "GSSENCRequest";
    EXPECT_EQ(bytes.find(be16(1234) + be16(5678)), std::string::npos) << "a CancelRequest that can be read";
    EXPECT_EQ(bytes.find("gss_cancel_test"), std::string::npos);
    EXPECT_EQ(bytes.find("gss_user"), std::string::npos) << "the principal is encrypted as well";
  }
}

TEST(GssDelegation, IsSeenByTheServer) {
  if (std::stoi(psql("show server_version_num")) < 160'000)
    GTEST_SKIP() << "Postgres 15 does not say whether credentials were delegated";
  psql("alter system set gss_accept_delegation = on");
  psql("select pg_reload_conf()");
  const ticket mine;
  const auto delegated = [](const std::string& options) {
    sluice::client db{by_kerberos("gss_user", options)};
    return answer(
        db,
        sql("select to_json(credentials_delegated) from pg_stat_gssapi where pid = pg_backend_pid()").as_document());
  };
  while (psql("show gss_accept_delegation", tcp_dsn()) != "on") {
  }
  for (const char* mode : {"gssencmode=require", "gssencmode=disable"}) {
    EXPECT_EQ(delegated(std::string{mode} + " gssdelegation=1"), "true");
    EXPECT_EQ(delegated(std::string{mode} + " gssdelegation=0"), "false");
    EXPECT_EQ(delegated(mode), "false");
  }
}

TEST(GssPooler, IsUsedWithoutGssapi) {
  const ticket mine;
  const std::string pooled = "host=localhost hostaddr=127.0.0.1 port=" + cluster_value("SLUICE_TEST_POOLER_PORT") +
                             " dbname=sluice user=trust_user ";
  for (const char* options : {"", "sslmode=disable", "sslmode=require"}) {
    sluice::client db{pooled + options};
    EXPECT_EQ(answer(db, sql("select to_json(1)").as_document()), "1") << options;
  }
  const result required = reach<blocking_face>(pooled + "gssencmode=require");
  EXPECT_EQ(required.code(), errc::tls_unavailable) << required.said();
  EXPECT_TRUE(required.says("the server does not have it")) << required.said();
}

struct bad_server {
  const char* name;
  std::string answer;               // to GSSENCRequest
  std::optional<std::string> then;  // to the first token; nothing: the connection ends
  std::error_code code;
  const char* says;
};
std::ostream& operator<<(std::ostream& out, const bad_server& one) { return out << one.name; }
class HostileGss : public testing::TestWithParam<bad_server> {};

TEST_P(HostileGss, IsRefusedAndHearsNothingInPlain) {
  const ticket mine;
  const bad_server& bad = GetParam();
  bool heard_more = false;
  result seen;
  {
    listener server{{[&](server_end client) {
                      (void)client.receive();
                      client.send(bad.answer);
                      if (bad.answer.empty()) return;
                      std::string next = client.receive();
                      if (bad.answer == "G") {
                        if (!bad.then) return;
                        client.send(*bad.then);
                        next = client.receive();
                      }
                      heard_more = next.find("user") != std::string::npos;
                    }},
                    listener::kind::tcp};
    const std::string dsn = server.dsn();
    seen = reach<blocking_face>("host=localhost hostaddr=127.0.0.1" + dsn.substr(dsn.find(" port=")) +
                                " connect_timeout=10 gssencmode=require sslmode=disable");
  }
  EXPECT_EQ(seen.code(), bad.code) << seen.said();
  EXPECT_TRUE(seen.says(bad.says)) << seen.said();
  EXPECT_FALSE(seen.says("believe me")) << seen.said();
  EXPECT_FALSE(heard_more) << "a start-up packet in plain text";
}

INSTANTIATE_TEST_SUITE_P(
    Answers, HostileGss,
    testing::Values(
        bad_server{"bytes behind the answer", "GE", std::nullopt, errc::tls_failed, "sent data before"},
        bad_server{"a session behind the answer", "G" + backend{}.authentication_ok().ready_for_query().bytes,
                   std::nullopt, errc::tls_failed, "sent data before"},
        bad_server{"an error", backend{}.error("XX000", "believe me", "FATAL").bytes, std::nullopt,
                   errc::tls_unavailable, "with an error"},
        bad_server{"another answer", "S", std::nullopt, errc::tls_failed, "neither yes nor no"},
        bad_server{"no answer", "", std::nullopt, errc::connection_lost, "closed the connection"},
        bad_server{"no", "N", std::nullopt, errc::tls_unavailable, "does not have it"},
        bad_server{"an end in the handshake", "G", std::nullopt, errc::tls_failed, "during the GSSAPI handshake"},
        bad_server{"an error in the handshake", "G", backend{}.error("XX000", "believe me", "FATAL").bytes,
                   errc::tls_failed, "with an error"},
        bad_server{"an empty token", "G", be32(0), errc::tls_failed, "is empty"},
        bad_server{"a token that is too long", "G", be32(65'533), errc::tls_failed, "longer than any may be"},
        bad_server{"a token of four gigabytes", "G", be32(0xffffffffU), errc::tls_failed, "longer than any may be"},
        bad_server{"no token of GSSAPI", "G", be32(5) + "token", errc::auth_proof, "postgres@localhost"}));

/// A KDC that does not answer holds up nobody for longer than `connect_timeout`.
TYPED_TEST(Gssapi, WaitsForAKdcNoLongerThanTheDeadline) {
  const ticket mine;
  const silent_kdc silent;
  std::string text = by_kerberos("gss_user", "connect_timeout=1 ");
  text.replace(text.find("localhost"), std::string_view{"localhost"}.size(), "db.silent.test");
  for (const char* mode : {"gssencmode=require", "gssencmode=prefer", "gssencmode=disable"}) {
    const result seen = reach<TypeParam>(text + mode);
    EXPECT_EQ(seen.code(), condition::timeout) << seen.said();
    EXPECT_TRUE(seen.says("KDC")) << seen.said();
  }
}

}  // namespace
}  // namespace gssapi_test
