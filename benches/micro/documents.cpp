// What it costs to look into one document of a row: simdjson by hand, a typed struct, and conditions evaluated on the
// client; each over the same rows, with the row iteration in it.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <sluice/stream/chunk.hpp>
#include <sluice/stream/typed.hpp>
#include <string>

#include "backend.hpp"
#include "client_filter.hpp"

namespace bench {
struct user {
  std::int64_t id{};
  std::string_view name;
  double score{};
};
SLUICE_JSON(user, id, name, score)
}  // namespace bench

namespace {

constexpr std::size_t rows = 300;

/// Documents of about `size` bytes as they lie in a receive buffer.
class documents {
 public:
  explicit documents(std::size_t size) {
    sluice::test::backend sent;
    for (std::size_t i = 0; i < rows; ++i) {
      std::string text = R"({"id": )" + std::to_string(1000 + i) + R"(, "name": "user number )" + std::to_string(i) +
                         R"(", "score": )" + std::to_string(i) + R"(.25, "active": true, "rest": ")";
      text.append(size > text.size() + 2 ? size - text.size() - 2 : 0, 'x').append("\"}");
      sent.data_row(text);
    }
    size_ = sent.bytes.size();
    bytes_ = std::make_unique<std::byte[]>(size_ + 64);
    std::memcpy(bytes_.get(), sent.bytes.data(), size_);
  }
  [[nodiscard]] sluice::chunk chunk() const {
    return sluice::chunk{{.begin = bytes_.get(), .end = bytes_.get() + size_, .shape = {}, .walked = nullptr}};
  }

 private:
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t size_{};
};

template <class Look>
void each_row(benchmark::State& state, Look look) {
  const documents here{static_cast<std::size_t>(state.range(0))};
  for (auto _ : state)
    for (const sluice::row each : here.chunk()) look(each);
  state.SetItemsProcessed(static_cast<std::int64_t>(rows) * state.iterations());
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

void two_conditions(benchmark::State& state) {
  const sluice::predicate wanted = sluice::field("id") >= 1100 && sluice::field("active") == true;
  sluice::detail::client_filter filter{wanted.on_client().made()};
  std::size_t matched = 0;
  each_row(state, [&](const sluice::row& each) { matched += filter.matches(each) ? 1U : 0U; });
  if (matched != (rows - 100) * static_cast<std::size_t>(state.iterations()))
    state.SkipWithError("not the rows that match");
}

BENCHMARK(iteration_alone)->Arg(120)->Arg(200)->Arg(1000);
BENCHMARK(three_fields_by_hand)->Arg(120)->Arg(200)->Arg(1000);
BENCHMARK(three_fields_typed)->Arg(120)->Arg(200)->Arg(1000);
BENCHMARK(two_conditions)->Arg(120)->Arg(200)->Arg(1000);

}  // namespace
