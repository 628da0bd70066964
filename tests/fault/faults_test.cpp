// Runs each fault of the tables through each API: a loop, a coroutine, the command. Time is bounded by a deadline, or
// because the server closes the connection; memory is bounded by the limits set here.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>

#include "faces.hpp"
#include "fault.hpp"
#include "shell.hpp"

namespace sluice::test {

namespace {

constexpr std::size_t max_row_bytes{1U << 20U};

class Fault : public testing::TestWithParam<fault> {
 protected:
  [[nodiscard]] std::string dsn() const {
    return server_.dsn() + " sslmode=disable connect_timeout=5 " + GetParam().options;
  }

  template <class Face>
  [[nodiscard]] outcome meet() const {
    return Face::ask(dsn(), from("t"), {.timeout = GetParam().timeout, .mode = GetParam().mode},
                     {.max_row_bytes = max_row_bytes, .leave_timeout = std::chrono::milliseconds{300}});
  }

  static void expect(const outcome& seen) {
    const ending& expected = GetParam().expected;
    EXPECT_EQ(seen.rows.size(), expected.rows);
    EXPECT_EQ(seen.usable, expected.is_usable);
    if (expected.code == errc{}) {
      EXPECT_FALSE(seen.failure) << seen.failure->what();
      return;
    }
    ASSERT_TRUE(seen.failure);
    const error& failure = *seen.failure;
    EXPECT_EQ(failure.code(), expected.code) << failure.what();
    EXPECT_NE(std::string{failure.what()}.find(expected.says), std::string::npos) << failure.what();
    EXPECT_EQ(failure.sqlstate(), expected.sqlstate) << failure.what();
    EXPECT_EQ(failure.rows(), expected.rows) << failure.what();
    EXPECT_EQ(failure.retryable(), expected.is_retryable) << failure.what();
    EXPECT_EQ(failure.connection_usable(), expected.is_usable) << failure.what();
  }

 private:
  // The second connection is for a CancelRequest.
  listener server_{{GetParam().server.play(), script{}.hears().play()}, listener::kind::tcp};
};

TEST_P(Fault, EndsAsItMustInALoop) { expect(meet<blocking_face>()); }
TEST_P(Fault, EndsAsItMustInACoroutine) { expect(meet<coroutine_face>()); }

#ifdef SLUICE_COMMAND

/// Exit codes as documented and as --help lists them.
int exit_code_of(const errc code) {
  if (code == errc{}) return 0;
  switch (condition_of(code)) {
    case condition::connection: return 3;
    case condition::auth: return 4;
    case condition::tls: return 5;
    case condition::protocol: return 6;
    case condition::sql: return 7;
    case condition::limit: return 9;
    case condition::timeout: return 10;
    default: return -1;
  }
}

TEST_P(Fault, EndsAsItMustForTheCommand) {
  const fault& what = GetParam();
  const finished end =
      shell(SLUICE_COMMAND " t --format raw --max-row 1M -d '" + dsn() + "' --timeout " +
            std::to_string(what.timeout.count()) + "ms --mode " + (what.mode == fetch_mode::bulk ? "bulk" : "plain"));
  EXPECT_EQ(end.status, exit_code_of(what.expected.code)) << end.err;
  EXPECT_EQ(static_cast<std::uint64_t>(std::ranges::count(end.out, '\n')), what.expected.rows) << end.out;
  if (what.expected.code == errc{}) return;
  const std::string beginning = "sluice: " + std::string{to_string(condition_of(what.expected.code))} + ": ";
  const std::string said = '\n' + end.err;
  const std::size_t at = said.find('\n' + beginning);  // notices may precede it
  ASSERT_NE(at, std::string::npos) << end.err;
  EXPECT_NE(said.find(what.expected.says, at), std::string::npos) << end.err;
  EXPECT_TRUE(std::ranges::none_of(end.err, [](char c) { return c != '\n' && static_cast<unsigned char>(c) < ' '; }))
      << "control bytes of the server reach no terminal: " << end.err;
}

#endif

std::string name_of(const testing::TestParamInfo<fault>& info) {
  std::string name;
  bool starts_word = true;
  for (const char c : info.param.name) {
    const bool is_small = c >= 'a' && c <= 'z';
    const bool is_letter = is_small || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (is_letter) name += starts_word && is_small ? static_cast<char>(c - 'a' + 'A') : c;
    starts_word = !is_letter;
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(ToldByTheServer, Fault, testing::ValuesIn(told_by_the_server()), name_of);
INSTANTIATE_TEST_SUITE_P(Harmless, Fault, testing::ValuesIn(harmless()), name_of);
INSTANTIATE_TEST_SUITE_P(Violations, Fault, testing::ValuesIn(violations()), name_of);
INSTANTIATE_TEST_SUITE_P(Copies, Fault, testing::ValuesIn(copies()), name_of);
INSTANTIATE_TEST_SUITE_P(Bulk, Fault, testing::ValuesIn(bulk()), name_of);
INSTANTIATE_TEST_SUITE_P(Leavers, Fault, testing::ValuesIn(leavers()), name_of);
INSTANTIATE_TEST_SUITE_P(Endless, Fault, testing::ValuesIn(endless()), name_of);
INSTANTIATE_TEST_SUITE_P(Refusals, Fault, testing::ValuesIn(refusals()), name_of);
INSTANTIATE_TEST_SUITE_P(BadLogins, Fault, testing::ValuesIn(bad_logins()), name_of);
INSTANTIATE_TEST_SUITE_P(BadTls, Fault, testing::ValuesIn(bad_tls()), name_of);

}  // namespace

}  // namespace sluice::test
