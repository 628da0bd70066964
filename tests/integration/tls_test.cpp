// TLS to a real Postgres: every mode, every way in which a certificate can be wrong, and that there is no forbidden
// fallback.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <optional>
#include <ostream>
#include <string>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"
#include "listener.hpp"
#include "temporary_folder.hpp"

namespace tls_test {
namespace {

using namespace sluice::test;
using sluice::condition;
using sluice::errc;
using sluice::sql;

/// The outcome of connecting: the TLS version, "plain", or the error.
struct result {
  std::string version;
  std::optional<sluice::error> failure;

  [[nodiscard]] std::string said() const { return failure ? failure->what() : "no failure, " + version; }
  [[nodiscard]] std::error_code code() const { return failure ? failure->code() : std::error_code{}; }
};

result connect_to(const std::string& conninfo) {
  try {
    const sluice::client db{conninfo};
    return {db.tls_version().empty() ? "plain" : std::string{db.tls_version()}, std::nullopt};
  } catch (const sluice::error& e) {
    return {{}, e};
  }
}

/// A setting as a new TCP connection sees it: an existing one may not have reloaded it yet.
std::string show(const std::string& setting) { return psql("show " + setting, tcp_dsn()); }

/// Changes a setting of the server until the end of the test, and waits until the server has reloaded it.
class changed_setting {
 public:
  changed_setting(std::string name, const std::string& value) : name_{std::move(name)}, before_{show(name_)} {
    change(value);
  }
  ~changed_setting() { change(before_); }
  changed_setting(const changed_setting&) = delete;
  changed_setting& operator=(const changed_setting&) = delete;

 private:
  void change(const std::string& value) const {
    psql("alter system set " + name_ + " = '" + value + "'");
    psql("select pg_reload_conf()");
    while (show(name_) != value) {
    }
  }

  std::string name_;
  std::string before_;
};

/// The server with another certificate. The key is set first: the server loads neither before both are changed.
class other_certificate {
 public:
  explicit other_certificate(const std::string& name) {
    psql("alter system set ssl_key_file = '" + tls_file(name + ".key") + "'");
    certificate_.emplace("ssl_cert_file", tls_file(name + ".crt"));
  }
  ~other_certificate() {
    psql("alter system set ssl_key_file = '" + tls_file("server.key") + "'");
    certificate_.reset();
  }
  other_certificate(const other_certificate&) = delete;
  other_certificate& operator=(const other_certificate&) = delete;

