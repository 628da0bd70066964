// The cost of changes: a transaction of a thousand rows decoded, made JSON, and copied as columns.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/stream/row.hpp>

#include "bytes.hpp"
#include "changes/change_decoder.hpp"
#include "iterations.hpp"
#include "log_messages.hpp"

namespace {

using namespace sluice::detail;
using namespace sluice::test;

constexpr std::uint32_t table = 16400;
constexpr std::size_t rows = 1'000;

std::string row(std::size_t number) {
  return insert_of(table, std::to_string(number), "suspended, for now: number " + std::to_string(number));
}

std::vector<std::string> transaction() {
  std::vector<std::string> messages{begin_of(0x100, 7), relation_of(table, "accounts")};
  for (std::size_t i = 0; i < rows; ++i) messages.push_back(row(i));
  messages.push_back(commit_of(0x100, 0x200));
  return messages;
}

/// @param use  called with each change
template <class Use>
void decode(benchmark::State& state, wanted_changes wanted, const Use& use) {
  const std::vector<std::string> messages = transaction();
  change_decoder by{wanted, session_settings{}};
  std::size_t changes = 0;
  for (auto _ : state) {
    by.pass_over({});
    for (const std::string& each : messages)
      if (by.take(as_bytes(each)) == change_decoder::outcome::change) {
        use(by.now());
        ++changes;
      }
  }
  if (changes != rows * static_cast<std::size_t>(state.iterations())) state.SkipWithError("changes are missing");
  state.SetItemsProcessed(static_cast<std::int64_t>(changes));
}

void changes_decoded(benchmark::State& state) {
  decode(state, {}, [](const change_view& each) { benchmark::DoNotOptimize(each.at); });
}
void changes_as_json(benchmark::State& state) {
  text_buffer to;
  std::vector<std::string_view> unchanged;
  decode(state, {}, [&](const change_view& each) {
    to.clear();
    benchmark::DoNotOptimize(each.relation->write(to, each.row.after, {}, unchanged));
  });
}
void changes_as_columns(benchmark::State& state) {
  std::vector<std::byte> to;
  std::vector<std::string_view> unchanged;
  decode(state, {.columns = true}, [&](const change_view& each) {
    each.relation->copy(to, each.row.after, {}, unchanged);
    benchmark::DoNotOptimize(to.data());
  });
}
BENCHMARK(changes_decoded)->Apply(sluice::bench::as_asked);
BENCHMARK(changes_as_json)->Apply(sluice::bench::as_asked);
BENCHMARK(changes_as_columns)->Apply(sluice::bench::as_asked);

}  // namespace
