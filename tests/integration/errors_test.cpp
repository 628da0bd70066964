// Failures through both APIs: the category, the message, the rows delivered before, and whether the connection can
// still be used.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cluster.hpp"
#include "faces.hpp"
#include "process.hpp"

namespace errors_test {
namespace {

using namespace std::chrono_literals;
using namespace sluice::test;
using sluice::condition;
using sluice::errc;
using sluice::from;
using sluice::sql;

template <class Face>
class Errors : public testing::Test {
 protected:
  static outcome ask(const sluice::query& what, const sluice::query_options& options = {},
                     const sluice::connection_options& bounds = {}) {
    return Face::ask(dsn(), what, options, bounds);
  }
  static sluice::error failure_at(const std::string& conninfo) {
    outcome seen = Face::ask(conninfo, sql("select '{}'::json"));
    EXPECT_TRUE(seen.failure) << "no failure at " << conninfo;
    return seen.failure.value_or(sluice::error{errc{}, ""});
  }
};
using faces = testing::Types<blocking_face, coroutine_face>;
TYPED_TEST_SUITE(Errors, faces);

TYPED_TEST(Errors, OfTheServerCarryAllItSays) {
  const outcome unknown = this->ask(from("no_such_view"));
  ASSERT_TRUE(unknown.failure);
  EXPECT_EQ(unknown.failure->code(), condition::sql);
  EXPECT_EQ(unknown.failure->sqlstate(), "42P01");
  EXPECT_NE(std::string{unknown.failure->what()}.find("no_such_view"), std::string::npos);
  EXPECT_TRUE(unknown.failure->connection_usable());
  EXPECT_TRUE(unknown.usable);

  const outcome wrong = this->ask(sql("select 1 frm x"));
  ASSERT_TRUE(wrong.failure && wrong.failure->server());
  EXPECT_EQ(wrong.failure->sqlstate(), "42601");
  EXPECT_EQ(wrong.failure->server()->position, 14U);
  EXPECT_TRUE(wrong.usable);

  const outcome two = this->ask(sql("select 1; select 2"));
  ASSERT_TRUE(two.failure);
  EXPECT_EQ(two.failure->sqlstate(), "42601");
}

TYPED_TEST(Errors, AfterRowsLeaveThoseRowsWhole) {
  const outcome seen = this->ask(
      sql("select json_build_object('n', n, 'x', 10 / (50000 - n)) from generate_series(1, 100000) n").as_document());
  ASSERT_TRUE(seen.failure);
  EXPECT_EQ(seen.failure->sqlstate(), "22012");
  EXPECT_EQ(seen.rows.size(), 49'999U);
  EXPECT_EQ(seen.failure->rows(), 49'999U);
  for (const std::string& row : seen.rows) ASSERT_EQ(row.back(), '}');
  EXPECT_TRUE(seen.usable);
}

TYPED_TEST(Errors, TellWhyALoginFails) {
  const sluice::error password = this->failure_at(as_user("scram_user") + "x");
  EXPECT_EQ(password.code(), errc::auth_rejected);
  EXPECT_EQ(password.sqlstate(), "28P01");
  EXPECT_EQ(std::string{password.what()}.find("secretx"), std::string::npos) << "no password in a message";
  const sluice::error nobody = this->failure_at("host=127.0.0.1 port=" + cluster_value("SLUICE_TEST_PORT") +
                                                " user=nobody_known dbname=sluice password=x");
  EXPECT_EQ(nobody.code(), condition::auth);
  EXPECT_EQ(this->failure_at(dsn() + " dbname=no_such_database").sqlstate(), "3D000");
  EXPECT_EQ(this->failure_at(dsn() + " dbname=no_such_database").code(), condition::sql);
  const sluice::error without = this->failure_at("host=127.0.0.1 port=" + cluster_value("SLUICE_TEST_PORT") +
                                                 " user=scram_user dbname=sluice passfile=/nonexistent");
  EXPECT_EQ(without.code(), errc::auth_method) << without.what();
}

TYPED_TEST(Errors, TellThatAServerIsNotThere) {
  EXPECT_EQ(this->failure_at("host=127.0.0.1 port=1 user=a").code(), errc::connect_failed);
  EXPECT_EQ(this->failure_at("host=/nonexistent user=a").code(), errc::connect_failed);
  EXPECT_EQ(this->failure_at("host=no-such-host.invalid user=a connect_timeout=5").code(), errc::name_not_found);
  EXPECT_EQ(this->failure_at("host=127.0.0.1 nonsense").code(), errc::bad_conninfo);
}

TYPED_TEST(Errors, OfSeveralHostsAreToldTogether) {
  const std::string port = cluster_value("SLUICE_TEST_PORT");
  const sluice::error both = this->failure_at("host=127.0.0.1,/nonexistent port=1,2 user=a");
  EXPECT_NE(std::string{both.what()}.find("127.0.0.1:1"), std::string::npos) << both.what();
  EXPECT_NE(std::string{both.what()}.find("/nonexistent/"), std::string::npos) << both.what();
  const outcome second = TypeParam::ask("host=127.0.0.1,127.0.0.1 port=1," + port + " user=trust_user dbname=sluice",
                                        sql("select '{}'::json"));
  EXPECT_FALSE(second.failure) << second.failure->what();
  EXPECT_EQ(second.rows.size(), 1U);
}

TYPED_TEST(Errors, OfAServerThatNeverAnswersComeInTime) {
  const int silent = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(silent, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(silent, 4), 0);
  ASSERT_EQ(::getsockname(silent, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const sluice::error late = this->failure_at("host=127.0.0.1 user=a connect_timeout=2 sslmode=disable port=" +
                                              std::to_string(ntohs(address.sin_port)));
  EXPECT_EQ(late.code(), condition::timeout) << late.what();
  ::close(silent);
}

TYPED_TEST(Errors, OfRowsAboveTheLimitComeBeforeTheRow) {
  const outcome seen = this->ask(sql("select to_json(repeat('x', n)) from unnest(array[10, 100000]) n").as_document(),
                                 {}, {.max_row_bytes = 50'000});
  ASSERT_TRUE(seen.failure);
  EXPECT_EQ(seen.failure->code(), condition::limit);
  EXPECT_EQ(seen.rows.size(), 1U);
  EXPECT_LT(seen.stats.buffer_peak, 70'000U);
  EXPECT_FALSE(seen.usable);
}

TYPED_TEST(Errors, OfAChangedEncodingBreakTheConnection) {
  const outcome seen = this->ask(sql("select to_json(set_config('client_encoding', 'LATIN1', false))"));
  ASSERT_TRUE(seen.failure);
  EXPECT_EQ(seen.failure->code(), condition::protocol);
}

TYPED_TEST(Errors, OfCopyLeaveTheConnectionUsable) {
  const outcome out = this->ask(sql("copy (select 1) to stdout"));
  ASSERT_TRUE(out.failure);
  EXPECT_EQ(out.failure->code(), errc::unsupported_result) << out.failure->what();
  EXPECT_TRUE(out.usable);
  psql("create table if not exists copied (a int)");
  const outcome in = this->ask(sql("copy copied from stdin"));
  ASSERT_TRUE(in.failure);
  EXPECT_EQ(in.failure->code(), condition::sql) << in.failure->what();
  EXPECT_TRUE(in.usable);
}

TEST(Logins, WorkByEveryMethodThatIsAllowed) {
  for (const char* user : {"trust_user", "scram_user", "md5_user", "sasl_user"}) {
    const outcome seen = blocking_face::ask(as_user(user), sql("select to_json(current_user)"));
    EXPECT_FALSE(seen.failure) << user << ": " << seen.failure->what();
    EXPECT_EQ(seen.rows, std::vector<std::string>{'"' + std::string{user} + '"'});
  }
  const outcome clear = blocking_face::ask(as_user("clear_user") + " sslmode=disable", sql("select 1"));
  ASSERT_TRUE(clear.failure) << "a password must not cross the network in clear text";
  EXPECT_EQ(clear.failure->code(), errc::auth_method);
}

TEST(Logins, AreRefusedWhereTheyAreWeakerThanWasAskedFor) {
  const auto code = [](const std::string& conninfo) {
    const outcome seen = blocking_face::ask(conninfo, sql("select '{}'::json"));
    return seen.failure ? seen.failure->code() : std::error_code{};
  };
  EXPECT_EQ(code(as_user("md5_user") + " require_auth=scram-sha-256"), errc::auth_method);
  EXPECT_EQ(code(as_user("scram_user") + " require_auth=scram-sha-256"), std::error_code{});
  EXPECT_EQ(code(as_user("scram_user") + " require_auth=!scram-sha-256"), errc::auth_method);
  EXPECT_EQ(code(as_user("trust_user") + " require_auth=scram-sha-256"), errc::auth_method);
  EXPECT_EQ(code(as_user("trust_user") + " channel_binding=require sslmode=require"), errc::auth_method);
  EXPECT_EQ(code(as_user("scram_user") + " channel_binding=require sslmode=allow"), errc::auth_method);
  EXPECT_EQ(code(dsn() + " requirepeer=" + cluster_value("SLUICE_TEST_SERVER_USER")), std::error_code{});
  EXPECT_EQ(code(dsn() + " requirepeer=daemon"), errc::auth_proof);
  const std::error_code newer = code(dsn() + " min_protocol_version=3.2 max_protocol_version=3.2");
  if (std::stoi(psql("show server_version_num")) >= 180000) {
    EXPECT_EQ(newer, std::error_code{});
  } else {
    EXPECT_EQ(newer, condition::protocol) << "servers before 18 speak 3.0 only";
  }
}

#ifndef __SANITIZE_ADDRESS__  // AddressSanitizer needs descriptors to inspect memory

/// Limits the process to this many further descriptors, for as long as it lives.
class few_descriptors {
 public:
  explicit few_descriptors(rlim_t left) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int next = ::dup(STDIN_FILENO);  // the lowest number that is free
    ::close(next);
    const rlimit now{static_cast<rlim_t>(next) + left, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &now);
  }
  ~few_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  few_descriptors(const few_descriptors&) = delete;
  few_descriptors& operator=(const few_descriptors&) = delete;

 private:
  rlimit before_{};
};

TYPED_TEST(Errors, OfAProcessWithoutDescriptorsLeakNone) {
  const std::ptrdiff_t before = descriptors();
  int failures = 0;
  for (rlim_t left = 0; left < 12; ++left) {
    const few_descriptors scarce{left};
    try {
      const outcome seen = TypeParam::ask(dsn(), sql("select to_json(1)"));
      if (!seen.failure) continue;
      EXPECT_EQ(seen.failure->kind(), sluice::condition::connection) << seen.failure->what();
    } catch (const std::runtime_error&) {  // a system_error of Asio's, or Boost's, before there is a connection
    }
    ++failures;
  }
  EXPECT_GT(failures, 0);
  EXPECT_LT(failures, 12);
  EXPECT_EQ(descriptors(), before);
}

#endif

}  // namespace
}  // namespace errors_test
