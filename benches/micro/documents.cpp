// The cost of reading a row's document, by its size: not at all, with simdjson directly, as a typed struct, as a whole
// tree, and by conditions evaluated on the client. All run over the same rows and include the iteration.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <sluice/stream/chunk.hpp>
#include <sluice/stream/typed.hpp>
#include <string>

#include "iterations.hpp"
#include "query/client_filter.hpp"
#include "received_rows.hpp"

namespace bench {
struct user {
  std::int64_t id{};
  std::string_view name;
  double score{};
};
SLUICE_JSON(user, id, name, score)
}  // namespace bench

namespace {

/// The number of rows that fit into 64 KiB, at least one.
std::size_t rows_of(std::size_t size) { return std::max<std::size_t>(1, 65'536 / size); }

/// Documents of about `size` bytes.
sluice::bench::received_rows documents(std::size_t size) {
  return {rows_of(size), [size](std::size_t i) {
            std::string text = R"({"id": )" + std::to_string(1000 + i) + R"(, "name": "user number )" +
                               std::to_string(i) + R"(", "score": )" + std::to_string(i) +
                               R"(.25, "active": true, "tags": [)";
            for (int tag = 0; text.size() + 60 < size; ++tag)
              text += (tag == 0 ? "" : ", ") + ("{\"n\": " + std::to_string(tag)) + R"(, "word": "abcdefghijkl"})";
            return text + "]}";
          }};
}

template <class Look>
void each_row(benchmark::State& state, Look look) {
  const sluice::bench::received_rows here = documents(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state)
    for (const sluice::row each : here.chunk()) look(each);
  state.SetItemsProcessed(static_cast<std::int64_t>(here.count()) * state.iterations());
}

void iteration_alone(benchmark::State& state) {
  each_row(state, [](const sluice::row& each) { benchmark::DoNotOptimize(each.text().data()); });
}

void three_fields_by_hand(benchmark::State& state) {
  sluice::json_parser parser;
  each_row(state, [&](const sluice::row& each) {
    sluice::json_document document = each.json(parser);
    bench::user who;
    who.id = document["id"].get_int64();
    who.name = document["name"].get_string();
    who.score = document["score"].get_double();
    benchmark::DoNotOptimize(who);
  });
}

void three_fields_typed(benchmark::State& state) {
  sluice::json_parser parser;
  each_row(state, [&](const sluice::row& each) {
    bench::user who;
    sluice::read_row(each, who, parser);
    benchmark::DoNotOptimize(who);
  });
}

/// Reads every value of the document, as a tree.
void whole_document(benchmark::State& state) {
  simdjson::dom::parser parser;
  each_row(state, [&](const sluice::row& each) {
    const std::string_view text = each.text();
    simdjson::dom::element root;
    if (parser.parse(text.data(), text.size(), false).get(root) != simdjson::SUCCESS) state.SkipWithError("no JSON");
    benchmark::DoNotOptimize(root);
  });
}

void two_conditions(benchmark::State& state) {
  const sluice::predicate wanted = sluice::field("id") >= 1100 && sluice::field("active") == true;
  sluice::detail::client_filter filter{wanted.on_client().made()};
  std::size_t matched = 0;
  each_row(state, [&](const sluice::row& each) { matched += filter.matches(each) ? 1U : 0U; });
  benchmark::DoNotOptimize(matched);
}

BENCHMARK(iteration_alone)->Apply(sluice::bench::as_asked)->Arg(200)->Arg(2'000)->Arg(20'000)->Arg(200'000);
BENCHMARK(three_fields_by_hand)->Apply(sluice::bench::as_asked)->Arg(200)->Arg(2'000)->Arg(20'000)->Arg(200'000);
BENCHMARK(three_fields_typed)->Apply(sluice::bench::as_asked)->Arg(200)->Arg(2'000)->Arg(20'000)->Arg(200'000);
BENCHMARK(whole_document)->Apply(sluice::bench::as_asked)->Arg(200)->Arg(2'000)->Arg(20'000)->Arg(200'000);
BENCHMARK(two_conditions)->Apply(sluice::bench::as_asked)->Arg(200)->Arg(2'000);

}  // namespace
