#include <gtest/gtest.h>

#include <sluice/wire/conninfo.hpp>
#include <sluice/wire/error.hpp>
#include <string>
#include <vector>

#include "bytes.hpp"
#include "connection_strings.hpp"
#include "temporary_folder.hpp"
#include "transport/gss_target.hpp"

namespace conninfo_test {
namespace {

using namespace std::chrono_literals;
using sluice::auth_methods;
using sluice::channel_binding_mode;
using sluice::conninfo;
using sluice::conninfo_environment;
using sluice::tls_mode;
using sluice::tls_version;
using sluice::test::parse;
using sluice::test::raw;
using sluice::test::refusal;
using sluice::test::temporary_folder;
using sluice::test::variables;
using sluice::test::with;

struct reading {
  const char* text;
  const char* shown;
};
void PrintTo(const reading& of, std::ostream* out) { *out << of.text; }
class ConnectionStringTable : public testing::TestWithParam<reading> {};
TEST_P(ConnectionStringTable, IsRead) { EXPECT_EQ(parse(GetParam().text).to_string(), GetParam().shown); }
INSTANTIATE_TEST_SUITE_P(
    Uri, ConnectionStringTable,
    testing::Values(reading{"postgresql://", "me@//.s.PGSQL.5432/me"}, reading{"postgres://h", "me@h:5432/me"},
                    reading{"postgresql://h/", "me@h:5432/me"}, reading{"postgresql://h:5433/db", "me@h:5433/db"},
                    reading{"postgresql://h:/db", "me@h:5432/db"}, reading{"postgresql://u@h", "u@h:5432/u"},
                    reading{"postgresql://u:p@h/db", "u@h:5432/db"}, reading{"postgresql://@h/db", "me@h:5432/db"},
                    reading{"postgresql:///db", "me@//.s.PGSQL.5432/db"},
                    reading{"postgresql://a:1,b:2/db", "me@a:1,b:2/db"},
                    reading{"postgresql://a,b:2/db", "me@a:5432,b:2/db"},
                    reading{"postgresql://[::1]:2/db", "me@[::1]:2/db"},
                    reading{"postgresql://[::1],[fe80::2%25eth0]/", "me@[::1]:5432,[fe80::2%eth0]:5432/me"},
                    reading{"postgresql://%2Fvar%2Frun:2/db", "me@/var/run/.s.PGSQL.2/db"},
                    reading{"postgresql:///db?host=/tmp&port=3", "me@/tmp/.s.PGSQL.3/db"},
                    reading{"postgresql://%40abstract", "me@@abstract/.s.PGSQL.5432/me"},
                    reading{"postgresql://h/d%20b?user=o%27b", "o'b@h:5432/d b"},
                    reading{"postgresql://h? user = u & port = 1 ", "u@h:1/u"},
                    reading{"postgresql://h/db?host=other", "me@other:5432/db"},
                    reading{"postgresql://h/db?hostaddr=10.0.0.1", "me@h:5432 (10.0.0.1)/db"}));
INSTANTIATE_TEST_SUITE_P(
    KeyValue, ConnectionStringTable,
    testing::Values(reading{"", "me@//.s.PGSQL.5432/me"}, reading{"host=h dbname=db", "me@h:5432/db"},
                    reading{" host = h  port = 1 ", "me@h:1/me"}, reading{"dbname='a b' host=h", "me@h:5432/a b"},
                    reading{"dbname='it\\'s \\\\' host=h", "me@h:5432/it's \\"},
                    reading{"host='h'user=u", "u@h:5432/u"}, reading{"host=a,b port=1", "me@a:1,b:1/me"},
                    reading{"host=a,b port=1,2", "me@a:1,b:2/me"}, reading{"host=a,b port=,2", "me@a:5432,b:2/me"},
                    reading{"host=a,,c", "me@a:5432,//.s.PGSQL.5432,c:5432/me"},
                    reading{"hostaddr=::1,10.0.0.1", "me@[::1]:5432,10.0.0.1:5432/me"},
                    reading{"host=a,b hostaddr=,10.0.0.1", "me@a:5432,b:5432 (10.0.0.1)/me"},
                    reading{"host=a host=b", "me@b:5432/me"}, reading{"host=@s", "me@@s/.s.PGSQL.5432/me"}));

struct refused_text {
  const char* text;
  const char* reason;
};
void PrintTo(const refused_text& of, std::ostream* out) { *out << of.text; }
class RefusedTable : public testing::TestWithParam<refused_text> {};
TEST_P(RefusedTable, SaysWhatAndWhere) {
  const std::string message = refusal(GetParam().text);
  EXPECT_NE(message.find(GetParam().reason), message.npos) << message;
}
INSTANTIATE_TEST_SUITE_P(
    Form, RefusedTable,
    testing::Values(
        refused_text{"app", "byte 0: neither a URI nor key=value pairs; to name only a database, write dbname="},
        refused_text{"http://h/db", "byte 0: not key=value pairs, and not a URI either"},
        refused_text{"user=u pass word=1", "byte 7: a parameter without \"=\""},
        refused_text{"user='u", "byte 5: the single quote"}, refused_text{"=1", "byte 0: unknown parameter"},
        refused_text{"hots=h", "byte 0: unknown parameter \"hots\"; did you mean host?"},
        refused_text{"host=h ssl_mode=require", "byte 7: unknown parameter \"ssl_mode\"; did you mean sslmode?"},
        refused_text{"postgresql://h/?usr=u", "byte 16: unknown parameter \"usr\"; did you mean user?"},
        refused_text{"postgresql://h/%zz", "byte 15: '%' without two"},
        refused_text{"postgresql://a,b%4/", "byte 16: '%' without two"},
        refused_text{"postgresql://h/%00", "byte 15: %00"}, refused_text{"postgresql://[::1", "byte 13: '['"},
        refused_text{"postgresql://[]/", "byte 13: an IPv6 address"},
        refused_text{"postgresql://[::1]x", "byte 18: after an IPv6 address"},
        refused_text{"postgresql://h/a b", "byte 16: a space"},
        refused_text{"postgresql://h?port", "byte 15: a query parameter without '='"},
        refused_text{"postgresql://h?port=1=2", "byte 21: a second '='"},
        refused_text{"postgresql://u:a@b@h", "byte 18: a stray '@'"},
        refused_text{"postgresql://u:a@b/c@h", "byte 20: a stray '@'"}));
INSTANTIATE_TEST_SUITE_P(
    Value, RefusedTable,
    testing::Values(
        refused_text{"port=0", "port (connection string, byte 0) must list port numbers"},
        refused_text{"port=65536", "port"}, refused_text{"host=a,b port=1,x", "byte 9) must list port"},
        refused_text{"host=a,b,c port=1,2", "port (connection string, byte 11) has 2 elements for 3 hosts"},
        refused_text{"host=a hostaddr=::1,::2", "host (connection string, byte 0) has 1 element, but there are 2"},
        refused_text{"hostaddr=example.com", "must list IP addresses; element 1"},
        refused_text{"host=a@b", "'@' or '=' inside"},
        refused_text{"sslmode=on", "must be one of disable, allow, prefer, require, verify-ca, verify-full"},
        refused_text{"sslmode=''", "must be one of"}, refused_text{"requiressl=yes", "must be 0 or 1"},
        refused_text{"scram_min_iterations=0", "from 1 to 100000"}, refused_text{"sslsni=yes", "must be one of 0, 1"},
        refused_text{"connect_timeout=5s", "must be an integer"},
        refused_text{"connect_timeout=2147483648", "must be an integer"},
        refused_text{"keepalives=yes", "keepalives (connection string, byte 0) must be an integer"},
        refused_text{"channel_binding=1", "channel_binding"}, refused_text{"target_session_attrs=rw", "read-write"},
        refused_text{"load_balance_hosts=1", "disable, random"}, refused_text{"sslnegotiation=now", "postgres, direct"},
        refused_text{"ssl_min_protocol_version=SSLv3", "TLSv1.2"},
        refused_text{"min_protocol_version=3.1", "3.0, 3.2, latest"},
        refused_text{"require_auth=kerberos", "must list methods"},
        refused_text{"require_auth=md5,", "must list methods"},
        refused_text{"require_auth=md5,!none", "'!' before all"}, refused_text{"require_auth=md5,md5", "twice"},
        refused_text{"client_encoding=LATIN1", "must be UTF8"}, refused_text{"replication=database", "must be off"},
        refused_text{"replication=true", "must be off"}));
INSTANTIATE_TEST_SUITE_P(
    Security, RefusedTable,
    testing::Values(refused_text{"sslrootcert=system sslmode=verify-ca", "must be verify-full together with"},
                    refused_text{"sslnegotiation=direct", "cannot be direct"},
                    refused_text{"sslnegotiation=direct sslmode=prefer", "cannot be direct"},
                    refused_text{"channel_binding=require sslmode=disable", "cannot be require"},
                    refused_text{"channel_binding=require require_auth=md5", "cannot be require"},
                    refused_text{"require_auth=sspi", "leaves no method"},
                    refused_text{"ssl_max_protocol_version=TLSv1.1", "is below ssl_min_protocol_version"},
                    refused_text{"min_protocol_version=3.2 max_protocol_version=3.0", "above max_protocol_version"},
                    refused_text{"gssencmode=on", "disable, prefer, require"},
                    refused_text{"sslcertmode=maybe", "sslcertmode"},
                    refused_text{"sslkeylogfile=/tmp/keys", "is not accepted"},
                    refused_text{"scram_client_key=AAAA", "must be 32 bytes in base64"},
                    refused_text{"scram_server_key=*", "must be 32 bytes in base64"},
                    refused_text{"scram_client_key=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                                 "the other SCRAM key"},
                    refused_text{"oauth_issuer=https://x", "conninfo::token"}));

TEST(ConnectionString, RefusesZeroBytesWhereverTheyComeFrom) {
  EXPECT_NE(refusal(raw("host=h user=a\0b")).find("byte 13: a zero byte"), std::string::npos);
  EXPECT_NE(refusal("", with({{"PGUSER", raw("a\0b")}})).find("PGUSER: a zero byte"), std::string::npos);
  EXPECT_NE(refusal("", with({{"PGTZ", raw("a\0b")}})).find("PGTZ: a zero byte"), std::string::npos);
}

TEST(ConnectionString, NeverShowsAPassword) {
  for (const char* const text : {
           "password=hunter hunter host=h",
           "password=x hunter=1",
           "sslpassword=x hunter=1",
           "user=u password='hunter",
           "port=5432password=hunter",
           "sslmode=requirepassword=hunter",
           "host=a,b port=1,2,3password=hunter",
           "service=xpassword=hunter",
           "hostaddr=hunter",
           "host=hpassword=hunter",
           "service=x servicefile=/xpassword=hunter",
           "password=hunter nokey=1",
           "password=hunter sslmode=x",
           "password=hunter scram_client_key=hunter",
           "x://u:hunter@h?a=b",
           "x://u:hunter@h",
           "postgresql://u:hunter%@h/db",
           "postgresql://u:hunter%00@h/db",
           "postgresql://u:hunter hunter@h/db",
           "postgresql://u:hunter/x@h/db",
           "postgresql://u:1/hunter@h/db",
           "postgresql://u:x@hunter@h/db",
           "postgresql://u:x@@hunter@h/db",
           "postgresql://u:x@a/hunter@h/db",
           "postgresql://u:x/?hunter=x@h/db",
           "postgresql://u:x/?hunter@h/db",
           "postgresql://u:hunter@h:x/db",
           "postgresql://u:hunter@[h/db",
           "postgresql://h?password=hunter=1",
           "postgresql://h?password=hunter%",
           "postgresql://h?password=hunter&nokey=1",
       }) {
    const std::string message = refusal(text);
    EXPECT_FALSE(message.starts_with("accepted: ")) << text;
    EXPECT_EQ(message.find("hunter"), message.npos) << text << "\n" << message;
  }
  for (const char* const text : {"password=hunter sslpassword=hunter", "postgresql://u:hunter@h/db"}) {
    const conninfo info = parse(text, {{"PGPASSWORD", "hunter"}});
    EXPECT_EQ(info.password, "hunter");
    EXPECT_EQ(info.to_string().find("hunter"), std::string::npos);
    EXPECT_EQ(info.hosts[0].to_string().find("hunter"), std::string::npos);
  }
}

TEST(ConnectionString, HasTheDefaultsOfLibpq) {
  const conninfo info = parse("");
  ASSERT_EQ(info.hosts.size(), 1U);
  EXPECT_EQ(info.hosts[0], (conninfo::host{.name = "/", .address = "", .port = 5432}))
      << "the first folder that exists";
  EXPECT_TRUE(info.hosts[0].is_unix_socket());
  EXPECT_EQ(info.user, "me");
  EXPECT_EQ(info.database, "me");
  EXPECT_EQ(info.connect_timeout, 30s) << "libpq has none";
  EXPECT_EQ(info.application_name, "sluice") << "libpq has none";
  EXPECT_EQ(info.scram_min_iterations, 4'096U);
  EXPECT_TRUE(info.keepalives);
  EXPECT_EQ(info.sslmode, tls_mode::prefer);
  EXPECT_EQ(info.sslnegotiation, sluice::tls_negotiation::postgres);
  EXPECT_EQ(info.ssl_min_protocol_version, tls_version::v1_2);
  EXPECT_EQ(info.ssl_max_protocol_version, tls_version::any);
  EXPECT_TRUE(info.sslsni);
  EXPECT_EQ(info.require_auth, auth_methods{});
  EXPECT_EQ(info.channel_binding, channel_binding_mode::prefer);
  EXPECT_EQ(info.target_session_attrs, sluice::session_target::any);
  EXPECT_EQ(info.max_protocol_version, sluice::protocol_version::v3_0);
  EXPECT_TRUE(info.warnings.empty());
}

TEST(ConnectionString, NeedsAUserFromSomewhere) {
  conninfo_environment nobody = with();
  nobody.user_name.clear();
  EXPECT_NE(refusal("host=h", nobody).find("user is not given"), std::string::npos);
  EXPECT_EQ(conninfo::parse("user=u", nobody).database, "u");
}

TEST(ConnectionString, FillsEveryField) {
  const conninfo info = parse(
      "host=h hostaddr=10.0.0.1 application_name=a options='-c x=1' connect_timeout=1 keepalives=0 keepalives_idle=2 "
      "keepalives_interval=3 keepalives_count=4 tcp_user_timeout=5 sslmode=verify-ca sslnegotiation=direct sslcert=c "
      "sslkey=k "
      "sslpassword=p sslrootcert=r sslcrl=l sslcrldir=d sslsni=0 ssl_min_protocol_version=tlsv1.3 "
      "ssl_max_protocol_version=TLSv1.3 channel_binding=require require_auth=scram-sha-256,oauth requirepeer=postgres "
      "target_session_attrs=standby load_balance_hosts=random min_protocol_version=3.0 max_protocol_version=latest "
      "client_encoding=auto replication=No gssencmode=prefer sslcompression=1 krbsrvname=x gsslib=x gssdelegation=1 "
      "passfile=/nonexistent/pw scram_min_iterations=1");
  EXPECT_FALSE(info.hosts[0].is_unix_socket());
  EXPECT_EQ(info.application_name, "a");
  EXPECT_EQ(info.options, "-c x=1");
  EXPECT_EQ(info.connect_timeout, 1s);
  EXPECT_FALSE(info.keepalives);
  EXPECT_EQ(info.keepalives_idle, 2s);
  EXPECT_EQ(info.keepalives_interval, 3s);
  EXPECT_EQ(info.keepalives_count, 4);
  EXPECT_EQ(info.tcp_user_timeout, 5ms);
  EXPECT_EQ(info.sslmode, tls_mode::verify_ca);
  EXPECT_EQ(info.sslnegotiation, sluice::tls_negotiation::direct);
  EXPECT_EQ(info.sslcert + info.sslkey + info.sslrootcert + info.sslcrl + info.sslcrldir, "ckrld");
  EXPECT_EQ(info.sslpassword, "p");
  EXPECT_FALSE(info.sslsni);
  EXPECT_EQ(info.ssl_min_protocol_version, tls_version::v1_3);
  EXPECT_EQ(info.ssl_max_protocol_version, tls_version::v1_3);
  EXPECT_EQ(info.channel_binding, channel_binding_mode::require);
  EXPECT_EQ(info.require_auth,
            (auth_methods{.none = false, .password = false, .md5 = false, .scram_sha_256 = true, .gss = false}));
  EXPECT_EQ(info.gssencmode, sluice::gss_mode::prefer);
  EXPECT_EQ(info.krbsrvname, "x");
  EXPECT_TRUE(info.gssdelegation);
  EXPECT_EQ(info.requirepeer, "postgres");
  EXPECT_EQ(info.target_session_attrs, sluice::session_target::standby);
  EXPECT_EQ(info.load_balance_hosts, sluice::host_order::random);
  EXPECT_EQ(info.min_protocol_version, sluice::protocol_version::v3_0);
  EXPECT_EQ(info.max_protocol_version, sluice::protocol_version::v3_2);
  EXPECT_EQ(info.passfile, "/nonexistent/pw");
  EXPECT_EQ(info.scram_min_iterations, 1U);
}

TEST(ConnectionString, TakesGssapiFromTheEnvironment) {
  const conninfo usual = parse("host=h");
  EXPECT_EQ(usual.gssencmode, sluice::gss_mode::prefer);
  EXPECT_EQ(usual.krbsrvname, "postgres");
  EXPECT_FALSE(usual.gssdelegation);
  EXPECT_TRUE(usual.require_auth.gss);
  const conninfo set = parse("host=h", {{"PGGSSENCMODE", "disable"}, {"PGKRBSRVNAME", "db"}, {"PGGSSDELEGATION", "1"}});
  EXPECT_EQ(set.gssencmode, sluice::gss_mode::disable);
  EXPECT_EQ(set.krbsrvname, "db");
  EXPECT_TRUE(set.gssdelegation);
  EXPECT_FALSE(parse("require_auth=!gss").require_auth.gss);
  EXPECT_EQ(parse("krbsrvname=''").krbsrvname, "postgres");
}

TEST(ConnectionString, RequiresGssapiOnlyInABuildThatHasIt) {
  if (sluice::wire::has_gssapi()) {
    EXPECT_EQ(parse("gssencmode=require").gssencmode, sluice::gss_mode::require);
    EXPECT_TRUE(parse("require_auth=gss,sspi").require_auth.gss);
    for (const char* tls : {"channel_binding=require", "sslcertmode=require"})
      EXPECT_NE(refusal(std::string{"gssencmode=require "} + tls).find(tls), std::string::npos) << tls;
  } else {
    EXPECT_NE(refusal("gssencmode=require").find("-Dgssapi=enabled"), std::string::npos);
    EXPECT_NE(refusal("", with({{"PGGSSENCMODE", "require"}})).find("PGGSSENCMODE"), std::string::npos);
    EXPECT_NE(refusal("require_auth=gss,sspi").find("leaves no method"), std::string::npos);
  }
}

TEST(ConnectionString, TakesTheEnvironmentWhereItSaysNothingItself) {
  const variables set{{"PGHOST", "eh"},          {"PGPORT", "1"},
                      {"PGUSER", "eu"},          {"PGDATABASE", "ed"},
                      {"PGAPPNAME", "ea"},       {"PGSSLMODE", "require"},
                      {"PGTZ", "UTC"},           {"PGDATESTYLE", "ISO"},
                      {"PGGEQO", "default"},     {"PGCONNECT_TIMEOUT", "7"},
                      {"PGREQUIREAUTH", "!md5"}, {"PGREQUIRESSL", "0"}};
  const conninfo info = parse("dbname=sd fallback_application_name=f", set);
  EXPECT_EQ(info.to_string(), "eu@eh:1/sd");
  EXPECT_EQ(info.application_name, "ea");
  EXPECT_EQ(info.sslmode, tls_mode::require);
  EXPECT_EQ(info.connect_timeout, 7s);
  EXPECT_EQ(info.require_auth, (auth_methods{.none = true, .password = true, .md5 = false, .scram_sha_256 = true}));
  const std::vector<std::pair<std::string, std::string>> expected{{"datestyle", "ISO"}, {"timezone", "UTC"}};
  EXPECT_EQ(info.session_settings, expected);
  EXPECT_EQ(parse("fallback_application_name=f").application_name, "f");
  EXPECT_EQ(parse("application_name=''").application_name, "");
  EXPECT_EQ(parse("connect_timeout=0").connect_timeout, 0ms);
  for (const char* name : {"UNICODE", "utf8", "UTF-8", "Utf_8", "auto"})
    EXPECT_EQ(parse("", {{"PGCLIENTENCODING", name}}).user, "me") << name;
}

TEST(ConnectionString, NamesTheVariableThatIsWrong) {
  EXPECT_EQ(refusal("", with({{"PGPORT", "x"}})),
            "port (environment variable PGPORT) must list port numbers from 1 to 65535");
  EXPECT_NE(refusal("", with({{"PGCLIENTENCODING", "LATIN1"}})).find("PGCLIENTENCODING"), std::string::npos);
}

TEST(ConnectionString, HonoursTheOldWaysToRequireTls) {
  EXPECT_EQ(parse("requiressl=1").sslmode, tls_mode::require);
  EXPECT_EQ(parse("postgresql://h?ssl=true").sslmode, tls_mode::require);
  EXPECT_EQ(parse("", {{"PGREQUIRESSL", "1"}}).sslmode, tls_mode::require);
  EXPECT_EQ(parse("sslmode=disable", {{"PGREQUIRESSL", "1"}}).sslmode, tls_mode::disable);
}

TEST(ConnectionString, ChecksTheNameWithTheSystemsRoots) {
  EXPECT_EQ(parse("sslrootcert=system").sslmode, tls_mode::verify_full);
  EXPECT_EQ(parse("", {{"PGSSLROOTCERT", "system"}}).sslmode, tls_mode::verify_full);
}

TEST(ConnectionString, RaisesTheNewestProtocolToTheOldest) {
  EXPECT_EQ(parse("min_protocol_version=3.2").max_protocol_version, sluice::protocol_version::v3_2);
}

TEST(ConnectionString, FindsTheTlsFilesOfTheHomeFolder) {
  const temporary_folder home;
  const std::string root = home.write(".postgresql/root.crt", "");
  const std::string certificate = home.write(".postgresql/postgresql.crt", "");
  const std::string key = home.write(".postgresql/postgresql.key", "");
  const conninfo_environment environment = with({}, home.path());

  const conninfo found = conninfo::parse("", environment);
  EXPECT_EQ(found.sslrootcert, root);
  EXPECT_EQ(found.sslcert, certificate);
  EXPECT_EQ(found.sslkey, key);
  EXPECT_EQ(found.sslcrl, "") << "there is no such file";

  const conninfo without = conninfo::parse("sslcertmode=disable sslrootcert=given", environment);
  EXPECT_EQ(without.sslcert + without.sslkey, "");
  EXPECT_EQ(without.sslrootcert, "given");
}

TEST(ConnectionString, NeverTakesAFolderOfEverybodysByItself) {
  conninfo_environment own = with();
  own.socket_folders = conninfo_environment{}.socket_folders;
  EXPECT_EQ(conninfo::parse("", own).hosts[0].name, "/var/run/postgresql");
  own.socket_folders.clear();
  EXPECT_EQ(conninfo::parse("", own).hosts[0].name, "/var/run/postgresql");
}

}  // namespace
}  // namespace conninfo_test
