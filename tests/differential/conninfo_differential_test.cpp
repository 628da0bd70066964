// Compares our parser of connection strings with libpq's. Both accept a string with the same meaning or both refuse it;
// `exceptions` lists the intended differences.

#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <sluice/wire/conninfo.hpp>
#include <sluice/wire/error.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "conninfo/conninfo_settings.hpp"
#include "temporary_folder.hpp"

namespace {

using sluice::conninfo;
using values = std::map<std::string, std::string>;
using options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

values given_in(const PQconninfoOption* from) {
  values given;
  for (; from->keyword != nullptr; ++from)
    if (from->val != nullptr) given[from->keyword] = from->val;
  return given;
}

/// What libpq reads, or nullopt if it refuses the text.
std::optional<values> libpq_reads(const std::string& text) {
  char* message = nullptr;
  const options read{PQconninfoParse(text.c_str(), &message), PQconninfoFree};
  PQfreemem(message);
  return read ? std::optional{given_in(read.get())} : std::nullopt;
}

std::optional<values> we_read(const std::string& text) {
  try {
    values given;
    for (const auto& [name, value] : sluice::wire::parse_text(text)) given[std::string{name}] = value.value;
    return given;
  } catch (const sluice::error&) {
    return std::nullopt;
  }
}

std::string our_refusal(std::string_view text) {
  try {
    static_cast<void>(sluice::wire::parse_text(text));
    return {};
  } catch (const sluice::error& refused) {
    return refused.what();
  }
}

struct exception {
  const char* why;
  bool (*applies)(std::string_view text);
};
const std::array exceptions{
    exception{"white space in a URI: trimmed or refused, as libpq does since version 18",
              [](std::string_view text) {
                return sluice::wire::is_uri(text) && std::ranges::any_of(text, sluice::wire::is_space);
              }},
    exception{"an '@' in a URI's hosts or database: refused, it may be the end of a password",
              [](std::string_view text) {
                return text.find('@') != text.npos && our_refusal(text).find("a stray '@'") != std::string::npos;
              }},
    exception{"requiressl with another value than 0 or 1: refused, not taken for \"prefer\"",
              [](std::string_view text) { return our_refusal(text).starts_with("requiressl "); }},
};
bool is_exception(std::string_view text) {
  return std::ranges::any_of(exceptions, [&](const exception& each) { return each.applies(text); });
}

/// A seeded generator that gives the same numbers on every platform.
class dice {
 public:
  explicit dice(unsigned seed) : engine_{seed} {}
  std::size_t below(std::size_t count) { return engine_() % count; }
  bool one_in(std::size_t count) { return below(count) == 0; }
  template <class List>
  auto of(const List& list) {
    return *std::next(std::begin(list), static_cast<std::ptrdiff_t>(below(std::size(list))));
  }

 private:
  std::mt19937 engine_;
};

std::vector<std::string> libpq_keys() {
  const options defaults{PQconndefaults(), PQconninfoFree};
  std::vector<std::string> keys{"requiressl", "requiressl"};
  for (const PQconninfoOption* each = defaults.get(); each->keyword != nullptr; ++each)
    keys.emplace_back(each->keyword);
  return keys;
}

class grammar {
 public:
  explicit grammar(unsigned seed) : dice_{seed} {}

  std::string next() {
    std::string text = dice_.one_in(2) ? uri() : keyvalue();
    for (std::size_t changes = dice_.one_in(2) ? dice_.below(4) : 0; changes > 0; --changes) mutate(text);
    return text;
  }

 private:
  std::string key() { return dice_.one_in(30) ? "nokey" : dice_.of(keys_); }

  std::string keyvalue() {
    static constexpr std::array spaces{"", "", "", " ", "  ", "\t", "\n"};
    static constexpr std::array plain{"a",    "5432", "a,b", "::1", "/tmp", "\\ ",
                                      "\\\\", "\\'",  "=",   "%41", "1",    "\xc3\xa9"};
    static constexpr std::array quoted{" ", "\\'", "\\\\", "=", "b c", "''", "\\x", ""};
    std::string text = dice_.of(spaces);
    for (std::size_t pairs = dice_.below(5); pairs > 0; --pairs) {
      text += key() + dice_.of(spaces) + "=" + dice_.of(spaces);
      std::string value;
      const bool in_quotes = dice_.one_in(3);
      for (std::size_t pieces = dice_.below(4); pieces > 0; --pieces)
        value += in_quotes && dice_.one_in(2) ? dice_.of(quoted) : dice_.of(plain);
      text += in_quotes ? "'" + value + "'" : value;
      text += dice_.one_in(8) ? "" : " ";
    }
    return text;
  }

  std::string word() {
    static constexpr std::array pieces{"a",   "bob", "%41", "%2F", "%2f", "%3A", "%40", "%25", "-",
                                       "5.1", "1",   "+",   ";",   "#",   "~",   "%",   "%0",  "%00"};
    std::string text;
    for (std::size_t count = dice_.below(4); count > 0; --count)
      text += pieces[dice_.below(dice_.one_in(12) ? pieces.size() : pieces.size() - 3)];
    return text;
  }

