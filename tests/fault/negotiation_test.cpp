// What a client tries, in which order, and where it stops: each sslmode with each kind of server, and each
// authentication setting with each method that a server may request. The tests compare traces, not only outcomes, so
// that a useless retry shows, and a password sent to a server that must not get it.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <optional>
#include <ostream>
#include <sluice/sluice.hpp>
#include <string>
#include <string_view>

#include "bytes.hpp"
#include "tls_server.hpp"

namespace negotiation_test {
namespace {

using namespace sluice::test;
using namespace std::string_view_literals;

/// What the client sent on each connection, in order, with " / " between connections.
class trace {
 public:
  void begin() { add(words_.empty() ? "" : " / "); }
  void say(std::string_view word) { add(words_.empty() || words_.ends_with(' ') ? "" : " ", word); }
  [[nodiscard]] std::string words() const {
    const std::lock_guard hold{mutex_};
    return words_;
  }

 private:
  void add(std::string_view before, std::string_view word = {}) {
    const std::lock_guard hold{mutex_};
    words_.append(before).append(word);
  }

  mutable std::mutex mutex_;
  std::string words_;
};

enum class tls : std::uint8_t { none, good, broken, error };
enum class entry : std::uint8_t { any, only_in_tls, only_in_plain, nobody };

/// How a server behaves.
struct behaviour {
  const char* name;
  tls secures;
  entry lets_in;
};
constexpr std::array servers{
    behaviour{"without TLS", tls::none, entry::any},
    behaviour{"with TLS", tls::good, entry::any},
    behaviour{"that wants TLS", tls::good, entry::only_in_tls},
    behaviour{"that wants no TLS", tls::good, entry::only_in_plain},
    behaviour{"with broken TLS", tls::broken, entry::any},
    behaviour{"that answers with an error", tls::error, entry::any},
    behaviour{"that wants nobody", tls::good, entry::nobody},
};

constexpr std::string_view ssl_request{"\x04\xd2\x16\x2f"};

backend welcome() { return backend{}.authentication_ok().backend_key_data(1, "key!").ready_for_query(); }
std::string refusal() { return backend{}.error("28000", "no entry", "FATAL").bytes; }

/// One connection to a server with that behaviour.
class meeting {
 public:
  meeting(const behaviour& ways, const tls_identity& identity, trace& seen)
      : ways_{ways}, identity_{identity}, seen_{seen} {}

  void operator()(const server_end& client) const {
    seen_.begin();
    const std::string first = client.peek();
    if (first.starts_with('\x16')) {
      seen_.say("ClientHello");
      if (ways_.secures == tls::good) in_tls(client);
    } else if (first.substr(std::min<std::size_t>(first.size(), 4)) == ssl_request) {
      (void)client.receive();
      seen_.say("SSLRequest");
      answer_request(client);
    } else if (!first.empty()) {
      in_plain(client);
    }
  }

 private:
  void answer_request(const server_end& client) const {
    switch (ways_.secures) {
      case tls::none: client.send("N"); return in_plain(client);
      case tls::good: client.send("S"); return in_tls(client);
      case tls::broken:
        client.send("S");
        (void)client.receive();
        client.send("no handshake");
        return client.receive_all();
      case tls::error: client.send(refusal()); return client.receive_all();
    }
  }
  void in_plain(const server_end& client) const {
    if (client.receive().empty()) return;
    seen_.say("StartupMessage");
    client.send(ways_.lets_in == entry::any || ways_.lets_in == entry::only_in_plain ? welcome().bytes : refusal());
    client.receive_all();
  }
  void in_tls(const server_end& client) const {
    const tls_end secured{client, identity_};
    if (secured.receive().empty()) return;
    seen_.say("TLS StartupMessage");
    secured.send(ways_.lets_in == entry::any || ways_.lets_in == entry::only_in_tls ? welcome().bytes : refusal());
    while (!secured.receive().empty()) {
    }
  }

