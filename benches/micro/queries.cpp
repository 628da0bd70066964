// The cost of building a query and an error: conditions to SQL, names of SQLSTATEs, the exception itself.
#include <benchmark/benchmark.h>

#include <sluice/stream/query.hpp>
#include <sluice/wire/error.hpp>
#include <string>
#include <vector>
#include "engine/statement_names.hpp"
#include "tables/sqlstate.hpp"

#include "iterations.hpp"

namespace {

/// @param state  range: the number of conditions
void predicate_to_sql(benchmark::State& state) {
  for (auto _ : state) {
    std::vector<sluice::predicate> conditions;
    for (std::int64_t i = 0; i < state.range(0); ++i)
      conditions.push_back(sluice::field("profile.field" + std::to_string(i)) == i);
    benchmark::DoNotOptimize(sluice::from("app.v_user").where(sluice::all_of(std::move(conditions))).build());
  }
}

void name_of_a_prepared_statement(benchmark::State& state) {
  const sluice::wire::statement what{.text = "select data from v_user where data->>'status' = $1 order by data->>'id'"};
  for (auto _ : state) benchmark::DoNotOptimize(sluice::wire::statement_names::name_of(what));
}

void make_an_error(benchmark::State& state) {
  for (auto _ : state) {
    sluice::server_message said;
    said.severity = "ERROR";
    said.sqlstate = "42P01";
    said.message = "relation \"missing\" does not exist";
    benchmark::DoNotOptimize(
        sluice::error{sluice::error_info{.code = sluice::errc::server_error,
                                         .message = "relation \"missing\" does not exist (querying database \"app\")",
                                         .server = std::move(said)}});
  }
}

void throw_an_error(benchmark::State& state) {
  const sluice::error failure{sluice::errc::connection_lost, "the server closed the connection"};
  for (auto _ : state) {
    try {
      throw failure;
    } catch (const sluice::error& caught) {
      benchmark::DoNotOptimize(caught.kind());
    }
  }
}

BENCHMARK(predicate_to_sql)->Apply(sluice::bench::as_asked)->Arg(1)->Arg(5)->Arg(20);
BENCHMARK(name_of_a_prepared_statement)->Apply(sluice::bench::as_asked);
BENCHMARK(make_an_error)->Apply(sluice::bench::as_asked);
BENCHMARK(throw_an_error)->Apply(sluice::bench::as_asked);

}  // namespace
