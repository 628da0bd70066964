// Failing allocations where GSSAPI encrypts. Replaces operator new of this program.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bytes.hpp"
#include "counted_memory.hpp"
#include "gss_acceptor.hpp"
#include "kerberos.hpp"
#include "messages/gss_packet.hpp"
#include "transport/gss_context.hpp"
#include "transport/gss_stream.hpp"

namespace gss_scarce_memory_test {
namespace {

using namespace sluice::test;
using sluice::wire::gss_context;
using sluice::wire::gss_stream;
using status = gss_stream::status;

/// Both sides of an encrypted stream.
struct session {
  session() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0) throw std::runtime_error{"no sockets"};
    ours = ends[0];
    theirs = ends[1];
    ::fcntl(ours, F_SETFL, O_NONBLOCK);
    ::fcntl(theirs, F_SETFL, O_NONBLOCK);
    auto context =
        std::make_shared<gss_context>(sluice::wire::gss_target{.service = "postgres@localhost", .delegates = false},
                                      gss_context::purpose::encryption);
    context->step({});
    const std::string answer = other.accept(context->token());
    context->step(as_bytes(answer));
    if (!context->is_established()) throw std::runtime_error{context->failure()};
    stream.emplace(std::move(context), ours);
  }
  ~session() {
    ::close(ours);
    ::close(theirs);
  }
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  int ours{-1};
  int theirs{-1};
  acceptor other;
  std::optional<gss_stream> stream;
};

class GssScarceMemory : public testing::Test {
 protected:
  const changed_variable keytab{"KRB5_KTNAME", kerberos_file("server.keytab")};
  const changed_variable no_replay_cache{"KRB5RCACHENAME", "none:"};
  const ticket mine;
};

constexpr std::size_t most_sessions = 3'000;

/// What was decrypted before is not read again, and nothing is left out.
TEST_F(GssScarceMemory, EndsAReadWhereItFails) {
  const std::string text = std::string(100, 'a') + std::string(1'000, 'b') + std::string(12'000, 'c') + "d";
  std::vector<std::byte> into(50'000);
  std::size_t failures = 0;
  for (std::size_t nth = 0;; ++nth) {
    ASSERT_LT(nth, most_sessions);
    SCOPED_TRACE("allocation " + std::to_string(nth));
    session each;
    std::string all;
    for (std::size_t at = 0; const std::size_t size : {100U, 1'000U, 12'000U, 1U})
      all += packet(each.other.wrapped(text.substr(std::exchange(at, at + size), size)));
    ASSERT_EQ(::send(each.theirs, all.data(), all.size(), MSG_NOSIGNAL), static_cast<ssize_t>(all.size()));

    std::size_t count = 0;
    status end{};
    counted.has_failed = false;
    counted.until_failure = nth;
    do {
      const gss_stream::result got = each.stream->read(std::span{into}.subspan(count));
      end = got.is;
      count += got.count;
    } while (end == status::done && count < into.size());
    counted.until_failure = memory::never;

    EXPECT_LE(count, text.size());
    EXPECT_TRUE(text.starts_with(as_text(std::span{into}.first(std::min(count, text.size()))))) << count;
    if (!counted.has_failed) {
      EXPECT_EQ(count, text.size());
      break;
    }
    ++failures;
    EXPECT_EQ(end, status::failed);
    EXPECT_EQ(each.stream->read(into).count, 0U) << "nothing comes afterwards";
    EXPECT_EQ(each.stream->write(as_bytes("x")).is, status::failed);
  }
  EXPECT_GT(failures, 2U);
}

TEST_F(GssScarceMemory, EndsAWriteWhereItFails) {
  const std::string text(100'000, 'x');
  std::size_t failures = 0;
  for (std::size_t nth = 0;; ++nth) {
    ASSERT_LT(nth, most_sessions);
    SCOPED_TRACE("allocation " + std::to_string(nth));
    session each;
    counted.has_failed = false;
    counted.until_failure = nth;
    const gss_stream::result gone = each.stream->write(as_bytes(text));
    counted.until_failure = memory::never;

    std::string arrived(200'000, '\0');
    const ssize_t count = ::recv(each.theirs, arrived.data(), arrived.size(), 0);
    arrived.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    std::string got;
    while (!arrived.empty()) {
      const auto next = sluice::proto::next_gss_packet(as_bytes(arrived), sluice::proto::max_gss_packet);
      ASSERT_EQ(next.found, sluice::proto::framing::kind::complete);
      got += each.other.unwrapped(as_text(next.content));
      arrived.erase(0, next.size);
    }
    EXPECT_EQ(got.size(), gone.count);
    if (!counted.has_failed) {
      EXPECT_EQ(gone.is, status::done);
      break;
    }
    ++failures;
    EXPECT_EQ(gone.is, status::failed);
    EXPECT_EQ(each.stream->write(as_bytes(text)).is, status::failed);
    EXPECT_EQ(each.stream->read(std::as_writable_bytes(std::span{arrived = "into"})).is, status::failed);
  }
  EXPECT_GT(failures, 0U);
}

}  // namespace
}  // namespace gss_scarce_memory_test
