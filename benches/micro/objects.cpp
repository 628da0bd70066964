// The cost of building objects from rows of eight columns, from the binary format and from text: a thousand rows each.
#include <benchmark/benchmark.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "backend.hpp"
#include "bytes.hpp"
#include "canned_rows.hpp"
#include "iterations.hpp"
#include "json/object_writer.hpp"

namespace {

using namespace sluice::detail;
using sluice::test::be16;
using sluice::test::be32;

constexpr std::size_t rows = 1'000;

using sluice::bench::canned_columns;

std::string be64(std::uint64_t value) {
  return be32(static_cast<std::uint32_t>(value >> 32U)) + be32(static_cast<std::uint32_t>(value));
}

/// @param values  the fields of the row
std::string body(const std::array<std::string, canned_columns.size()>& values) {
  std::string all = be16(canned_columns.size());
  for (const std::string& each : values) all += be32(static_cast<std::uint32_t>(each.size())) + each;
  return all;
}

/// Random values, the same in every run.
class values {
 public:
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  std::string name(std::size_t row) {
    std::string number = std::to_string(row);
    number.insert(0, 9 - number.size(), '0');
    return "user-" + number;
  }
  static const char* status(std::size_t row) { return row % 10 == 0 ? "active" : "suspended, for now"; }

 private:
  std::mt19937_64 random_{1};  // NOLINT(cert-msc51-cpp)
};

/// @param score  returns a value for the last column
template <class Score>
std::vector<std::string> binary_rows(const Score& score) {
  values next;
  std::vector<std::string> bodies;
  for (std::size_t i = 0; i < rows; ++i) {
    const auto hundreds = static_cast<std::uint32_t>(1 + next.below(9'999));
    const auto hundredths = static_cast<std::uint32_t>(100 * next.below(100));
    bodies.push_back(body({be64(next.below(10'000'000)), next.name(i),
                           be16(2) + be16(0) + be16(0) + be16(2) + be16(hundreds) + be16(hundredths),
                           be64(788'918'400'000'000 + next.below(100'000'000'000'000)),
                           std::string(1, static_cast<char>(i % 2)), be32(static_cast<std::uint32_t>(18 + i % 70)),
                           values::status(i), be64(std::bit_cast<std::uint64_t>(score(next)))}));
  }
  return bodies;
}

std::vector<std::string> text_rows() {
  values next;
  std::vector<std::string> bodies;
  for (std::size_t i = 0; i < rows; ++i)
    bodies.push_back(body({std::to_string(next.below(10'000'000)), next.name(i),
                           std::to_string(1 + next.below(9'999)) + '.' + std::to_string(10 + next.below(90)),
                           "2025-03-07 12:34:56.789012+05:30", i % 2 == 0 ? "f" : "t", std::to_string(18 + i % 70),
                           values::status(i), std::to_string(next.below(1'000)) + ".25"}));
  return bodies;
}

void write_all(benchmark::State& state, const std::vector<std::string>& bodies, bool from_text) {
  object_writer objects;
  for (const sluice::bench::canned_column& each : canned_columns)
    objects.add_column(
        each.name, from_text ? plan_text_values(each.type, {}, {.is_in_utc = false}) : plan_values(each.type, {}, {}));
  text_buffer to;
  for (auto _ : state) {
    to.clear();
    for (const std::string& each : bodies)
      if (!objects.write(to, sluice::test::as_bytes(each))) state.SkipWithError("a row is malformed");
    benchmark::DoNotOptimize(to.text().data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(to.size()));
}

/// Floats with few digits, such as prices.
void objects_of_eight_columns(benchmark::State& state) {
  write_all(state, binary_rows([](values& next) { return static_cast<double>(next.below(100'000)) / 100; }), false);
}

/// Floats with all their digits, such as measurements.
void objects_of_eight_columns_long_floats(benchmark::State& state) {
  write_all(state, binary_rows([](values& next) { return static_cast<double>(next.below(1ULL << 53U)) * 0x1p-43; }),
            false);
}

void objects_of_eight_texts(benchmark::State& state) { write_all(state, text_rows(), true); }

BENCHMARK(objects_of_eight_columns)->Apply(sluice::bench::as_asked);
BENCHMARK(objects_of_eight_columns_long_floats)->Apply(sluice::bench::as_asked);
BENCHMARK(objects_of_eight_texts)->Apply(sluice::bench::as_asked);

}  // namespace