 private:
  std::optional<changed_setting> certificate_;
};

std::string with_roots(const std::string& mode) { return " sslmode=" + mode + " sslrootcert=" + tls_file("ca.crt"); }
std::string at_localhost(std::string user) {
  std::string text = as_user(user);
  return text.replace(text.find("127.0.0.1"), 9, "localhost");
}

struct mode_case {
  const char* mode;
  const char* where_tls_is;
  const char* where_none_is;  // "": fails with an error of kind tls
};
std::ostream& operator<<(std::ostream& out, const mode_case& one) { return out << one.mode; }
class Modes : public testing::TestWithParam<mode_case> {};

TEST_P(Modes, UseTlsWhereTheyShould) {
  const mode_case& one = GetParam();
  const std::string mode = one.mode;
  const std::string conninfo =
      at_localhost("trust_user") + (mode.starts_with("verify") ? with_roots(mode) : " sslmode=" + mode);
  const result with = connect_to(conninfo);
  EXPECT_EQ(with.version, one.where_tls_is) << with.said();

  const changed_setting off{"ssl", "off"};
  const result without = connect_to(conninfo);
  EXPECT_EQ(without.version, one.where_none_is) << without.said();
  EXPECT_EQ(without.code(), without.failure ? make_error_code(errc::tls_unavailable) : std::error_code{});
}

INSTANTIATE_TEST_SUITE_P(Tls, Modes,
                         testing::Values(mode_case{"disable", "plain", "plain"}, mode_case{"allow", "plain", "plain"},
                                         mode_case{"prefer", "TLSv1.3", "plain"}, mode_case{"require", "TLSv1.3", ""},
                                         mode_case{"verify-ca", "TLSv1.3", ""},
                                         mode_case{"verify-full", "TLSv1.3", ""}));

TEST(Modes, WithTwoWaysTakeTheOneThatTheServerLetsIn) {
  EXPECT_EQ(connect_to(as_user("tls_user") + " sslmode=allow").version, "TLSv1.3");
  EXPECT_EQ(connect_to(as_user("plain_user") + " sslmode=prefer").version, "plain");
  EXPECT_EQ(connect_to(as_user("plain_user") + " sslmode=require").code(), errc::auth_rejected);
  EXPECT_EQ(connect_to(as_user("tls_user") + " sslmode=disable").code(), errc::auth_rejected);
  const result neither =
      connect_to("user=nobody host=127.0.0.1 dbname=sluice port=" + cluster_value("SLUICE_TEST_PORT"));
  EXPECT_EQ(neither.code(), errc::auth_rejected);
  EXPECT_NE(neither.said().find("without TLS: "), std::string::npos) << neither.said();
}

TEST(Modes, DoNotTryASecondWayWithAWrongPassword) {
  const result wrong = connect_to(as_user("scram_user") + "x");
  EXPECT_EQ(wrong.failure->sqlstate(), "28P01");
  EXPECT_EQ(wrong.said().find("without TLS"), std::string::npos) << wrong.said();
}

TEST(Modes, UseNoTlsOnUnixSockets) { EXPECT_EQ(connect_to(dsn() + with_roots("verify-full")).version, "plain"); }

TEST(Modes, RefuseARevocationListThatIsNotThereEvenWhereNothingIsChecked) {
  const result missing = connect_to(at_localhost("trust_user") + " sslmode=require sslcrl=/nonexistent.crl");
  EXPECT_EQ(missing.code(), errc::tls_failed) << missing.said();
  EXPECT_NE(missing.said().find("/nonexistent.crl cannot be used"), std::string::npos) << missing.said();
}

// OpenSSL accepts ".domain" for any host of that domain.
TEST(Modes, TakeNoWholeDomainForAHost) {
  std::string whole = at_localhost("trust_user");
  whole.replace(whole.find("host=localhost"), 14, "hostaddr=127.0.0.1 host=.localhost");
  const result seen = connect_to(whole + with_roots("verify-full"));
  EXPECT_EQ(seen.code(), errc::tls_failed);
  EXPECT_NE(seen.said().find("is a whole domain"), std::string::npos) << seen.said();
}

struct bad_certificate {
  const char* certificate;
  const char* mode;
  const char* more;
  const char* says;  // null: the certificate is accepted
};
std::ostream& operator<<(std::ostream& out, const bad_certificate& one) {
  return out << one.certificate << ' ' << one.mode << ' ' << one.more;
}
class Certificates : public testing::TestWithParam<bad_certificate> {};

TEST_P(Certificates, AreCheckedAsTheModeSays) {
  const bad_certificate& one = GetParam();
  std::optional<other_certificate> other;
  if (std::string{one.certificate} != "server") other.emplace(one.certificate);
  std::string more = one.more;
  if (const std::size_t at = more.find('@'); at != more.npos) more.replace(at, 1, tls_file(""));
  const result seen = connect_to(at_localhost("trust_user") + with_roots(one.mode) + more);
  if (one.says == nullptr) {
    EXPECT_EQ(seen.version, "TLSv1.3") << seen.said();
  } else {
    EXPECT_EQ(seen.code(), errc::tls_failed);
    EXPECT_NE(seen.said().find(one.says), std::string::npos) << seen.said();
  }
}

INSTANTIATE_TEST_SUITE_P(
    Tls, Certificates,
    testing::Values(
        bad_certificate{"server", "verify-full", " host=127.0.0.1", nullptr},
        bad_certificate{"server", "verify-full", " host=db.example hostaddr=127.0.0.1",
                        "is for DNS:localhost, IP Address:127.0.0.1, not for \"db.example\""},
        bad_certificate{"server", "verify-full", " host=127.0.0.2 hostaddr=127.0.0.1", "not for \"127.0.0.2\""},
        bad_certificate{"server", "verify-full", " host='' hostaddr=127.0.0.1", "needs a host name"},
        bad_certificate{"server", "verify-ca", " host=db.example hostaddr=127.0.0.1", nullptr},
        bad_certificate{"server", "verify-full", " sslrootcert=@self_signed.crt", "which is not in "},
        bad_certificate{"server", "require", " sslrootcert=@self_signed.crt", "signed by CN = sluice test authority"},
        bad_certificate{"server", "verify-full", " sslrootcert=system", "which is not in this machine's"},
        bad_certificate{"server", "verify-full", " sslcrl=@revoked.crl", nullptr},
        bad_certificate{"self_signed", "verify-ca", "", "is self-signed"},
        bad_certificate{"self_signed", "verify-ca", " sslrootcert=@self_signed.crt", nullptr},
        bad_certificate{"self_signed", "require", " sslrootcert=", nullptr},
        bad_certificate{"expired", "verify-ca", "", "expired on"},
        bad_certificate{"expired", "prefer", "", "expired on"}, bad_certificate{"revoked", "verify-ca", "", nullptr},
        bad_certificate{"revoked", "verify-ca", " sslcrl=@revoked.crl", "has been revoked"},
        bad_certificate{"server", "verify-ca", " sslrootcert=@nowhere.crt", "cannot be used: No such file"},
        bad_certificate{"server", "verify-ca", " sslcrl=@nowhere.crl", "cannot be used"},
        bad_certificate{"server", "verify-ca", " sslrootcert=@ca.key", "cannot be used"}));

TEST(Certificates, WithoutAuthoritiesToCheckThemByAreAnError) {
  const result seen = connect_to(at_localhost("trust_user") + " sslmode=verify-full");
  EXPECT_EQ(seen.code(), errc::tls_failed);
  EXPECT_NE(seen.said().find("sslrootcert=system"), std::string::npos) << seen.said();
}

TEST(Versions, AreThoseAskedFor) {
  const std::string to = as_user("trust_user") + " sslmode=require";
  EXPECT_EQ(connect_to(to + " ssl_max_protocol_version=TLSv1.2").version, "TLSv1.2");
  const changed_setting old{"ssl_max_protocol_version", "TLSv1.2"};
  const result seen = connect_to(to + " ssl_min_protocol_version=TLSv1.3");
  EXPECT_EQ(seen.code(), errc::tls_failed);
  EXPECT_NE(seen.said().find("ssl_min_protocol_version"), std::string::npos) << seen.said();
}

class ClientCertificate : public testing::Test {
 protected:
  temporary_folder folder;

