// Servers, and those in between, that do with GSSAPI what they should not; programs that do not wait for a KDC.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include <sluice/proto/byte_order.hpp>

#include "asking.hpp"
#include "bytes.hpp"
#include "cluster.hpp"
#include "faces.hpp"
#include "gss_acceptor.hpp"
#include "kerberos.hpp"
#include "listener.hpp"
#include "silent_kdc.hpp"
#include "temporary_folder.hpp"

namespace gss_hostile_test {
namespace {

using namespace sluice::test;
using sluice::condition;
using sluice::errc;
using sluice::sql;

const std::string gss_request = be32(8) + be16(1234) + be16(5680);

/// Without a user.
std::string at(const listener& server) {
  const std::string dsn = server.dsn();
  const std::size_t port = dsn.find(" port=");
  return "host=localhost hostaddr=127.0.0.1" + dsn.substr(port, dsn.find(" user=") - port) + " ";
}

std::string failure_of(const outcome& seen) { return seen.failure ? seen.failure->what() : "no failure"; }
std::error_code code_of(const outcome& seen) { return seen.failure ? seen.failure->code() : std::error_code{}; }
bool has(std::string_view text, std::string_view words) { return text.find(words) != std::string_view::npos; }

/// What comes of connecting to a server that plays these conversations, which are over afterwards.
outcome ask(std::vector<listener::conversation> conversations, const std::string& options) {
  const listener server{std::move(conversations), listener::kind::tcp};
  return blocking_face::ask(at(server) + "user=me dbname=app connect_timeout=20 " + options,
                            sql("select to_json(1)").as_document());
}

/// The token in a packet, or in a message, which has a type in front.
std::string received_token(const server_end& client, bool is_message) {
  std::string bytes;
  const std::size_t before = is_message ? 1 : 0;
  std::size_t wanted = before + 4;
  while (bytes.size() < wanted) {
    const std::string more = client.receive();
    if (more.empty()) return {};
    bytes += more;
    if (bytes.size() < before + 4) continue;
    const auto length = sluice::proto::load_big<std::uint32_t>(as_bytes(bytes).data() + before);
    wanted = before + (is_message ? 0 : 4) + length;
  }
  return bytes.substr(before + 4);
}

/// A server that has the key.
class GssServer : public testing::Test {
 protected:
  const changed_variable keytab{"KRB5_KTNAME", kerberos_file("server.keytab")};
  const changed_variable no_replay_cache{"KRB5RCACHENAME", "none:"};
  const ticket mine;
};

struct late_lie {
  const char* name;
  std::function<std::string(acceptor&, const std::string& token)> bytes;  // from its token on
  std::error_code code;
  const char* says;
};

/// The handshake is honest, and somebody takes over afterwards.
TEST_F(GssServer, IsBelievedOnlyWhatItEncrypts) {
  const std::string greeting = backend{}.authentication_ok().backend_key_data(1, "key!").ready_for_query().bytes;
  const std::string fatal = backend{}.error("XX000", "believe me", "FATAL").bytes;
  const std::vector<late_lie> lies{
      {"nothing but the truth",
       [&](acceptor& other, const std::string& token) {
         return packet(token) + packet(other.wrapped(backend{}.error("3D000", "the truth", "FATAL").bytes));
       },
       errc::server_error, "the truth"},
      {"an error in plain", [&](acceptor&, const std::string& token) { return packet(token) + fatal; },
       errc::tls_failed, "not encrypted by GSSAPI"},
      {"a session in plain", [&](acceptor&, const std::string& token) { return packet(token) + greeting; },
       errc::tls_failed, "not encrypted by GSSAPI"},
      {"an error in plain, in a packet",
       [&](acceptor&, const std::string& token) { return packet(token) + packet(fatal); }, errc::tls_failed,
       "cannot decrypt"},
      {"the token once more", [&](acceptor&, const std::string& token) { return packet(token) + packet(token); },
       errc::tls_failed, "cannot decrypt"},
      {"an error that is only signed",
       [&](acceptor& other, const std::string& token) { return packet(token) + packet(other.wrapped(fatal, false)); },
       errc::tls_failed, "not encrypted"},
      {"packets without content, and the end",
       [&](acceptor& other, const std::string& token) {
         std::string all = packet(token);
         for (int i = 0; i < 10'000; ++i) all += packet(other.wrapped(""));
         return all;
       },
       errc::connection_lost, "closed the connection"},
      {"a part of a packet, and the end",
       [&](acceptor& other, const std::string& token) {
         const std::string whole = packet(other.wrapped(greeting));
         return packet(token) + whole.substr(0, whole.size() - 1);
       },
       errc::connection_lost, "closed the connection"}};
  for (const late_lie& lie : lies) {
    SCOPED_TRACE(lie.name);
    const outcome seen = ask({[&](const server_end& client) {
                               (void)client.receive();
                               client.send("G");
                               acceptor other;
                               const std::string first = received_token(client, false);
                               const std::string token = other.accept(as_bytes(first));
                               client.send(lie.bytes(other, token));
                               client.finish();
                               client.receive_all();
                             }},
                             "gssencmode=require sslmode=disable");
    EXPECT_EQ(code_of(seen), lie.code) << failure_of(seen);
    EXPECT_TRUE(has(failure_of(seen), lie.says)) << failure_of(seen);
    EXPECT_FALSE(has(failure_of(seen), "believe me")) << failure_of(seen);
  }
}

struct login_lie {
  const char* name;
  std::string answer;  // to the client's token
  std::error_code code;
};

/// A login without encryption: the server asks for GSSAPI, and has to prove itself.
TEST_F(GssServer, HasToProveItselfInALogin) {
  const auto more = [](std::string_view token) { return backend{}.authentication(8, token).bytes; };
  const std::string welcome = backend{}.authentication_ok().backend_key_data(1, "key!").ready_for_query().bytes;
  const std::vector<login_lie> lies{{"no token", more("") + welcome, errc::auth_proof},
                                    {"no token of GSSAPI", more("token") + welcome, errc::auth_proof},
                                    {"an end without a token", welcome, errc::auth_proof},
                                    {"another beginning", backend{}.authentication(7).bytes, errc::protocol_violation}};
  for (const login_lie& lie : lies) {
    SCOPED_TRACE(lie.name);
    const outcome seen = ask({[&](const server_end& client) {
                               (void)client.receive();
                               client.send(backend{}.authentication(7).bytes);
                               (void)client.receive();
                               client.send(lie.answer);
                               client.receive_all();
                             }},
                             "gssencmode=disable sslmode=disable require_auth=gss");
    EXPECT_EQ(code_of(seen), lie.code) << failure_of(seen);
  }
}

/// Kerberos' own words for a refusal, which anybody can say.
TEST(GssErrorToken, ProvesNothing) {
  const ticket mine;
  const auto tagged = [](int tag, const std::string& content) {
    return std::string{static_cast<char>(tag), static_cast<char>(content.size())} + content;
  };
  const std::string number{"\x02\x01"};
  const std::string time = tagged(0xa4, tagged(0x18, "20260101000000Z")) + tagged(0xa5, number + raw("\0"));
  const std::string service =
      tagged(0xa0, number + "\x01") + tagged(0xa1, tagged(0x30, tagged(0x1b, "postgres") + tagged(0x1b, "localhost")));
  const std::string error =
      tagged(0x7e, tagged(0x30, tagged(0xa0, number + "\x05") + tagged(0xa1, number + "\x1e") + time +
                                    tagged(0xa6, number + "\x25") + tagged(0xa9, tagged(0x1b, "SLUICE.TEST")) +
                                    tagged(0xaa, tagged(0x30, service))));
  const std::string refusal = tagged(0x60, tagged(0x06, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02") + raw("\3\0") + error);
  for (const bool is_encrypted : {false, true}) {
    const outcome seen = ask({[&](const server_end& client) {
                               (void)client.receive();
                               client.send(is_encrypted ? "G" : backend{}.authentication(7).bytes);
                               (void)received_token(client, !is_encrypted);
                               client.send(is_encrypted ? packet(refusal) : backend{}.authentication(8, refusal).bytes);
                               client.receive_all();
                             }},
                             std::string{"sslmode=disable gssencmode="} + (is_encrypted ? "require" : "disable"));
    EXPECT_EQ(code_of(seen), errc::auth_proof) << failure_of(seen);
    EXPECT_TRUE(has(failure_of(seen), "Clock skew")) << failure_of(seen);
  }
}

/// Bytes that came with the answer *no* are not the answer to what is asked for next.
TEST(GssEncryptionRequest, IsNotAnsweredTogetherWithTheNextOne) {
  const ticket mine;
  for (const char* answer : {"NS", "NN", "NE"}) {
    std::string next;
    const outcome seen = ask({[&](const server_end& client) {
                               (void)client.receive();
                               client.send(answer);
                               next = client.receive();
                             }},
                             "gssencmode=prefer sslmode=prefer");
    EXPECT_EQ(code_of(seen), errc::tls_failed) << answer << ": " << failure_of(seen);
    EXPECT_TRUE(has(failure_of(seen), "before it was asked")) << failure_of(seen);
    EXPECT_EQ(next, "") << "neither a handshake nor a login";
  }
}

/// After a failure, `prefer` goes on without GSSAPI, but not on a connection that somebody has spoilt.
TEST(GssEncryptionRequest, IsFallenBackFromOnAnotherConnection) {
  const ticket mine;
  const std::string lie = backend{}.error("28000", "believe me", "FATAL").bytes;
  const std::vector<std::vector<std::string>> all_answers{
      {""}, {"GE"}, {lie}, {"S"}, {"G", lie}, {"G", be32(0)}, {"G", be32(0xffffffffU)}, {"G", packet("token")}};
  for (const std::vector<std::string>& answers : all_answers) {
    SCOPED_TRACE(answers.back());
    std::vector<std::string> first;
    std::string second;
    const outcome seen = ask({[&](const server_end& client) {
                                for (const std::string& answer : answers) {
                                  first.push_back(client.receive());
                                  client.send(answer);
                                }
                                if (!answers.back().empty()) client.receive_all();
                              },
                              [&](const server_end& client) {
                                second = client.receive();
                                client.send(backend{}.error("28P01", "no", "FATAL").bytes);
                              }},
                             "gssencmode=prefer sslmode=disable");
    EXPECT_EQ(code_of(seen), errc::auth_rejected) << failure_of(seen);
    EXPECT_TRUE(has(failure_of(seen), "\n  with GSSAPI encryption: ")) << failure_of(seen);
    EXPECT_FALSE(has(failure_of(seen), "believe me")) << failure_of(seen);
    ASSERT_FALSE(first.empty());
    EXPECT_EQ(first.front(), gss_request);
    for (const std::string& bytes : first) EXPECT_FALSE(has(bytes, "user")) << "a start-up packet";
    ASSERT_GT(second.size(), 8U);
    EXPECT_EQ(second.substr(4, 4), be32(196'608)) << "a start-up packet of protocol 3.0";
  }
}

/// Forwards each byte by itself, both ways.
void drip(const server_end& client) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
  const server_end server{descriptor};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(cluster_value("SLUICE_TEST_PORT"))));
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
  const int at_once = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
  const auto forward = [](const server_end& from, const server_end& to) {
    const std::string bytes = from.receive();
    for (const char& byte : bytes) {
      if (!to.try_send({&byte, 1})) return false;
      std::this_thread::yield();
    }
    return !bytes.empty();
  };
  for (;;) {
    std::array<pollfd, 2> watched{pollfd{client.descriptor(), POLLIN, 0}, pollfd{descriptor, POLLIN, 0}};
    (void)::poll(watched.data(), watched.size(), -1);
    if (watched[0].revents != 0 && !forward(client, server)) return;
    if (watched[1].revents != 0 && !forward(server, client)) return;
  }
}

using faces = testing::Types<blocking_face, coroutine_face>;
template <class Face>
class GssWaits : public testing::Test {};
TYPED_TEST_SUITE(GssWaits, faces);

TYPED_TEST(GssWaits, ForEachByteOfASession) {
  const ticket mine;
  for (const char* mode : {"gssencmode=require", "gssencmode=disable"}) {
    const listener relay{{drip}, listener::kind::tcp};
    const outcome seen =
        TypeParam::ask(at(relay) + "user=gss_user dbname=sluice sslmode=disable connect_timeout=0 " + mode,
                       sql("select to_json(repeat('x', n * 1000)) from generate_series(1, 20) n").as_document());
    ASSERT_EQ(seen.rows.size(), 20U) << failure_of(seen);
    for (std::size_t n = 0; n < seen.rows.size(); ++n)
      EXPECT_TRUE(seen.rows[n] == '"' + std::string((n + 1) * 1000, 'x') + '"') << n;
    EXPECT_TRUE(seen.usable);
  }
}

std::string behind_a_silent_kdc(const std::string& options) {
  std::string text = by_kerberos("gss_user", options);
  text.replace(text.find("localhost"), std::string_view{"localhost"}.size(), "db.silent.test");
  return text;
}

asio::awaitable<void> connecting(std::string dsn, std::optional<std::error_code>& how) {
  try {
    const sluice::connection db = co_await sluice::connect(dsn);
    how = std::error_code{};
  } catch (const sluice::error& e) {
    how = e.code();
  }
}

TEST(GssThread, IsLeftAloneWhenItsCoroutineIsCancelled) {
  const ticket mine;
  for (const char* mode : {"gssencmode=require", "gssencmode=prefer", "gssencmode=disable"}) {
    const silent_kdc silent;
    asio::io_context context{1};
    asio::cancellation_signal stop;
    std::optional<std::error_code> how;
    asio::co_spawn(context, connecting(behind_a_silent_kdc(std::string{"connect_timeout=0 "} + mode), how),
                   asio::bind_cancellation_slot(stop.slot(), asio::detached));
    while (!silent.is_asked() && !how) context.poll();
    stop.emit(asio::cancellation_type::terminal);
    context.run();
    ASSERT_TRUE(how);
    EXPECT_EQ(*how, errc::cancelled) << mode;
  }
}

TEST(GssThread, OutlivesItsCoroutineAndTheLoop) {
  const ticket mine;
  for (const char* mode : {"gssencmode=require", "gssencmode=prefer", "gssencmode=disable"}) {
    const silent_kdc silent;
    std::optional<std::error_code> how;
    {
      asio::io_context context{1};
      asio::co_spawn(context, connecting(behind_a_silent_kdc(std::string{"connect_timeout=0 "} + mode), how),
                     asio::detached);
      while (!silent.is_asked() && !how) context.poll();
    }
    EXPECT_FALSE(how) << mode;
  }
}

/// Kerberos would ask the KDC for credentials to hand out, and a request to cancel needs none.
TEST(GssDelegation, IsNotForRequestsToCancel) {
  const ticket mine;
  sluice::client db{without_jit(by_kerberos("gss_user", "gssencmode=require gssdelegation=1"))};
  const silent_kdc silent;
  const temporary_folder folder;
  std::string config = shell("cat \"$KRB5_CONFIG\"").out;
  const std::string kdc = "kdc = 127.0.0.1:";
  const std::size_t begin = config.find(kdc) + kdc.size();
  config.replace(begin, config.find('\n', begin) - begin, cluster_value("SLUICE_TEST_SILENT_KDC_PORT"));
  folder.write("krb5.conf", config);
  const changed_variable without_kdc{"KRB5_CONFIG", folder.path("krb5.conf")};
  std::optional<sluice::error> failure;
  try {
    sluice::row_range rows =
        db.stream(sql("select to_json(generate_series(1, 2000000000)) as gss_undelegated_test").as_document(),
                  {.timeout = std::chrono::seconds{1}, .timeout_counts_pauses = true});
    while (rows.next()) {
    }
  } catch (const sluice::error& e) {
    failure = e;
  }
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->code(), condition::timeout) << failure->what();
  EXPECT_TRUE(db.is_idle());
}

}  // namespace
}  // namespace gss_hostile_test