  std::string uri() {
    static constexpr std::array hosts{"", "h", "[::1]", "[fe80::1%25eth0]", "10.0.0.1", "%2Ftmp", "[", "[]", "[::1]x"};
    std::string text = dice_.one_in(2) ? "postgresql://" : "postgres://";
    if (dice_.one_in(2)) text += word() + (dice_.one_in(2) ? ":" + word() : "") + "@";
    for (bool more = true; more;) {
      text += dice_.one_in(3) ? word() : hosts[dice_.below(dice_.one_in(12) ? hosts.size() : hosts.size() - 3)];
      if (dice_.one_in(3)) text += ":" + std::string{dice_.one_in(2) ? "5433" : ""};
      more = dice_.one_in(4);
      if (more) text += ",";
    }
    if (dice_.one_in(2)) text += "/" + word();
    if (dice_.one_in(2)) text += "?";
    for (std::size_t pairs = text.ends_with('?') ? dice_.below(4) : 0; pairs > 0; --pairs) {
      text += dice_.one_in(8) ? "ssl=true" : key() + "=" + word();
      if (pairs > 1 || dice_.one_in(6)) text += "&";
    }
    return text;
  }

  void mutate(std::string& text) {
    static constexpr std::string_view alphabet{"%@:/?&=,[]'\\ \ta0A#\xff"};
    const std::size_t at = dice_.below(text.size() + 1);
    switch (dice_.below(4)) {
      case 0: text.insert(at, 1, dice_.of(alphabet)); break;
      case 1: text.erase(at, 1); break;
      case 2: text.resize(dice_.one_in(3) ? at : text.size()); break;
      default:
        if (at < text.size()) text[at] = dice_.of(alphabet);
    }
  }

  dice dice_;
  std::vector<std::string> keys_ = libpq_keys();
};

TEST(KnownKeys, AreThoseOfLibpqWithTheirVariables) {
  const options defaults{PQconndefaults(), PQconninfoFree};
  for (const PQconninfoOption* each = defaults.get(); each->keyword != nullptr; ++each) {
    const sluice::wire::known_key* const ours = sluice::wire::find_key(each->keyword);
    ASSERT_NE(ours, nullptr) << each->keyword;
    EXPECT_EQ(ours->variable, each->envvar != nullptr ? each->envvar : "") << each->keyword;
  }
}

TEST(ConnectionString, ReadsAsLibpqReadsIt) {
  grammar strings{20240607};
  std::size_t accepted = 0;
  std::size_t refused = 0;
  std::size_t excepted = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::string text = strings.next();
    if (is_exception(text)) {
      ++excepted;
      continue;
    }
    const auto theirs = libpq_reads(text);
    ASSERT_EQ(we_read(text), theirs) << "string " << i << ": " << testing::PrintToString(text);
    ++(theirs ? accepted : refused);
  }
  EXPECT_GT(accepted, 5000U) << "the grammar makes too little that is valid";
  EXPECT_GT(refused, 1500U) << "the grammar makes too little that is not";
  EXPECT_LT(excepted, 5000U) << "the exceptions swallow too much";
}

/// The parameters after all defaults are applied. libpq reports them even for a connection that cannot succeed.
struct resolved {
  bool accepted{};
  std::string user, database, host, port, password, sslmode;
  friend bool operator==(const resolved&, const resolved&) = default;
  friend std::ostream& operator<<(std::ostream& out, const resolved& r) {
    return out << (r.accepted ? "accepted " : "refused ") << r.user << '|' << r.database << '|' << r.host << '|'
               << r.port << '|' << r.password << '|' << r.sslmode;
  }
};

resolved libpq_resolves(const std::string& text, std::string& message) {
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection{PQconnectStart(text.c_str()), PQfinish};
  message = PQerrorMessage(connection.get());
  if (message.find("connection to server") != 0 || message.find("invalid port number") != message.npos) return {};
  const options all{PQconninfo(connection.get()), PQconninfoFree};
  const std::string port = PQport(connection.get());  // as written, with its spaces and sign
  return {true,
          PQuser(connection.get()),
          PQdb(connection.get()),
          PQhost(connection.get()),
          port.empty() ? "5432" : std::to_string(std::stoi(port)),
          PQpass(connection.get()),
          given_in(all.get())["sslmode"]};
}

