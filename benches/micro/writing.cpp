// Writes rows to a file in memory, so that the kernel copies and nothing waits: as the library does it, and with every
// document as its own iovec. The library stops gathering at the size where the two are equal.
#include <benchmark/benchmark.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <sluice/stream/document_writer.hpp>
#include <string>
#include <vector>

#include "iterations.hpp"
#include "received_rows.hpp"

namespace {

constexpr std::size_t chunk_bytes = 64U << 10U;

/// The documents of one chunk, as many as a receive buffer holds.
sluice::bench::received_rows documents(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  return {std::max<std::size_t>(1, chunk_bytes / (size + 11)),
          [size](std::size_t) { return '"' + std::string(size - 2, 'x') + '"'; }};
}

class memory_file {
 public:
  memory_file() : descriptor_{::memfd_create("rows", 0)} {}
  ~memory_file() { ::close(descriptor_); }
  memory_file(const memory_file&) = delete;
  memory_file& operator=(const memory_file&) = delete;
  [[nodiscard]] int rewound() const {
    (void)::lseek(descriptor_, 0, SEEK_SET);
    return descriptor_;
  }

 private:
  int descriptor_;
};

void count(benchmark::State& state, const sluice::bench::received_rows& rows) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows.count()));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(rows.count()) * state.range(0));
}

void write_ndjson(benchmark::State& state) {
  const sluice::bench::received_rows rows = documents(state);
  const memory_file to;
  sluice::document_writer writer;
  for (auto _ : state) {
    writer.add(rows.chunk());
    sluice::write_all(to.rewound(), writer.text());
  }
  count(state, rows);
}

void write_pieces(benchmark::State& state) {
  const sluice::bench::received_rows rows = documents(state);
  const memory_file to;
  std::vector<asio::const_buffer> pieces;
  pieces.reserve(2 * rows.count());
  for (auto _ : state) {
    pieces.clear();
    for (const sluice::row each : rows.chunk()) {
      pieces.emplace_back(each.text().data(), each.text().size());
      pieces.emplace_back("\n", 1);
    }
    sluice::write_all(to.rewound(), pieces);
  }
  count(state, rows);
}

BENCHMARK(write_ndjson)->Apply(sluice::bench::as_asked)->Arg(120)->Arg(1000)->Arg(4000)->Arg(16'000)->Arg(60'000);
BENCHMARK(write_pieces)->Apply(sluice::bench::as_asked)->Arg(120)->Arg(1000)->Arg(4000)->Arg(16'000)->Arg(60'000);

}  // namespace
