#pragma once
// Runs programs whose standard output and standard error are a terminal.
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

namespace sluice::test {

struct shown {
  int status;
  std::string text;  // exactly what was written to the terminal
};

/// Runs a line of bash on a terminal in raw mode, which changes nothing that is written to it.
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
    text.append(some, static_cast<std::size_t>(count));  // fails with EIO once no process has it open
  int status = 0;
  (void)::waitpid(child, &status, 0);
  ::close(terminal);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text};
}

}  // namespace sluice::test