resolved we_resolve(const std::string& text, std::string& message) {
  try {
    const conninfo info = conninfo::parse(text);
    const conninfo::host& last = info.hosts.back();  // libpq reports the last host that it tried
    const sluice::secret password = sluice::password_for(info, last).value_or("");
    static constexpr std::array modes{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"};
    const char* const sslmode = modes.at(static_cast<std::size_t>(info.sslmode));
    return {true,   info.user, info.database, last.name, std::to_string(last.port), std::string{password.view()},
            sslmode};
  } catch (const sluice::error& refused) {
    message = refused.what();
    return {};
  }
}

/// Parameters that lead only to Unix sockets that do not exist, so that the result depends on no server and no
/// resolver.
class resolution_grammar {
 public:
  explicit resolution_grammar(unsigned seed) : dice_{seed} {}

  values next() {
    struct choices {
      const char* key;
      std::vector<const char*> good, bad;
    };
    static const std::vector<choices> all{
        {"port",
         {"1", "2", " 3 ", "+4", "", "1,1", "1,2", "1,2,3", ",5"},
         {"0", "65536", "x", "-1", "99999999999", "1x"}},
        {"user", {"alice", "bob", ""}, {}},
        {"dbname", {"app", "other", ""}, {}},
        {"password", {"pw", ""}, {}},
        {"sslmode", {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}, {"", "Require", "no"}},
        {"channel_binding", {"disable", "prefer"}, {"", "yes"}},
        {"target_session_attrs",
         {"any", "read-write", "read-only", "primary", "standby", "prefer-standby"},
         {"", "master"}},
        {"gssencmode", {"disable", "prefer"}, {"", "on"}},
        {"ssl_min_protocol_version", {"", "TLSv1", "TLSv1.2", "tlsV1.3"}, {"SSLv3", "1.2"}},
        {"ssl_max_protocol_version", {"", "TLSv1.2", "TLSv1.3", "TLSv1.1"}, {"TLSv1.4"}},
        {"service", {"one", "two"}, {"none", "broken", "nested", "unknown"}},
    };
    values made;
    made["host"] = dice_.of(hosts_);
    for (const auto& [key, good, bad] : all)
      if (dice_.one_in(4)) made[key] = bad.empty() || !dice_.one_in(8) ? dice_.of(good) : dice_.of(bad);
    return made;
  }
  /// Sets some of the parameters in environment variables and the rest in the string.
  std::string spread(const values& made) {
    for (const sluice::wire::known_key& key : sluice::wire::all_keys())
      if (!key.variable.empty()) unsetenv(std::string{key.variable}.c_str());
    std::string text;
    for (const auto& [name, value] : made) {
      const std::string variable{sluice::wire::find_key(name)->variable};
      if (!variable.empty() && dice_.one_in(3)) {
        setenv(variable.c_str(), value.c_str(), 1);
      } else {
        text += name;
        text += "='" + value + "' ";
      }
    }
    if (dice_.one_in(20)) setenv("PGREQUIRESSL", dice_.one_in(2) ? "1" : "0", 1);
    if (dice_.one_in(4)) setenv("PGUSER", "carol", 1);
    if (dice_.one_in(4)) setenv("PGPORT", "7", 1);
    return text;
  }

 private:
  const std::vector<const char*> hosts_{"/nonexistent/a", "/nonexistent/a,/nonexistent/b",
                                        "/nonexistent/b,/nonexistent/a", "@sluice-nobody-listens"};
  dice dice_;
};

TEST(ConnectionString, ResolvesAsLibpqResolvesIt) {
  const sluice::test::temporary_folder home;
  const sluice::test::temporary_folder system;
  home.write(".pgpass",
             "# comment\n"
             "/nonexistent/a:1:app:alice\n"
             "/nonexistent/a:1:app:alice:exact\n"
             "/nonexistent/a:*:*:bob:bob\\:s \\\\ secret:rest is not read\r\n"
             "*:*:other:*:other\n"
             "/nonexistent/b:2:\\app:*:escaped\n"
             "short:line\n"
             "@sluice-nobody-listens:*:*:*:abstract\n"
             "*:5432:*:carol:carol\n");
  home.write(".pg_service.conf",
             "# comment\n  \n[one]\nuser=served\nport=9\nport=10\n  dbname=served db \n\n[one]\npassword=never\n"
             "[broken]\nnoequals\n[nested]\nservice=one\n[unknown]\nnokey=1\n");
  system.write("pg_service.conf", "[one]\nuser=shadowed\n[two]\nhost=/nonexistent/two\nsslmode=require\n");
  ASSERT_EQ(setenv("HOME", home.path().c_str(), 1), 0);
  ASSERT_EQ(setenv("PGSYSCONFDIR", system.path().c_str(), 1), 0);

  resolution_grammar strings{42};
  std::size_t accepted = 0;
  constexpr std::size_t count = 8000;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string text = strings.spread(strings.next());
    std::string their_message;
    std::string our_message;
    const resolved theirs = libpq_resolves(text, their_message);
    ASSERT_EQ(we_resolve(text, our_message), theirs)
        << "string " << i << ": " << text << "\nlibpq: " << their_message << "\nwe: " << our_message;
    accepted += theirs.accepted ? 1 : 0;
  }
  EXPECT_GT(accepted, count / 4);
  EXPECT_LT(accepted, count * 3 / 4);
}

}  // namespace
