// The memory that one large document needs: no more in bulk mode than in plain mode, because it is stored only in the
// receive buffer.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "cluster.hpp"

namespace bulk_memory_test {
namespace {

using namespace sluice::test;

/// The command's peak resident memory, in KiB.
long peak_of(const char* mode) {
  const std::string where = dsn();
  const pid_t child = ::fork();
  if (child == 0) {
    (void)::dup2(::open("/dev/null", O_WRONLY), STDOUT_FILENO);
    ::execl(SLUICE_COMMAND, SLUICE_COMMAND, "--dsn", where.c_str(), "--mode", mode, "--sql",
            "select ('\"' || repeat('x', 60000000) || '\"')::json as data", nullptr);
    ::_exit(127);
  }
  int status = 0;
  rusage used{};
  EXPECT_EQ(::wait4(child, &status, 0, &used), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << mode << ": " << status;
  return used.ru_maxrss;
}

TEST(BulkMemory, OfOneLargeDocumentIsThatOfPlain) {
  const long plain = peak_of("plain");
  const long bulk = peak_of("bulk");
  EXPECT_GT(plain, 60'000'000 / 1024);
  EXPECT_LT(bulk, plain + plain / 4) << "plain: " << plain;
}

}  // namespace
}  // namespace bulk_memory_test
