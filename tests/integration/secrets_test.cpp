// Passwords are erased from memory once they are not needed any more: these tests search what a core dump would
// contain.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/crypto.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster.hpp"
#include "faces.hpp"
#include "temporary_folder.hpp"

namespace secrets_test {
namespace {

using namespace sluice::test;

// The password of traced_user, masked so that it is nowhere in one piece. The server assembles it in SQL.
constexpr std::string_view masked =
    "\x2e\x28\x6e\x39\x3f\x77\x2d\x2f\x35\x29\x77\x3e\x3f\x77\x34\x33\x37\x2a\x35\x28\x2e\x3f";
constexpr char mask = 0x5a;
// The tests search for the end of the password: an allocator may overwrite the first bytes of freed memory.
constexpr std::string_view needle = masked.substr(masked.size() - 12);

/// Builds text around the password, gives it to `use`, and overwrites it.
template <class Use>
void with_password(std::string_view before, std::string_view after, Use use) {
  std::vector<char> text;
  text.reserve(1024);
  text.insert(text.end(), before.begin(), before.end());
  for (const char c : masked) text.push_back(static_cast<char>(c ^ mask));
  text.insert(text.end(), after.begin(), after.end());
  use(std::string_view{text.data(), text.size()});
  OPENSSL_cleanse(text.data(), text.size());
}

/// How often the password's end occurs in `memory`.
int traces_in(std::string_view memory) {
  const auto same = [](char c, char m) { return c == static_cast<char>(m ^ mask); };
  int found = 0;
  for (std::size_t at = 0; (at = memory.find(static_cast<char>(needle[0] ^ mask), at)) != memory.npos; ++at) {
    const std::string_view here = memory.substr(at, needle.size());
    if (std::equal(here.begin(), here.end(), needle.begin(), needle.end(), same)) ++found;
  }
  return found;
}

/// How often the password's end occurs in this process's memory.
int traces() {
  static std::array<char, 1U << 20U> piece;
  const int memory = ::open("/proc/self/mem", O_RDONLY);
  std::ifstream maps{"/proc/self/maps"};
  int found = 0;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t from = 0;
    std::uintptr_t to = 0;
    std::array<char, 5> rights{};
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &from, &to, rights.data()) != 3 || rights[0] != 'r') continue;
    if (to - from > (1UL << 30U)) continue;  // a sanitizer's own memory
    const auto own = reinterpret_cast<std::uintptr_t>(piece.data());
    for (std::uintptr_t at = from; at < to; at += piece.size() - needle.size()) {
      if (at < own + piece.size() && at + piece.size() > own) continue;
      const ssize_t size =
          ::pread(memory, piece.data(), std::min<std::size_t>(piece.size(), to - at), static_cast<off_t>(at));
      found += traces_in({piece.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))});
    }
  }
  OPENSSL_cleanse(piece.data(), piece.size());
  ::close(memory);
  return found;
}

/// A user with the traced password, for as long as it lives.
class traced_user {
 public:
  explicit traced_user(std::string name) : name_{std::move(name)} {
    change("'tr4c' || 'e-wuos' || '-de-ni' || 'mporte'");
  }
  ~traced_user() { change("'secret'"); }
  traced_user(const traced_user&) = delete;
  traced_user& operator=(const traced_user&) = delete;

 private:
  void change(const std::string& password) const {
    psql("set password_encryption = '" + std::string{name_ == "md5_user" ? "md5" : "scram-sha-256"} +
         "'; do $$ begin execute format('alter role " + name_ + " password %L', " + password + "); end $$");
  }
  std::string name_;
};

std::string without_password(const std::string& user) {
  const std::string text = as_user(user);
  return text.substr(0, text.find(" password="));
}

TEST(Passwords, AreFoundByThisTestWhereTheyAre) {
  const int before = traces();
  with_password("", "", [&](std::string_view) { EXPECT_EQ(traces(), before + 1); });
  EXPECT_EQ(traces(), before);
}

class Traces : public testing::TestWithParam<const char*> {};

TEST_P(Traces, OfAPasswordAreGoneWithTheConnection) {
  const std::string user = GetParam();
  const traced_user traced{user};
  const std::string rest = without_password(user).substr(std::string{"host=127.0.0.1 "}.size()) + " sslmode=require";
  const int before = traces();
  with_password(" host=127.0.0.1 password=", " " + rest, [&](std::string_view text) {
    const sluice::client db{text};
    EXPECT_EQ(traces(), before + 1) << "nothing but the caller's own text, already while the session is open";
  });
  EXPECT_EQ(traces(), before);
}

INSTANTIATE_TEST_SUITE_P(Logins, Traces, testing::Values("scram_user", "md5_user", "clear_user"),
                         [](const auto& one) { return std::string{one.param}; });

TEST(Traces, OfAUriAreGoneToo) {
  const traced_user traced{"scram_user"};
  const int before = traces();
  with_password("postgresql://scram_user:", "@127.0.0.1:" + cluster_value("SLUICE_TEST_PORT") + "/sluice",
                [&](std::string_view text) { const sluice::client db{text}; });
  EXPECT_EQ(traces(), before);
}

TEST(Traces, OfThePasswordFileAreGoneToo) {
  const traced_user traced{"scram_user"};
  const temporary_folder folder;
  const std::string file = folder.path() + "/pass";
  const std::string make =
      "umask 077; { echo '*:*:*:nobody:x'; printf %s%s%s\\\\n '*:*:*:*:tr4c' e-wuos-de-ni mporte; } >" + file;
  ASSERT_EQ(std::system(make.c_str()), 0);
  const int before = traces();
  {
    const sluice::client db{without_password("scram_user") + " passfile=" + file};
  }
  EXPECT_EQ(traces(), before);
}

TEST(Traces, OfAPasswordThatIsWrongAreGoneToo) {
  const int before = traces();
  with_password(without_password("scram_user") + " password=", "",
                [&](std::string_view text) { EXPECT_THROW((void)sluice::client{text}, sluice::error); });
  EXPECT_EQ(traces(), before);
}

}  // namespace
}  // namespace secrets_test
