// Where the command connects: -d, completed by -h, -p and -U as by psql's.
#include <gtest/gtest.h>

#include <string>

#include <sluice/wire/error.hpp>

#include "connection_strings.hpp"
#include "destination.hpp"
#include "temporary_folder.hpp"
#include "values.hpp"

namespace destination_test {
namespace {

using namespace sluice::tool;
using sluice::conninfo_environment;
using sluice::test::temporary_folder;
using sluice::test::variables;
using sluice::test::with;

std::string shown(const destination& given, const conninfo_environment& environment = with(variables{})) {
  return to_conninfo(given, environment).to_string();
}

TEST(Destination, OfSeparateOptionsIsLikeThatOfAString) {
  EXPECT_EQ(shown({.host = "h", .port = "5433", .user = "u"}), "u@h:5433/u");
  EXPECT_EQ(shown({.host = "a,b", .port = "1,2"}), "me@a:1,b:2/me");
  EXPECT_EQ(shown({.host = "a,b", .port = "1"}), "me@a:1,b:1/me");
  EXPECT_EQ(shown({.host = "/var/run", .user = "it's \\ a name"}),
            "it's \\ a name@/var/run/.s.PGSQL.5432/it's \\ a name");
  EXPECT_EQ(shown({.host = "::1"}), "me@[::1]:5432/me");
}

TEST(Destination, IsCompletedWhereTheStringSaysNothing) {
  EXPECT_EQ(shown({.dsn = "dbname=db port=1", .host = "h", .user = "u"}), "u@h:1/db");
  EXPECT_EQ(shown({.dsn = "hostaddr=10.0.0.1", .host = "h"}), "me@h:5432 (10.0.0.1)/me");
  EXPECT_EQ(shown({.dsn = "host='' dbname=db", .host = "h"}), "me@h:5432/db");
}

TEST(Destination, WithoutAnEqualsSignIsADatabase) {
  EXPECT_EQ(shown({.dsn = "shop", .host = "h"}), "me@h:5432/shop");
  EXPECT_EQ(shown({.dsn = "my shop"}), shown({.dsn = "dbname='my shop'"}));
  EXPECT_EQ(shown({.dsn = " "}), shown({})) << "nothing is given";
}

TEST(Destination, TakesTheRestFromTheEnvironment) {
  const conninfo_environment environment =
      with(variables{{"PGHOST", "env"}, {"PGPORT", "7"}, {"PGUSER", "env_user"}, {"PGDATABASE", "env_db"}});
  EXPECT_EQ(shown({}, environment), "env_user@env:7/env_db");
  EXPECT_EQ(shown({.host = "h"}, environment), "env_user@h:7/env_db");
  EXPECT_EQ(shown({.dsn = "db", .user = "u"}, environment), "u@env:7/db");
  EXPECT_EQ(shown({.host = "", .port = "", .user = ""}, environment), "env_user@env:7/env_db")
      << "an empty value is none, as in libpq";
}

TEST(Destination, GoesBeforeTheServiceFile) {
  const temporary_folder folder;
  folder.write("services", "[s]\nhost=service_host\nport=7\nuser=service_user\ndbname=service_db\n");
  const conninfo_environment environment =
      with(variables{{"PGSERVICEFILE", folder.path("services")}, {"PGHOST", "env"}});
  EXPECT_EQ(shown({.dsn = "service=s"}, environment), "service_user@service_host:7/service_db");
  EXPECT_EQ(shown({.dsn = "service=s", .host = "h", .user = "u"}, environment), "u@h:7/service_db");
  const conninfo_environment by_variable =
      with(variables{{"PGSERVICEFILE", folder.path("services")}, {"PGSERVICE", "s"}});
  EXPECT_EQ(shown({.dsn = "db", .port = "8"}, by_variable), "service_user@service_host:8/db");
}

TEST(Destination, HasThePasswordOfItsHost) {
  const temporary_folder folder;
  const std::string file = folder.write("passwords", "a:*:*:*:of a\nb:7:*:u:of b\n");
  const sluice::conninfo where =
      to_conninfo({.host = "b", .port = "7", .user = "u"}, with(variables{{"PGPASSFILE", file}}));
  const auto found = password_for(where, where.hosts.front());
  ASSERT_TRUE(found);
  EXPECT_EQ(found->view(), "of b");
}

TEST(Destination, IsNotGivenTwice) {
  for (const destination& each :
       {destination{.dsn = "postgresql://h", .host = "h"}, destination{.dsn = "postgres://", .port = "1"},
        destination{.dsn = "postgresql:///db", .user = "u"}})
    EXPECT_THROW(check(each), usage_error) << each.dsn;
  EXPECT_NO_THROW(check({.dsn = "postgresql://h"}));
  for (const destination& each : {destination{.dsn = "host=a", .host = "b"}, destination{.dsn = "port=1", .port = "1"},
                                  destination{.dsn = "user=a", .user = "b"}})
    EXPECT_THROW((void)to_conninfo(each, with(variables{})), usage_error) << each.dsn;
}

TEST(Destination, ThatIsWrongNamesTheOption) {
  try {
    (void)to_conninfo({.port = "x"}, with(variables{}));
    FAIL();
  } catch (const sluice::error& refused) {
    EXPECT_STREQ(refused.what(), "--port must list port numbers from 1 to 65535");
  }
  EXPECT_THROW((void)to_conninfo({.dsn = "ftp://h"}, with(variables{})), sluice::error) << "a URI of something else";
  EXPECT_THROW((void)to_conninfo({.dsn = "postgresql//h?a=b"}, with(variables{})), sluice::error);
}

}  // namespace
}  // namespace destination_test
