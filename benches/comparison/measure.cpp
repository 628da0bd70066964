// measure COMMAND [ARG...]: runs COMMAND, and then prints one more line with what it has used.
//
// A process inherits the peak memory of the process that forked it, even across exec. A measured program must therefore
// be started by a program smaller than itself, which an interpreter is not.
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>

namespace {

long long microseconds(const timeval& time) { return time.tv_sec * 1'000'000LL + time.tv_usec; }

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const auto start = std::chrono::steady_clock::now();
  pid_t child = 0;
  if (const int problem = ::posix_spawnp(&child, argv[1], nullptr, nullptr, argv + 1, environ); problem != 0) {
    std::fprintf(stderr, "measure: %s: %s\n", argv[1], std::strerror(problem));
    return 127;
  }
  int status = 0;
  rusage used{};
  while (::wait4(child, &status, 0, &used) < 0 && errno == EINTR) {
  }
  const auto wall = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start);
  std::printf("{\"wall_us\":%lld,\"user_us\":%lld,\"system_us\":%lld,\"peak_rss_kib\":%ld}\n",
              static_cast<long long>(wall.count()), microseconds(used.ru_utime), microseconds(used.ru_stime),
              used.ru_maxrss);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
