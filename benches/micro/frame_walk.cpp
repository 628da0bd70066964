// The cost of stepping over one row: next_frame on 64 KiB of received rows, by the size of a row's body.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>

#include <sluice/proto/frame.hpp>

#include "backend.hpp"
#include "iterations.hpp"

namespace {

void frame_walk(benchmark::State& state) {
  const auto body_size = static_cast<std::size_t>(state.range(0));
  const std::string document(body_size - 6, 'x');  // without the column count and the value's length
  const std::size_t rows = std::max<std::size_t>(1, 65'536 / (body_size + sluice::proto::header_size));
  sluice::test::backend sent;
  for (std::size_t i = 0; i < rows; ++i) sent.data_row(document);
  const std::span<const std::byte> bytes = std::as_bytes(std::span{sent.bytes});
  const sluice::proto::limits limits;

  std::size_t walked = 0;
  for (auto _ : state) {
    for (std::span<const std::byte> rest = bytes; !rest.empty();) {
      const sluice::proto::framing next = sluice::proto::next_frame(rest, limits);
      if (next.found != sluice::proto::framing::kind::complete) break;
      benchmark::DoNotOptimize(next.message.body.data());
      rest = rest.subspan(next.size);
      ++walked;
    }
  }
  if (walked != rows * static_cast<std::size_t>(state.iterations())) state.SkipWithError("not every row was seen");
  state.SetItemsProcessed(static_cast<std::int64_t>(walked));
  state.SetBytesProcessed(static_cast<std::int64_t>(walked * bytes.size() / rows));
}
BENCHMARK(frame_walk)->Apply(sluice::bench::as_asked)->Arg(32)->Arg(128)->Arg(1024)->Arg(65'536);

}  // namespace
