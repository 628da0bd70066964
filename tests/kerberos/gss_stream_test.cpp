// The context and the stream of GSSAPI against the other side of GSSAPI, which the test plays with the server's key:
// whatever way the bytes are cut, and whatever somebody in between does to them.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backend.hpp"
#include "bytes.hpp"
#include "gss_acceptor.hpp"
#include "kerberos.hpp"
#include "messages/gss_packet.hpp"
#include "transport/gss_context.hpp"
#include "transport/gss_stream.hpp"

namespace gss_stream_test {
namespace {

using namespace sluice::test;
using sluice::wire::gss_context;
using sluice::wire::gss_stream;
using sluice::wire::gss_target;
using status = gss_stream::status;

const gss_target server{.service = "postgres@localhost", .delegates = false};
const gss_target delegating{.service = "postgres@localhost", .delegates = true};

class GssContext : public testing::Test {
 protected:
  /// Both sides, established.
  std::shared_ptr<gss_context> established(const gss_target& with, gss_context::purpose what) {
    auto context = std::make_shared<gss_context>(with, what);
    context->step({});
    EXPECT_EQ(context->failure(), "");
    EXPECT_FALSE(context->is_established()) << "the server has not proved itself yet";
    const std::string answer = other.accept(context->token());
    context->step(as_bytes(answer));
    EXPECT_EQ(context->failure(), "");
    EXPECT_TRUE(context->is_established());
    EXPECT_TRUE(context->token().empty());
    return context;
  }

  const changed_variable keytab{"KRB5_KTNAME", kerberos_file("server.keytab")};
  const changed_variable no_replay_cache{"KRB5RCACHENAME", "none:"};
  const ticket mine;
  acceptor other;
};

TEST_F(GssContext, HasTheServerProveItselfInALogin) {
  (void)established(server, gss_context::purpose::login);
  EXPECT_NE(other.flags() & GSS_C_MUTUAL_FLAG, 0U);
  EXPECT_FALSE(other.has_delegated_credentials());
}

TEST_F(GssContext, DelegatesWhereThatIsAskedFor) {
  (void)established(delegating, gss_context::purpose::encryption);
  EXPECT_NE(other.flags() & GSS_C_DELEG_FLAG, 0U);
  EXPECT_TRUE(other.has_delegated_credentials());
}

TEST_F(GssContext, RefusesTheTokenOfAnother) {
  gss_context context{server, gss_context::purpose::login};
  context.step({});
  gss_context somebody{server, gss_context::purpose::login};
  somebody.step({});
  const std::string answer = other.accept(somebody.token());
  context.step(as_bytes(answer));
  EXPECT_FALSE(context.is_established());
  EXPECT_NE(context.failure(), "");
  EXPECT_TRUE(context.is_servers_failure());
}

TEST_F(GssContext, FillsAPacketAndNoMore) {
  const auto context = established(server, gss_context::purpose::encryption);
  const std::size_t most = sluice::proto::max_gss_packet - sluice::proto::gss_header_size;
  const std::size_t room = context->room_in(most);
  EXPECT_GT(room, most - 200);
  std::vector<std::byte> full;
  ASSERT_TRUE(context->wrap(as_bytes(std::string(room, 'x')), full)) << context->failure();
  EXPECT_LE(full.size(), sluice::proto::max_gss_packet);
  EXPECT_EQ(other.unwrapped(as_text(full).substr(4)), std::string(room, 'x'));
}

class GssStream : public GssContext {
 protected:
  void SetUp() override {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
    ours = ends[0];
    theirs = ends[1];
    ::fcntl(ours, F_SETFL, O_NONBLOCK);
    ::fcntl(theirs, F_SETFL, O_NONBLOCK);
    stream.emplace(established(server, gss_context::purpose::encryption), ours);
  }
  void TearDown() override {
    stream.reset();
    ::close(ours);
    ::close(theirs);
  }

