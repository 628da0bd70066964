// Service files: where they are looked for, what they may say, and what is refused in them.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>
#include <thread>

#include "bytes.hpp"
#include "connection_strings.hpp"
#include "temporary_folder.hpp"

namespace service_file_test {
namespace {

using sluice::conninfo;
using sluice::conninfo_environment;
using sluice::tls_mode;
using sluice::test::parse;
using sluice::test::raw;
using sluice::test::refusal;
using sluice::test::temporary_folder;
using sluice::test::with;

TEST(ServiceFile, StandsBetweenTheStringAndTheEnvironment) {
  const temporary_folder home;
  home.write(".pg_service.conf",
             "[other]\nuser=no\n[app]\n# comment\n  host=sh\nuser=su\ndbname=sd\n\n[app]\nport=9\n");
  const conninfo_environment environment = with({{"PGSERVICE", "app"}, {"PGUSER", "eu"}, {"PGPORT", "2"}}, home.path());
  EXPECT_EQ(conninfo::parse("dbname=cd", environment).to_string(), "su@sh:2/cd");
  EXPECT_EQ(conninfo::parse("service=other dbname=cd", environment).user, "no");
}

TEST(ServiceFile, IsLookedForWhereItIsNamed) {
  const temporary_folder folder;
  const std::string first = folder.write("first", "[app]\nhost=first\n");
  const std::string second = folder.write("second", "[app]\nhost=second\n");
  folder.write("pg_service.conf", "[system]\nhost=system\n");
  const auto environment = with({{"PGSERVICEFILE", first}, {"PGSYSCONFDIR", folder.path()}});
  EXPECT_EQ(conninfo::parse("service=app", environment).hosts[0].name, "first");
  EXPECT_EQ(conninfo::parse("service=app servicefile=" + second, environment).hosts[0].name, "second");
  EXPECT_EQ(conninfo::parse("service=system", environment).hosts[0].name, "system") << "not in the first file";
}

TEST(ServiceFile, IsRefusedWithFileAndLine) {
  const temporary_folder folder;
  const std::string path = folder.write("services",
                                        "[novalue]\nhost\n[nokey]\n\nhunter=1\n[nested]\nservice=x\n[ldap]\n"
                                        "ldap://h/dc=x\n[mode]\nsslmode=hunter\n");
  const auto environment = with({{"PGSERVICEFILE", path}, {"PGSYSCONFDIR", folder.path()}});
  const auto message = [&](const std::string& service) { return refusal("service=" + service, environment); };
  const std::string file = "service file \"" + path + "\", line ";
  EXPECT_EQ(message("novalue"), file + "2: a parameter without '='");
  EXPECT_EQ(message("nokey"), file + "5: unknown parameter");
  EXPECT_EQ(message("nested"), file + "7: a service may not refer to another one");
  EXPECT_EQ(message("ldap"), file + "9: looking a service up by LDAP is not supported");
  EXPECT_EQ(message("mode").find("sslmode (" + file + "11) must be one of"), 0U);
  EXPECT_EQ(message("absent"), "service (connection string, byte 0) is defined in no service file");
  EXPECT_EQ(refusal("service=x servicefile=/nonexistent/f"), "servicefile (connection string, byte 10) cannot be read");
}

TEST(ServiceFile, ThatIsTooLongIsRefused) {
  const temporary_folder folder;
  const std::string before(1U << 20U, '\n');
  const std::string file = folder.write("long.conf", "[s]\nhost=h\n" + before + "sslmode=verify-full\n");
  EXPECT_NE(refusal("service=s servicefile=" + file).find("is longer than 1 MiB"), std::string::npos);
  const std::string whole = folder.write("whole.conf", before.substr(40) + "[s]\nsslmode=verify-full\n");
  EXPECT_EQ(parse("service=s servicefile=" + whole).sslmode, tls_mode::verify_full);
  EXPECT_NE(refusal("service=s servicefile=" + folder.path()).find("cannot be read to its end"), std::string::npos);
}

TEST(ServiceFile, MayBeAPipe) {
  const temporary_folder folder;
  const std::string pipe = folder.path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer{[&] { std::ofstream{pipe} << std::string(10'000, '\n') << "[s]\nsslmode=verify-full\n"; }};
  EXPECT_EQ(parse("service=s servicefile=" + pipe).sslmode, tls_mode::verify_full);
  writer.join();
}

TEST(ServiceFile, IsReadByLines) {
  const temporary_folder folder;
  const std::string path = folder.write("lines",
                                        "user=before\n\n# [app]\n\t[app] and more\r\n \t\n#user=comment\n"
                                        "  user=u=v \t\r\nhost=h\ndbname=\n[app]\nport=1\n[end]\nuser=last");
  const auto app = [&](const std::string& service) { return parse("service=" + service + " servicefile=" + path); };
  EXPECT_EQ(app("app").user, "u=v");
  EXPECT_EQ(app("app").hosts[0].port, 5432) << "only the first section of a name counts";
  EXPECT_EQ(app("app").database, "u=v") << "an empty value is as good as none";
  EXPECT_EQ(app("end").user, "last");
}

TEST(ServiceFile, KeepsTheFirstOfTwoValues) {
  const temporary_folder folder;
  const std::string path = folder.write("twice", "[app]\nuser=first\nuser=second\n");
  EXPECT_EQ(parse("service=app servicefile=" + path).user, "first");
}

TEST(ServiceFile, RefusesZeroBytesAndSpacesBeforeTheEqualsSign) {
  const temporary_folder folder;
  const std::string path = folder.write("services", raw("[zero]\nuser=a\0b\n[space]\nuser =u\n"));
  const auto message = [&](const std::string& service) {
    return refusal("service=" + service + " servicefile=" + path);
  };
  EXPECT_EQ(message("zero"), "service file \"" + path + "\", line 2: a zero byte is not allowed");
  EXPECT_EQ(message("space"), "service file \"" + path + "\", line 4: unknown parameter");
}

TEST(ServiceFile, OfTheHomeFolderIsNotReadWhenAnotherIsNamed) {
  const temporary_folder home;
  home.write(".pg_service.conf", "[app]\nuser=own\n");
  const std::string named = home.write("named", "[other]\nuser=named\n");
  EXPECT_EQ(conninfo::parse("service=app", with({}, home.path())).user, "own");
  EXPECT_EQ(conninfo::parse("service=other", with({{"PGSERVICEFILE", named}}, home.path())).user, "named");
  EXPECT_EQ(refusal("service=app", with({{"PGSERVICEFILE", named}}, home.path())),
            "service (connection string, byte 0) is defined in no service file");
}

}  // namespace
}  // namespace service_file_test
