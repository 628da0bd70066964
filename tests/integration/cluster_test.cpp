// The server of the integration tests is configured as the tests assume.
#include "cluster.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace sluice::test {
namespace cluster_test {
namespace {

TEST(Cluster, IsASupportedServerWithUtf8) {
  EXPECT_GE(std::stoi(psql("show server_version_num")), 140000);
  EXPECT_EQ(psql("show server_encoding"), "UTF8");
  EXPECT_EQ(psql("show data_checksums"), "off");
  EXPECT_EQ(psql("show max_connections"), "200");
}

TEST(Cluster, LivesInAFolderOfItsOwn) {
  EXPECT_EQ(psql("show data_directory"), cluster_value("SLUICE_TEST_DATA_DIR"));
  EXPECT_EQ(psql("show unix_socket_directories"), cluster_value("SLUICE_TEST_SOCKET_DIR"));
  EXPECT_EQ(psql("show port"), cluster_value("SLUICE_TEST_PORT"));
}

TEST(Cluster, IsReachedByTheUnixSocketAndByTcp) {
  const std::string who = "select current_user, current_database(), host(inet_client_addr())";
  EXPECT_EQ(psql(who), "sluice|sluice|");
  EXPECT_EQ(psql(who, tcp_dsn()), "sluice|sluice|127.0.0.1");
}

TEST(Cluster, ServesTlsThatItsAuthorityVouchesFor) {
  const std::string verified = " sslmode=verify-full sslrootcert=" + tls_file("ca.crt");
  EXPECT_EQ(psql("select ssl from pg_stat_ssl where pid = pg_backend_pid()", tcp_dsn() + verified), "t");
}

TEST(Cluster, FailsAStatementWithTheServersWords) {
  try {
    psql("select 'it''s' from nowhere");
    FAIL() << "a table that does not exist was found";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string{error.what()}.find("relation \"nowhere\" does not exist"), std::string::npos) << error.what();
  }
}

struct login {
  const char* user;
  const char* stored;  // how the server keeps the password
};

class ClusterUser : public testing::TestWithParam<login> {};

TEST_P(ClusterUser, LogsInOverTcpAndNotWithAWrongPassword) {
  const auto [user, stored] = GetParam();
  const std::string right = as_user(user);
  EXPECT_EQ(psql("select current_user", right), user);
  EXPECT_EQ(psql("select left(rolpassword, 3) from pg_authid where rolname = '" + std::string{user} + "'"), stored);
  EXPECT_THROW(psql("select 1", right + "x"), std::runtime_error);
}

INSTANTIATE_TEST_SUITE_P(Users, ClusterUser,
                         testing::Values(login{"scram_user", "SCR"}, login{"md5_user", "md5"},
                                         login{"clear_user", "SCR"}, login{"sasl_user", "SCR"},
                                         login{"tls_user", "SCR"}),
                         [](const auto& test) { return std::string{test.param.user}; });

TEST(ClusterUser, ThatNeedsTlsIsRefusedWithoutIt) {
  EXPECT_THROW(psql("select 1", as_user("tls_user") + " sslmode=disable"), std::runtime_error);
  EXPECT_THROW(psql("select 1", as_user("cert_user")), std::runtime_error);
}

TEST(ClusterUser, LogsInWithItsCertificate) {
  const std::string certificate = " sslcert=" + tls_file("cert_user.crt") + " sslkey=" + tls_file("cert_user.key");
  EXPECT_EQ(psql("select current_user", as_user("cert_user") + certificate), "cert_user");
}

}  // namespace
}  // namespace cluster_test
}  // namespace sluice::test
