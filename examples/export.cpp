// Writes a relation's documents into a file, one per line, and prints how many there were.
//
//     export FILE [CONNINFO]
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <system_error>

#include <sluice/sluice.hpp>
#include <sluice/stream/document_writer.hpp>

int main(int argc, char** argv) try {
  if (argc < 2) throw std::runtime_error{"usage: export FILE [CONNINFO]"};
  sluice::client db{argc > 2 ? argv[2] : ""};

  const int file = ::open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) throw std::system_error{errno, std::generic_category(), argv[1]};
  sluice::row_range rows = db.stream(sluice::from("v_order"));
  const std::uint64_t written = sluice::write_documents(rows, file);  // throws if the disk is full
  if (::close(file) != 0) throw std::system_error{errno, std::generic_category(), argv[1]};

  const sluice::stream_stats how = rows.stats();
  std::printf("%llu orders, %llu bytes, %zu bytes of memory for them\n", static_cast<unsigned long long>(written),
              static_cast<unsigned long long>(how.bytes), how.buffer_peak);
} catch (const std::exception& e) {
  std::fprintf(stderr, "export: %s\n", e.what());
  return 1;
}