  /// Copies a key into a file that only its owner may read, or with `mode`.
  std::string key(const std::string& name, mode_t mode = 0600) {
    std::string path = folder.path() + "/" + name;
    std::ofstream{path, std::ios::binary} << std::ifstream{tls_file(name), std::ios::binary}.rdbuf();
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path;
  }
  static std::string login() {
    return at_localhost("cert_user") + with_roots("verify-full") + " sslcert=" + tls_file("cert_user.crt");
  }
};

TEST_F(ClientCertificate, IsALogin) {
  EXPECT_EQ(connect_to(login() + " sslkey=" + key("cert_user.key")).version, "TLSv1.3");
  EXPECT_EQ(connect_to(login() + " sslcertmode=require sslkey=" + key("cert_user.key")).version, "TLSv1.3");
  EXPECT_EQ(connect_to(login() + " ssl_max_protocol_version=TLSv1.2 sslkey=" + key("cert_user.key")).version,
            "TLSv1.2");
  EXPECT_EQ(connect_to(login() + " sslkey=" + key("cert_user.der")).version, "TLSv1.3");
}

TEST_F(ClientCertificate, MayHaveAKeyWithAPassword) {
  const std::string locked = login() + " sslkey=" + key("cert_user.locked.key");
  EXPECT_EQ(connect_to(locked + " sslpassword=secret").version, "TLSv1.3");
  for (const char* wrong : {"", " sslpassword=wrong"}) {
    const result seen = connect_to(locked + wrong);
    EXPECT_EQ(seen.code(), errc::tls_failed);
    EXPECT_NE(seen.said().find("is sslpassword needed, or wrong?"), std::string::npos) << seen.said();
    EXPECT_EQ(seen.said().find("=wrong"), std::string::npos);
  }
}

TEST_F(ClientCertificate, HasAKeyThatNobodyElseMayRead) {
  for (const mode_t open : {0644U, 0604U, 0660U}) {
    const result seen = connect_to(login() + " sslkey=" + key("cert_user.key", open));
    EXPECT_EQ(seen.code(), errc::tls_failed);
    EXPECT_NE(seen.said().find("can be used by others: chmod 600"), std::string::npos) << seen.said();
  }
}

TEST_F(ClientCertificate, MustFitItsKey) {
  const result other = connect_to(login() + " sslkey=" + key("ca.key"));
  EXPECT_EQ(other.code(), errc::tls_failed);
  EXPECT_NE(other.said().find("does not belong to the certificate"), std::string::npos) << other.said();
  const result none = connect_to(login() + " sslkey=" + folder.path() + "/nowhere.key");
  EXPECT_EQ(none.code(), errc::tls_failed);
  EXPECT_NE(none.said().find("nowhere.key: No such file"), std::string::npos) << none.said();
}

TEST_F(ClientCertificate, ThatIsMissingIsTheServersToRefuse) {
  EXPECT_EQ(connect_to(at_localhost("cert_user") + with_roots("require")).code(), condition::auth);
  EXPECT_EQ(connect_to(login() + " sslcertmode=disable sslkey=" + key("cert_user.key")).code(), condition::auth);
  const result unnamed = connect_to(at_localhost("cert_user") + with_roots("require") + " sslcertmode=require");
  EXPECT_NE(unnamed.said().find("set sslcert and sslkey"), std::string::npos) << unnamed.said();
}

TEST_F(ClientCertificate, ThatTheServerDoesNotTrustIsATlsError) {
  const result seen =
      connect_to(at_localhost("trust_user") + " sslmode=require sslcert=" + tls_file("self_signed.crt") +
                 " sslkey=" + key("self_signed.key"));
  EXPECT_EQ(seen.code(), errc::tls_failed) << seen.said();
}

TEST_F(ClientCertificate, ThatTheServerDoesNotAskForFailsWhereItIsRequired) {
  const changed_setting nobody{"ssl_ca_file", ""};
  const result seen = connect_to(at_localhost("trust_user") + " sslmode=require sslcertmode=require sslcert=" +
                                 tls_file("cert_user.crt") + " sslkey=" + key("cert_user.key"));
  EXPECT_EQ(seen.code(), errc::tls_failed);
  EXPECT_NE(seen.said().find("did not ask for a certificate"), std::string::npos) << seen.said();
}

TEST(ChannelBinding, TiesScramToTheSession) {
  const std::string to = as_user("scram_user") + " channel_binding=require";
  EXPECT_EQ(connect_to(to + " sslmode=require").version, "TLSv1.3");
  EXPECT_EQ(connect_to(to + " sslmode=require ssl_max_protocol_version=TLSv1.2").version, "TLSv1.2");
  EXPECT_EQ(connect_to(as_user("scram_user") + " channel_binding=disable sslmode=require").version, "TLSv1.3");
}

TEST(ChannelBinding, TakesTheHashOfTheCertificatesSignature) {
  const other_certificate other{"sha384"};
  EXPECT_EQ(connect_to(as_user("scram_user") + " channel_binding=require sslmode=require").version, "TLSv1.3");
}

TEST(ChannelBinding, FailsClosedWhereTheCertificateHasNoHash) {
  const other_certificate other{"ed25519"};
  for (const char* mode : {"prefer", "require"}) {
    const result seen = connect_to(as_user("scram_user") + " sslmode=require channel_binding=" + mode);
    EXPECT_EQ(seen.code(), errc::auth_method);
    EXPECT_NE(seen.said().find("has no hash to bind"), std::string::npos) << seen.said();
  }
  EXPECT_EQ(connect_to(as_user("scram_user") + " channel_binding=disable sslmode=require").version, "TLSv1.3");
}

TEST(ChannelBinding, ThatIsRequiredLetsNothingElseIn) {
  for (const char* user : {"trust_user", "md5_user", "clear_user"}) {
    const result seen = connect_to(as_user(user) + " channel_binding=require sslmode=require");
    EXPECT_EQ(seen.code(), errc::auth_method) << user << ": " << seen.said();
    EXPECT_NE(seen.said().find("channel_binding=require"), std::string::npos) << seen.said();
  }
}

TEST(Passwords, InClearTextGoThroughTlsOnly) {
  EXPECT_EQ(connect_to(as_user("clear_user") + " sslmode=require").version, "TLSv1.3");
  EXPECT_EQ(connect_to(as_user("clear_user") + " sslmode=disable").code(), errc::auth_method);
}

template <class Face>
class TlsStream : public testing::Test {};
using faces = testing::Types<blocking_face, coroutine_face>;
TYPED_TEST_SUITE(TlsStream, faces);

TYPED_TEST(TlsStream, GivesTheSameRows) {
  const sluice::query rows =
      sql("select json_build_object('n', n, 'x', repeat('x', n % 300)) from generate_series(1, 100000) n")
          .as_document();
  const outcome plain = TypeParam::ask(tcp_dsn() + " sslmode=disable", rows);
  const outcome tls = TypeParam::ask(tcp_dsn() + " sslmode=require", rows);
  EXPECT_FALSE(tls.failure) << tls.failure->what();
  EXPECT_EQ(plain.rows.size(), 100'000U);
  EXPECT_EQ(tls.rows, plain.rows);
  EXPECT_TRUE(tls.usable);
}

TEST(TlsStream, BringsManyRecordsWithOneRead) {
  sluice::client db{tcp_dsn() + " sslmode=require"};
  sluice::row_range rows =
      db.stream(sql("select to_json(repeat('x', 100)) from (select generate_series(1, 2000000000)) n").as_document());
  wait_until(
      "'ClientWrite' = (select wait_event from pg_stat_activity where pid = " + std::to_string(db.backend_pid()) + ")");
  for (int i = 0; i < 12; ++i) EXPECT_TRUE(rows.next());  // the first chunks are smaller: the buffer starts small
  EXPECT_GT(rows.stats().bytes / rows.stats().reads, 20'000U) << "the server's records hold 8 KiB";
}

TYPED_TEST(TlsStream, CarriesMessagesLargerThanTheBuffer) {
  const outcome seen = TypeParam::ask(
      tcp_dsn() + " sslmode=require",
      sql("select to_json($1::text || repeat('y', 3000000))", std::string(2'000'000, 'x')).as_document());
  ASSERT_EQ(seen.rows.size(), 1U) << seen.failure->what();
  EXPECT_EQ(seen.rows.front().size(), 5'000'002U);
  EXPECT_TRUE(seen.usable);
}

TYPED_TEST(TlsStream, IsCancelledThroughTls) {
  psql("alter role tls_user connection limit 1");  // a CancelRequest needs no session
  sluice::connection_options patient;
  patient.leave_timeout = std::chrono::minutes{1};  // five seconds are too short for a busy, emulated processor
  const outcome seen = TypeParam::ask(without_jit(as_user("tls_user") + with_roots("verify-full")),
                                      sql("select to_json(generate_series(1, 2000000000)) as tls_cancel_test"),
                                      {.timeout = std::chrono::seconds{1}, .timeout_counts_pauses = true}, patient);
  psql("alter role tls_user connection limit -1");
  ASSERT_TRUE(seen.failure);
  EXPECT_EQ(seen.failure->code(), condition::timeout) << seen.failure->what();
  EXPECT_GT(seen.rows.size(), 0U);
  EXPECT_TRUE(seen.usable);
  EXPECT_FALSE(is_running("tls_cancel_test"));
}

TEST(TlsStream, ThatTheServerEndsSaysWhy) {
  sluice::client db{tcp_dsn() + " sslmode=require"};
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
  psql("select pg_terminate_backend(" + std::to_string(db.backend_pid()) + ", 10000)");
  try {
    (void)db.stream(sql("select to_json(1)")).next();
    ADD_FAILURE() << "no error";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.sqlstate(), "57P01") << e.what();
  }
  EXPECT_TRUE(db.is_closed());
}

struct bad_answer {
  const char* name;
  std::string bytes;
  std::error_code code;
};
std::ostream& operator<<(std::ostream& out, const bad_answer& one) { return out << one.name; }
class RequestForTls : public testing::TestWithParam<bad_answer> {};

TEST_P(RequestForTls, IsNotFallenBackFrom) {
  for (const char* mode : {"prefer", "require"}) {
    bool heard_more = false;
    listener server{{[&](server_end client) {
                      (void)client.receive();
                      client.send(GetParam().bytes);
                      if (GetParam().bytes.empty()) return;
                      heard_more = client.receive().find("user") != std::string::npos;
                    }},
                    listener::kind::tcp};
    const result seen = connect_to(server.dsn() + " connect_timeout=10 sslmode=" + mode);
    EXPECT_EQ(seen.code(), GetParam().code) << seen.said();
    EXPECT_FALSE(heard_more) << "a start-up packet in plain text";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Tls, RequestForTls,
    testing::Values(bad_answer{"error", backend{}.error("53300", "too many clients").bytes, errc::tls_unavailable},
                    bad_answer{"garbage", "HTTP/1.1 400", errc::tls_failed},
                    bad_answer{"zero", std::string(1, '\0'), errc::tls_failed},
                    bad_answer{"bytes after the answer", "SE", errc::tls_failed},
                    bad_answer{"a session in plain text", "S" + backend{}.authentication_ok().ready_for_query().bytes,
                               errc::tls_failed},
                    bad_answer{"an end", "", errc::connection_lost}));

TEST(RequestForTls, ThatGetsNoAnswerEndsInTime) {
  listener server{{[](server_end client) { client.receive_all(); }}, listener::kind::tcp};
  const result seen = connect_to(server.dsn() + " connect_timeout=1 sslmode=require");
  EXPECT_EQ(seen.code(), condition::timeout) << seen.said();
}

TEST(Handshake, WithAServerThatSpeaksSomethingElseFails) {
  for (const char* mode : {"prefer", "require"}) {
    listener server{{[](server_end client) {
                      (void)client.receive();
                      client.send("S");
                      (void)client.receive();
                      client.send("this is not a record of TLS");
                      client.receive_all();
                    }},
                    listener::kind::tcp};
    const result seen = connect_to(server.dsn() + " connect_timeout=10 sslmode=" + mode);
    EXPECT_EQ(seen.code(), errc::tls_failed);
    EXPECT_NE(seen.said().find("is not TLS"), std::string::npos) << seen.said();
  }
}

TEST(Handshake, ThatNeverEndsEndsInTime) {
  listener server{{[](server_end client) {
                    (void)client.receive();
                    client.send("S");
                    client.receive_all();
                  }},
                  listener::kind::tcp};
  const result seen = connect_to(server.dsn() + " connect_timeout=1 sslmode=require");
  EXPECT_EQ(seen.code(), condition::timeout) << seen.said();
}

TEST(Handshake, ThatTheServerLeavesFails) {
  listener server{{[](server_end client) {
                    (void)client.receive();
                    client.send("S");
                    (void)client.receive();
                  }},
                  listener::kind::tcp};
  EXPECT_EQ(connect_to(server.dsn() + " sslmode=require").code(), errc::tls_failed);
}

TEST(DirectTls, NeedsAServerThatKnowsIt) {
  const result seen = connect_to(as_user("trust_user") + " sslmode=require sslnegotiation=direct connect_timeout=10");
  if (std::stoi(show("server_version_num")) >= 170000) {
    EXPECT_EQ(seen.version, "TLSv1.3") << seen.said();
  } else {
    EXPECT_EQ(seen.code(), errc::tls_failed) << seen.said();
  }
}

}  // namespace
}  // namespace tls_test