  behaviour ways_;
  const tls_identity& identity_;
  trace& seen_;
};

/// "in", "in, in TLS", or the kind of the error.
std::string come_in(const std::string& conninfo) {
  try {
    const sluice::client db{conninfo};
    return db.tls_version().empty() ? "in" : "in, in TLS";
  } catch (const sluice::error& e) {
    return std::string{to_string(e.kind())};
  }
}

/// The expected trace and outcome with each of the servers.
struct tls_row {
  const char* options;
  std::array<std::string_view, servers.size()> expected;
};
std::ostream& operator<<(std::ostream& out, const tls_row& row) { return out << row.options; }

class TlsNegotiation : public testing::TestWithParam<tls_row> {};

TEST_P(TlsNegotiation, TriesWhatTheModeAllowsAndNoMore) {
  const tls_identity identity;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    trace seen;
    std::string end;
    {
      const meeting meet{servers[i], identity, seen};
      const listener server{std::vector<listener::conversation>(3, meet), listener::kind::tcp};
      end = come_in(server.dsn() + " connect_timeout=5 sslrootcert=" + identity.root() + " " + GetParam().options);
    }
    EXPECT_EQ(seen.words() + ": " + end, GetParam().expected[i]) << "a server " << servers[i].name;
  }
}

constexpr auto plain_in = "StartupMessage: in"sv;
constexpr auto none_in = "SSLRequest StartupMessage: in"sv;
constexpr auto tls_in = "SSLRequest TLS StartupMessage: in, in TLS"sv;
constexpr auto no_tls = "SSLRequest: tls"sv;
constexpr auto tls_refused = "SSLRequest TLS StartupMessage: auth"sv;

INSTANTIATE_TEST_SUITE_P(
    Of, TlsNegotiation,
    testing::Values(tls_row{"sslmode=disable",
                            {plain_in, plain_in, "StartupMessage: auth", plain_in, plain_in, plain_in,
                             "StartupMessage: auth"}},
                    tls_row{"sslmode=allow",
                            {plain_in, plain_in, "StartupMessage / SSLRequest TLS StartupMessage: in, in TLS", plain_in,
                             plain_in, plain_in, "StartupMessage / SSLRequest TLS StartupMessage: auth"}},
                    tls_row{"sslmode=prefer",
                            {none_in, tls_in, tls_in, "SSLRequest TLS StartupMessage / StartupMessage: in", no_tls,
                             no_tls, "SSLRequest TLS StartupMessage / StartupMessage: auth"}},
                    tls_row{"sslmode=require", {no_tls, tls_in, tls_in, tls_refused, no_tls, no_tls, tls_refused}},
                    tls_row{"sslmode=verify-ca", {no_tls, tls_in, tls_in, tls_refused, no_tls, no_tls, tls_refused}},
                    tls_row{"sslmode=verify-full", {no_tls, tls_in, tls_in, tls_refused, no_tls, no_tls, tls_refused}},
                    tls_row{"sslmode=verify-full sslrootcert=/nowhere",
                            {": tls", ": tls", ": tls", ": tls", ": tls", ": tls", ": tls"}},
                    tls_row{"sslmode=require sslnegotiation=direct",
                            {"ClientHello: tls", "ClientHello TLS StartupMessage: in, in TLS",
                             "ClientHello TLS StartupMessage: in, in TLS", "ClientHello TLS StartupMessage: auth",
                             "ClientHello: tls", "ClientHello: tls", "ClientHello TLS StartupMessage: auth"}}));

/// An authentication request, sent after the StartupMessage.
struct method {
  const char* name;
  backend request;
};
const std::array methods{
    method{"nothing", welcome()},
    method{"a password in clear text", backend{}.authentication(3)},
    method{"MD5", backend{}.authentication(5, "salt")},
    method{"SCRAM", backend{}.authentication(10, raw("SCRAM-SHA-256\0\0"))},
    method{"SCRAM with channel binding", backend{}.authentication(10, raw("SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"))},
};

/// A PasswordMessage or SASLInitialResponse in a word; for SCRAM, the mechanism and the channel binding flag.
std::string word_of(const std::string& answer) {
  if (answer.empty()) return "-";
  const std::string body = answer.substr(std::min<std::size_t>(answer.size(), 5));
  if (body.starts_with("SCRAM-")) {
    const std::size_t name_end = body.find('\0');
    const std::string said = body.substr(std::min(body.size(), name_end + 5));
    return body.substr(0, name_end) + " " + said.substr(0, said.find(','));
  }
  return body.starts_with("md5") ? "md5" : "password";
}

struct auth_row {
  const char* options;
  std::array<std::string_view, methods.size()> expected;
};
std::ostream& operator<<(std::ostream& out, const auth_row& row) { return out << row.options; }

class AuthNegotiation : public testing::TestWithParam<auth_row> {};

TEST_P(AuthNegotiation, AnswersWhatMayBeAnsweredOnce) {
  const tls_identity identity;
  const bool is_secured = std::string_view{GetParam().options}.starts_with("sslmode=require");
  for (std::size_t i = 0; i < methods.size(); ++i) {
    trace seen;
    const auto ask = [&](const auto& client) {
      (void)client.receive();
      client.send(methods[i].request.bytes);
      const std::string answer = client.receive();
      seen.begin();
      seen.say(answer.starts_with('p') ? word_of(answer) : "-");
      if (answer.starts_with('p')) client.send(backend{}.error("28P01", "no", "FATAL").bytes);
    };
    std::string end;
    {
      const auto meet = [&](const server_end& client) {
        if (!is_secured) return ask(client);
        (void)client.receive();
        client.send("S");
        const tls_end secured{client, identity};
        ask(secured);
      };
      const listener server{std::vector<listener::conversation>(3, meet), listener::kind::tcp};
      end = come_in(server.dsn() + " connect_timeout=5 password=pencil " + GetParam().options);
    }
    EXPECT_EQ(seen.words() + ": " + end, GetParam().expected[i]) << "a server that asks for " << methods[i].name;
  }
}

constexpr auto nothing_said = "-: auth"sv;
constexpr auto against_the_rules = "-: protocol"sv;  // channel binding without TLS

INSTANTIATE_TEST_SUITE_P(
    Of, AuthNegotiation,
    testing::Values(
        auth_row{"sslmode=disable", {"-: in", nothing_said, "md5: auth", "SCRAM-SHA-256 n: auth", against_the_rules}},
        auth_row{"sslmode=disable require_auth=none",
                 {"-: in", nothing_said, nothing_said, nothing_said, nothing_said}},
        auth_row{"sslmode=disable require_auth=md5",
                 {nothing_said, nothing_said, "md5: auth", nothing_said, nothing_said}},
        auth_row{"sslmode=disable require_auth=scram-sha-256",
                 {nothing_said, nothing_said, nothing_said, "SCRAM-SHA-256 n: auth", against_the_rules}},
        auth_row{"sslmode=disable require_auth=!md5,!password",
                 {"-: in", nothing_said, nothing_said, "SCRAM-SHA-256 n: auth", against_the_rules}},
        auth_row{"sslmode=require",
                 {"-: in, in TLS", "password: auth", "md5: auth", "SCRAM-SHA-256 y: auth",
                  "SCRAM-SHA-256-PLUS p=tls-server-end-point: auth"}},
        auth_row{"sslmode=require channel_binding=disable",
                 {"-: in, in TLS", "password: auth", "md5: auth", "SCRAM-SHA-256 n: auth", "SCRAM-SHA-256 n: auth"}},
        auth_row{"sslmode=require channel_binding=require",
                 {nothing_said, nothing_said, nothing_said, nothing_said,
                  "SCRAM-SHA-256-PLUS p=tls-server-end-point: auth"}},
        auth_row{"sslmode=require require_auth=password",
                 {nothing_said, "password: auth", nothing_said, nothing_said, nothing_said}},
        auth_row{"sslmode=require require_auth=scram-sha-256 channel_binding=require",
                 {nothing_said, nothing_said, nothing_said, nothing_said,
                  "SCRAM-SHA-256-PLUS p=tls-server-end-point: auth"}}));

}  // namespace
}  // namespace negotiation_test
