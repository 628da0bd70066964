// Failing allocations, and servers that try to exhaust memory: each allocation of a session fails in turn, and floods
// of messages that may arrive at any time are read in bounded memory. A separate program, because it replaces operator
// new.
#include <gtest/gtest.h>

#include <openssl/crypto.h>

#include <algorithm>
#include <functional>
#include <sluice/sluice.hpp>

#include "counted_memory.hpp"
#include "faces.hpp"
#include "script.hpp"
#include "tls_server.hpp"

namespace {

using namespace std::chrono_literals;
using namespace sluice::test;
using sluice::errc;

constexpr int most_sessions = 3'000;

script good_session() {
  return script{}
      .lets_in()
      .hears()
      .says(rows(3).notice().parameter_status("TimeZone", "UTC").command_complete("SELECT 3").ready_for_query())
      .falls_silent();
}

void in_a_loop(const std::string& dsn) {
  sluice::client db{dsn};
  std::size_t count = 0;
  for (const sluice::row row : db.stream(sluice::from("t").where(sluice::field("a.b") == "c")))
    count += row.text().size();
  EXPECT_EQ(count, 6U);
}

asio::awaitable<void> coroutine(std::string dsn) {
  sluice::connection db = co_await sluice::connect(dsn);
  const sluice::query query = sluice::from("t");
  sluice::row_stream rows = co_await db.stream(query);
  std::size_t count = 0;
  while (const sluice::chunk batch = co_await rows.next())
    for (const sluice::row row : batch) count += row.text().size();
  EXPECT_EQ(count, 6U);
}
void in_a_coroutine(const std::string& dsn) { run(coroutine(dsn)); }

struct way {
  const char* name;
  void (*run)(const std::string& dsn);
};

class ScarceMemory : public testing::TestWithParam<way> {};

TEST_P(ScarceMemory, IsAnErrorWhicheverAllocationFails) {
  const listener server{std::vector<listener::conversation>(most_sessions, good_session().play())};
  const std::string dsn = server.dsn();
  GetParam().run(dsn);  // makes the allocations that happen only once
  int failures = 0;
  for (std::size_t nth = 0;; ++nth) {
    ASSERT_LT(nth, most_sessions);
    SCOPED_TRACE("allocation " + std::to_string(nth));
    counted.has_failed = false;
    counted.until_failure = nth;
    try {
      GetParam().run(dsn);
    } catch (const sluice::error& e) {
      counted.until_failure = memory::never;
      // The first socket initializes Asio's reactor, which reports the failure as a system error.
      EXPECT_TRUE(e.code() == errc::out_of_memory || e.code() == errc::connect_failed) << e.what();
      ++failures;
    } catch (const std::bad_alloc&) {  // thrown before there is a connection that an error could name
      ++failures;
    }
    counted.until_failure = memory::never;
    if (!counted.has_failed) break;
  }
  RecordProperty("failures", failures);
  EXPECT_GT(failures, 50);
}

INSTANTIATE_TEST_SUITE_P(Of, ScarceMemory, testing::Values(way{"ALoop", in_a_loop}, way{"ACoroutine", in_a_coroutine}),
                         [](const auto& of) { return of.param.name; });

// The allocator of OpenSSL, so that its allocations fail, too.
void* openssl_malloc(std::size_t size, const char*, int) { return counted.fails_now() ? nullptr : std::malloc(size); }
void* openssl_realloc(void* old, std::size_t size, const char*, int) {
  return counted.fails_now() ? nullptr : std::realloc(old, size);
}
void openssl_free(void* memory, const char*, int) { std::free(memory); }
const bool openssl_is_counted = CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) == 1;

listener::conversation good_session_in_tls(const tls_identity& as) {
  return [&as](const server_end& client) {
    (void)client.receive();
    client.send("S");
    const tls_end secured{client, as};
    (void)secured.receive();
    secured.send(backend{}.authentication_ok().backend_key_data(1, "key!").ready_for_query().bytes);
    (void)secured.receive();
    secured.send(rows(3).command_complete("SELECT 3").ready_for_query().bytes);
    while (!secured.receive().empty()) {
    }
  };
}

/// TLS sessions, in each of which another allocation fails. A handshake makes thousands of them: only every nth is
/// tried.
class ScarceMemoryInTls : public testing::Test {
 protected:
  /// @param root  the root certificate that the client trusts
  /// @return the outcome of each session: an error code, or no error
  std::vector<std::error_code> with_failing_allocations(const tls_identity& root) {
    const std::string dsn = server_.dsn() + " sslmode=verify-full sslrootcert=" + root.root();
    (void)end_of(dsn);  // makes the allocations that happen only once
    std::vector<std::error_code> seen;
    for (std::size_t nth = 0;; nth += step()) {
      counted.has_failed = false;
      counted.until_failure = nth;
      seen.push_back(end_of(dsn));
      counted.until_failure = memory::never;
      if (!counted.has_failed) break;
    }
    EXPECT_LT(seen.size(), most_sessions);
    return seen;
  }

