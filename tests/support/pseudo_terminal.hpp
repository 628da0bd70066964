#pragma once
// A program whose standard output and standard error are a terminal.
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

namespace sluice::test {

struct shown {
  int status;
  std::string text;  // as the terminal is given it
};

/// Runs a line of bash on a terminal that changes nothing of what it is given.
inline shown on_terminal(const std::string& line) {
  termios raw{};
  ::cfmakeraw(&raw);
  int terminal = -1;
  const pid_t child = ::forkpty(&terminal, nullptr, &raw, nullptr);
  if (child < 0) throw std::runtime_error("no pseudo terminal");
  if (child == 0) {
    ::execl("/bin/bash", "bash", "-c", line.c_str(), nullptr);
    ::_exit(127);
  }
  std::string text;
  char some[4096];
  for (ssize_t count = 0; (count = ::read(terminal, some, sizeof some)) > 0;)
    text.append(some, static_cast<std::size_t>(count));  // ends with EIO when nobody has it open any more
  int status = 0;
  (void)::waitpid(child, &status, 0);
  ::close(terminal);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text};
}

}  // namespace sluice::test
