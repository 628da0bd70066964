// Writes a table into a file over several connections that share one snapshot.
//
//     parallel TABLE FILE [CONNINFO]
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <stdexcept>
#include <system_error>

#include <sluice/sluice.hpp>
#include <sluice/stream/document_writer.hpp>

int main(int argc, char** argv) try {
  if (argc < 3) throw std::runtime_error{"usage: parallel TABLE FILE [CONNINFO]"};
  const int file = ::open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) throw std::system_error{errno, std::generic_category(), argv[2]};

  sluice::parallel_range rows{argc > 3 ? argv[3] : "", sluice::from(argv[1]), {.connections = 4}};
  const auto tell = [&rows] {
    const sluice::parallel_progress now = rows.progress();
    std::fprintf(stderr, "\r%3llu %%", static_cast<unsigned long long>(100 * now.done / now.planned));
  };
  sluice::document_writer lines;
  while (const sluice::chunk chunk = rows.next()) {  // from any of the connections
    lines.add(chunk);
    sluice::write_all(file, lines.text());
    tell();
  }
  tell();
  if (::close(file) != 0) throw std::system_error{errno, std::generic_category(), argv[2]};
  std::fputc('\n', stderr);
  std::printf("%llu rows over %u connections\n", static_cast<unsigned long long>(lines.rows()),
              rows.progress().connections);
} catch (const std::exception& e) {
  std::fprintf(stderr, "parallel: %s\n", e.what());
  return 1;
}
