// Password files: which line is for a host, and which files are not read.
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>

#include "bytes.hpp"
#include "connection_strings.hpp"
#include "temporary_folder.hpp"

namespace password_file_test {
namespace {

using sluice::conninfo;
using sluice::password_for;
using sluice::test::parse;
using sluice::test::raw;
using sluice::test::temporary_folder;
using sluice::test::with;

std::string password_of(const conninfo& info, std::size_t index = 0) {
  const std::optional<sluice::secret> found = password_for(info, info.hosts.at(index));
  return found ? std::string{found->view()} : "none";
}

TEST(PasswordFile, ThatIsTooLongIsRefused) {
  const temporary_folder folder;
  const std::string file = folder.write("long", std::string(1U << 20U, '\n') + "h:*:*:*:secret\n");
  const conninfo info = parse("host=h passfile=" + file);
  try {
    (void)password_for(info, info.hosts[0]);
    ADD_FAILURE() << "read";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), sluice::errc::bad_conninfo);
    EXPECT_NE(std::string{e.what()}.find("is longer than 1 MiB"), std::string::npos) << e.what();
  }
}

TEST(PasswordFile, IsAskedForEachHost) {
  const temporary_folder home;
  home.write(".pgpass",
             "# a:*:*:*:comment\n"
             "a:1:db:u:first\n"
             "a:*:*:*:second\r\n"
             "\\:\\:1:*:*:*:co\\:lon:more\n"
             "10.0.0.1:*:*:*:address\n"
             "b:*:*:u:\n"
             "*:*:*:nobody:*\n");
  const auto environment = with({}, home.path());
  const conninfo info = conninfo::parse("host=a,a,::1,b,c port=1,2,3,4,5 user=u dbname=db", environment);
  EXPECT_EQ(password_of(info, 0), "first");
  EXPECT_EQ(password_of(info, 1), "second");
  EXPECT_EQ(password_of(info, 2), "co:lon");
  EXPECT_EQ(password_of(info, 3), "");
  EXPECT_EQ(password_of(info, 4), "none");
  EXPECT_EQ(password_of(conninfo::parse("hostaddr=10.0.0.1", environment)), "address");
  EXPECT_EQ(password_of(conninfo::parse("host=a password=given", environment)), "given");
  EXPECT_EQ(password_of(conninfo::parse("host=a passfile=/nonexistent/f", environment)), "none");
}

TEST(PasswordFile, NoticesThatItChanged) {
  const temporary_folder home;
  const auto environment = with({}, home.path());
  const conninfo info = conninfo::parse("host=a", environment);
  EXPECT_EQ(password_of(info), "none");
  home.write(".pgpass", "a:*:*:*:new");
  EXPECT_EQ(password_of(info), "new");
}

TEST(PasswordFile, IsIgnoredWithAWarningWhenOthersMayUseIt) {
  const temporary_folder home;
  for (const unsigned mode : {0640U, 0604U, 0620U, 0610U}) {
    const std::string path = home.write(".pgpass", "*:*:*:*:pw\n", std::filesystem::perms{mode});
    const conninfo info = conninfo::parse("host=a", with({}, home.path()));
    ASSERT_EQ(info.warnings.size(), 1U) << std::oct << mode;
    EXPECT_NE(info.warnings[0].find(path), std::string::npos);
    EXPECT_EQ(password_of(info), "none");
    EXPECT_TRUE(conninfo::parse("host=a password=x", with({}, home.path())).warnings.empty()) << "it is not needed";
  }
  home.write(".pgpass", "*:*:*:*:pw\n");
  const conninfo safe = conninfo::parse("host=a", with({}, home.path()));
  EXPECT_TRUE(safe.warnings.empty());
  EXPECT_EQ(password_of(safe), "pw");
}

TEST(PasswordFile, IsIgnoredWithAWarningWhenItIsNoPlainFile) {
  const temporary_folder home;
  const conninfo info = conninfo::parse("host=a passfile=" + home.path(), with());
  ASSERT_EQ(info.warnings.size(), 1U);
  EXPECT_NE(info.warnings[0].find("not a plain file"), std::string::npos);
  EXPECT_EQ(password_of(info), "none");
}

/// The password of user u of database d at h:5432, from a file with this text.
std::string from_file(const std::string& text) {
  const temporary_folder folder;
  return password_of(parse("host=h user=u dbname=d passfile=" + folder.write("pw", text)));
}

TEST(PasswordFile, IsReadFieldByField) {
  EXPECT_EQ(from_file("h:5432:d:u:pw"), "pw");
  EXPECT_EQ(from_file("h:5432:d:u:pw:more"), "pw") << "what follows another colon is ignored";
  EXPECT_EQ(from_file("h:5432:d:u:a\\:b\\\\c\\"), "a:b\\c\\") << "the last backslash escapes nothing";
  EXPECT_EQ(from_file("h:5432:d:u: p w "), " p w ");
  EXPECT_EQ(from_file("\\h:5432:d:u:pw"), "pw");
  EXPECT_EQ(from_file("h:5432:d:u:pw\r\r\n"), "pw");
  EXPECT_EQ(from_file("h:5432:d:u:*"), "*");
}

TEST(PasswordFile, HasNothingForOthers) {
  for (const char* const line :
       {"", ":", "h", "h:5432:d:u", "h:5433:d:u:pw", "H:5432:d:u:pw", "h:5432:d:v:pw", " h:5432:d:u:pw",
        "#h:5432:d:u:pw", "**:5432:d:u:pw", "\\*:5432:d:u:pw", "h::d:u:pw", "h:05432:d:u:pw"})
    EXPECT_EQ(from_file(line), "none") << line;
  EXPECT_EQ(from_file(raw("h:5432:d:u:p\0w\n")), "none") << "a line with a zero byte is none";
  EXPECT_EQ(from_file(raw("h:5432:d:u:p\0w\nh:*:*:*:next")), "next");
}

TEST(PasswordFile, CallsTheDefaultSocketFolderLocalhost) {
  const temporary_folder folder;
  const std::string file = folder.write("pw", "localhost:*:*:*:local\n/tmp/else:*:*:*:folder\n");
  EXPECT_EQ(password_of(conninfo::parse("host=/var/run/postgresql passfile=" + file, with())), "local");
  EXPECT_EQ(password_of(parse("host=localhost passfile=" + file)), "local");
  EXPECT_EQ(password_of(parse("host=/tmp/else passfile=" + file)), "folder");
}

}  // namespace
}  // namespace password_file_test