  const tls_identity identity_;

 private:
  static std::error_code end_of(const std::string& dsn) {
    try {
      in_a_loop(dsn);
    } catch (const sluice::error& e) {
      return e.code();
    } catch (const std::bad_alloc&) {
      return errc::out_of_memory;
    }
    return {};
  }
  static std::size_t step() {
    const char* const text = std::getenv("SLUICE_ALLOCATION_STEP");
    return text == nullptr ? 29 : static_cast<std::size_t>(std::stoul(text));
  }

  const listener server_{std::vector<listener::conversation>(most_sessions, good_session_in_tls(identity_)),
                         listener::kind::tcp};
};

TEST_F(ScarceMemoryInTls, IsAnErrorOrDoesNotMatter) {
  ASSERT_TRUE(openssl_is_counted);
  const std::vector<std::error_code> seen = with_failing_allocations(identity_);
  EXPECT_EQ(seen.back(), std::error_code{});
  for (const std::error_code& code : seen)
    EXPECT_TRUE(!code || code == errc::tls_failed || code == errc::out_of_memory || code == errc::connection_lost)
        << code.message();
  RecordProperty("failures", static_cast<int>(std::ranges::count_if(seen, [](auto code) { return bool{code}; })));
}

TEST_F(ScarceMemoryInTls, NeverLetsAnotherCertificatePass) {
  const tls_identity another;
  for (const std::error_code& code : with_failing_allocations(another))
    EXPECT_TRUE(code == errc::tls_failed || code == errc::out_of_memory) << code.message();
}

/// The peak memory of a session with a server that plays `hostile`, in bytes, beyond what the thread held before.
std::size_t peak_of(const script& hostile, std::size_t max_row_bytes = 64U << 20U) {
  const listener server{{hostile.play(), script{}.hears().play()}};
  const std::size_t before = counted.live;
  counted.peak = counted.live;
  try {
    sluice::client db{server.dsn(), {.max_row_bytes = max_row_bytes, .leave_timeout = 100ms}};
    db.on_notice([](const sluice::server_message&) {});
    db.on_notification([](const sluice::notification&) {});
    for ([[maybe_unused]] const sluice::row row : db.stream(sluice::from("t"), {.timeout = 300ms})) continue;
    ADD_FAILURE() << "no error";
  } catch (const sluice::error& e) {
    EXPECT_TRUE(e.code() == errc::deadline_exceeded || e.code() == sluice::condition::protocol) << e.what();
  }
  return counted.peak - before;
}

script floods(const backend& messages) { return script{}.lets_in().hears().says(rows(1)).repeats(messages); }

constexpr std::size_t a_session{256U << 10U};  // including its buffer of 64 KiB

TEST(AFlood, OfNoticesIsReadWithinBounds) {
  EXPECT_LT(peak_of(floods(backend{}.notice(std::string(20'000, 'x')))), a_session);
}

TEST(AFlood, OfNotificationsIsReadWithinBounds) {
  EXPECT_LT(peak_of(floods(backend{}.notification("channel", std::string(8'000, 'x')))), a_session);
}

TEST(AFlood, OfParametersIsReadWithinBounds) {
  backend many;
  for (int i = 0; i < 2'000; ++i) many.parameter_status("parameter_" + std::to_string(i), std::string(1'000, 'x'));
  EXPECT_LT(peak_of(floods(many)), 2 * a_session);
}

TEST(AFlood, OfParametersAtTheLoginIsReadWithinBounds) {
  backend many = backend{}.authentication_ok();
  for (int i = 0; i < 10'000; ++i) many.parameter_status("parameter_" + std::to_string(i), std::string(1'000, 'x'));
  EXPECT_LT(peak_of(script{}.hears().says(many.ready_for_query()).hears().says(rows(1)).falls_silent()), 2 * a_session);
}

TEST(ALength, AllocatesNothingThatDoesNotArrive) {
  EXPECT_LT(peak_of(script{}.lets_in().hears().says(rows(1)).says("D" + be32(1U << 29U)).falls_silent(), 1U << 30U),
            a_session);
  const backend columns = backend{}.parse_complete().bind_complete().message('T', be16(0x7fff));
  EXPECT_LT(peak_of(script{}.lets_in().hears().says(columns).falls_silent()), a_session);
}

}  // namespace
