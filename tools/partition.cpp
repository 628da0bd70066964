#include "partition.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <iostream>
#include <system_error>

#include <sluice/wire/error.hpp>

#include "output.hpp"
#include "values.hpp"

namespace sluice::tool {

namespace {

/// Whether standard input has ended. What comes from it is discarded.
bool input_has_ended() {
  std::array<char, 4096> discarded{};
  const ssize_t count = ::read(STDIN_FILENO, discarded.data(), discarded.size());
  if (count > 0) return false;
  if (count < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK)) return false;
  return true;
}

/// Those who read the descriptors see that these are all. The descriptor stays taken, so that no socket gets its
/// number.
void end_output() {
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere < 0) return;
  (void)::dup2(nowhere, STDOUT_FILENO);
  (void)::close(nowhere);
}

}  // namespace

void hold_partitions(const blocking_partitions& parts, const std::function<bool()>& is_interrupted) {
  std::string lines;
  for (const std::string& each : parts.descriptors()) lines.append(each).append(1, '\n');
  write_output(lines);
  end_output();
  constexpr int between_checks = 500;  // milliseconds
  for (;;) {
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&input, 1, between_checks);
    if (is_interrupted()) throw error{errc::cancelled, "interrupted"};
    if (ready < 0 && errno != EINTR) throw std::system_error{errno, std::generic_category(), "standard input"};
    if (ready > 0 && input_has_ended()) return;
    parts.check();
  }
}

std::string given_descriptor(const std::string& text) {
  if (text != "-") return text;
  std::string line;
  if (!std::getline(std::cin, line) || line.empty())
    throw usage_error{"--partition -: standard input has no descriptor"};
  return line;
}

}  // namespace sluice::tool