  void say(std::string_view bytes) const {
    ASSERT_EQ(::send(theirs, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  /// Everything that can be read now, and how it ended.
  std::string read(status& end, std::size_t piece = 1000) {
    std::string all;
    std::string into(piece, '\0');
    for (;;) {
      const gss_stream::result got = stream->read(std::as_writable_bytes(std::span{into}));
      end = got.is;
      if (got.is != status::done) return all;
      all.append(into, 0, got.count);
    }
  }
  status failing(std::string_view bytes) {
    say(bytes);
    status end{};
    EXPECT_EQ(read(end), "");
    return end;
  }

  int ours{-1};
  int theirs{-1};
  std::optional<gss_stream> stream;
};

TEST_F(GssStream, ReadsTheSameWhereverThePacketsAreCut) {
  const std::string first(300, 'a');
  std::string all = packet(other.wrapped(first));
  all += packet(other.wrapped(""));
  all += packet(other.wrapped("b"));
  std::string got;
  status end{};
  for (const char byte : all) {
    say({&byte, 1});
    got += read(end, 7);
    EXPECT_EQ(end, status::later);
  }
  EXPECT_EQ(got, first + "b");
  ::shutdown(theirs, SHUT_WR);
  EXPECT_EQ(read(end), "");
  EXPECT_EQ(end, status::ended);
}

TEST_F(GssStream, HandsOutWhatCameBeforeAFailure) {
  say(packet(other.wrapped("good")) + packet("bad"));
  status end{};
  EXPECT_EQ(read(end), "good");
  EXPECT_EQ(end, status::failed);
  EXPECT_NE(stream->failure().find("cannot decrypt"), std::string::npos) << stream->failure();
  EXPECT_EQ(stream->write(as_bytes("more")).is, status::failed) << "nothing works afterwards";
}

TEST_F(GssStream, RefusesAChangedPacket) {
  std::string changed = other.wrapped("select 1");
  changed.back() = static_cast<char>(changed.back() ^ 1);
  EXPECT_EQ(failing(packet(changed)), status::failed);
}

TEST_F(GssStream, RefusesARepeatedPacket) {
  const std::string once = packet(other.wrapped("insert"));
  say(once);
  status end{};
  EXPECT_EQ(read(end), "insert");
  EXPECT_EQ(failing(once), status::failed);
}

TEST_F(GssStream, NoticesAMissingPacket) {
  (void)other.wrapped("begin");
  EXPECT_EQ(failing(packet(other.wrapped("commit"))), status::failed);
}

TEST_F(GssStream, RefusesWhatIsOnlySigned) {
  EXPECT_EQ(failing(packet(other.wrapped("select 1", false))), status::failed);
  EXPECT_NE(stream->failure().find("not encrypted"), std::string::npos) << stream->failure();
}

TEST_F(GssStream, RefusesLengthsThatNoPacketHas) {
  EXPECT_EQ(failing(be32(16'381)), status::failed);
  EXPECT_NE(stream->failure().find("longer"), std::string::npos) << stream->failure();
}

TEST_F(GssStream, RefusesAnEmptyPacket) { EXPECT_EQ(failing(be32(0)), status::failed); }

/// The socket takes little at a time, so that packets are sent in pieces.
TEST_F(GssStream, WritesAllWhateverTheSocketTakes) {
  const int little = 4096;
  ::setsockopt(ours, SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += std::to_string(i) + ',';
  std::string got;
  std::string arrived;
  std::size_t sent = 0;
  bool has_waited = false;
  while (got.size() < text.size()) {
    if (sent < text.size()) {
      const gss_stream::result gone = stream->write(as_bytes(std::string_view{text}.substr(sent)));
      ASSERT_TRUE(gone.is == status::done || gone.is == status::later);
      EXPECT_EQ(stream->wants_to_send(), gone.is == status::later);
      has_waited = has_waited || gone.is == status::later;
      sent += gone.count;
    }
    std::string piece(5000, '\0');
    const ssize_t count = ::recv(theirs, piece.data(), piece.size(), 0);
    if (count > 0) arrived.append(piece, 0, static_cast<std::size_t>(count));
    for (;;) {
      const auto next = sluice::proto::next_gss_packet(as_bytes(arrived), sluice::proto::max_gss_packet);
      if (next.found != sluice::proto::framing::kind::complete) break;
      got += other.unwrapped(as_text(next.content));
      arrived.erase(0, next.size);
    }
  }
  EXPECT_EQ(sent, text.size());
  EXPECT_TRUE(got == text);
  EXPECT_TRUE(has_waited) << "the test has shown nothing";
}

}  // namespace
}  // namespace gss_stream_test
