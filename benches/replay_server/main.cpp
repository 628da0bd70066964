// replay-server [--port N] [--socket-folder PATH] [--rows N] [--document-size N]
// Prints its port as the first line, and serves until SIGINT or SIGTERM.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>

#include "replay_server.hpp"

int main(int argc, char** argv) {
  sluice::bench::replay_options options;
  try {
    for (int i = 1; i < argc; i += 2) {
      const std::string_view name{argv[i]};
      if (i + 1 == argc) throw std::invalid_argument{std::string{name} + " needs a value"};
      const std::string value{argv[i + 1]};
      if (name == "--port")
        options.port = static_cast<std::uint16_t>(std::stoul(value));
      else if (name == "--socket-folder")
        options.socket_folder = value;
      else if (name == "--rows")
        options.fallback.rows = std::stoull(value);
      else if (name == "--document-size")
        options.fallback.document_size = std::max(2UL, std::stoul(value));
      else
        throw std::invalid_argument{"no such option: " + std::string{name}};
    }
    // Blocked before any thread starts, so that only sigwait receives them.
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stop, nullptr);
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL

    const sluice::bench::replay_server server{options};
    std::printf("%u\n", unsigned{server.port()});
    std::fflush(stdout);
    int received = 0;
    sigwait(&stop, &received);
    return 0;
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "replay-server: %s\n", problem.what());
    return 2;
  }
}
