// A replication stream as a transcript: the server's messages, and what the stream makes of each.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>
#include "engine/wal_stream.hpp"

#include "backend.hpp"
#include "session_pair.hpp"

namespace wal_stream_test {
namespace {

using sluice::errc;
using sluice::test::backend;
using sluice::test::be16;
using sluice::test::be32;
using sluice::wire::wal_stream;
using state = wal_stream::state;
using states = std::vector<state>;
using pair = sluice::test::session_pair;

const std::string zeros(24, '\0');
const std::string piece = 'w' + zeros + "data";
const std::string alive = 'k' + zeros.substr(8) + '\1';

backend& copy_both(backend& to) { return to.message('W', '\0' + be16(0)); }
std::string begun() {
  backend server;
  return copy_both(server).bytes;
}

/// What the stream makes of all that the server has said.
states all_of(wal_stream& stream, const pair& on, std::string_view said) {
  on.say(said);
  states seen;
  for (;;) {
    const state now = stream.advance();
    if (now != state::hungry) seen.push_back(now);
    if (now == state::over) return seen;
    if (now == state::hungry && !stream.move()) return seen;
  }
}
/// The error that it throws instead.
std::error_code failure_of(wal_stream& stream, const pair& on, std::string_view said) {
  try {
    (void)all_of(stream, on, said);
  } catch (const sluice::error& e) {
    return e.code();
  }
  return {};
}

TEST(WalStream, HandsOutPiecesAndSignsOfLife) {
  const pair on;
  wal_stream stream{*on, "START_REPLICATION"};
  EXPECT_EQ(all_of(stream, on, begun()), (states{state::begun}));
  EXPECT_TRUE(on.heard().starts_with('Q'));
  EXPECT_EQ(all_of(stream, on, backend{}.message('d', piece).notice().message('d', alive).bytes),
            (states{state::piece, state::alive}));
  EXPECT_TRUE(stream.alive().wants_reply);
}

TEST(WalStream, EndsOnceBothSidesHaveSaidSo) {
  const pair on;
  wal_stream stream{*on, "START_REPLICATION"};
  (void)all_of(stream, on, begun());
  (void)on.heard();
  stream.finish();
  EXPECT_EQ(all_of(stream, on, backend{}.message('d', piece).bytes), states{}) << "skipped, as the client has left";
  EXPECT_EQ(on.heard(), 'c' + be32(4));
  EXPECT_EQ(all_of(stream, on,
                   backend{}
                       .message('c', {})
                       .message('d', alive)
                       .command_complete("COPY 0")
                       .command_complete("START_REPLICATION")
                       .ready_for_query()
                       .bytes),
            (states{state::over}));
}

TEST(WalStream, SendsTheClientsStatusUnlessTheServerDoesNotRead) {
  const pair on;
  wal_stream stream{*on, "START_REPLICATION"};
  (void)all_of(stream, on, begun());
  (void)on.heard();
  stream.tell({.written = 1});
  const std::string status = on.heard();
  EXPECT_TRUE(status.starts_with('d'));
  EXPECT_EQ(status.size(), 1U + 4 + 1 + 4 * 8 + 1);
  on->io.out.resize(5'000);  // unsent
  stream.tell({.written = 2});
  EXPECT_EQ(on->io.out.size(), 5'000U);
}

TEST(WalStream, ThrowsARefusalOnceTheSessionIsIdle) {
  const pair on;
  wal_stream stream{*on, "START_REPLICATION"};
  EXPECT_EQ(all_of(stream, on, backend{}.error("42704", "no such slot").bytes), states{});
  EXPECT_EQ(failure_of(stream, on, backend{}.ready_for_query().bytes), errc::server_error);
}

TEST(WalStream, IsLostWhenTheServerEndsIt) {
  const pair on;
  wal_stream stream{*on, "START_REPLICATION"};
  EXPECT_EQ(failure_of(stream, on, begun() + backend{}.message('c', {}).bytes), errc::connection_lost);
}

TEST(WalStream, RejectsMessagesOutOfOrder) {
  const std::string ready = backend{}.ready_for_query().bytes;
  for (const std::string& said :
       {backend{}.message('d', piece).bytes, ready, begun() + begun(), begun() + ready,
        begun() + backend{}.data_row("1").bytes, begun() + backend{}.message('d', "x").bytes,
        begun() + backend{}.message('d', piece.substr(0, 9)).bytes, backend{}.message('W', "").bytes}) {
    const pair on;
    wal_stream stream{*on, "START_REPLICATION"};
    EXPECT_EQ(failure_of(stream, on, said), errc::protocol_violation) << said;
  }
}

}  // namespace
}  // namespace wal_stream_test
