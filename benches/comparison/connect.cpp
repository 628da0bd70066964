// From nothing to a session that is ready, and its end: sluice beside libpq, on the same server (SLUICE_TEST_TCP_DSN,
// as ci/with-postgres sets it), for each way to log in. libpq before 17 knows no direct TLS.
#include <benchmark/benchmark.h>
#include <libpq-fe.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <sluice/sluice.hpp>
#include <stdexcept>
#include <string>

namespace {

struct way_in {
  const char* name;
  const char* user;
  const char* options;
  bool direct;
};
constexpr std::array ways{
    way_in{"trust", "trust_user", "sslmode=disable", false}, way_in{"scram", "scram_user", "sslmode=disable", false},
    way_in{"tls_scram", "scram_user", "sslmode=require channel_binding=require", false},
    way_in{"direct_tls_scram", "scram_user", "sslmode=require channel_binding=require sslnegotiation=direct", true}};

std::string dsn(const way_in& way) {
  const char* port = std::getenv("SLUICE_TEST_PORT");
  if (port == nullptr) throw std::runtime_error("SLUICE_TEST_PORT is not set: run ci/bench comparison");
  return std::string{"host=127.0.0.1 dbname=sluice password=secret port="} + port + " user=" + way.user + ' ' +
         way.options;
}

void connect_sluice(benchmark::State& state, const way_in& way) {
  const std::string conninfo = dsn(way);
  for (auto _ : state) {
    const sluice::client db{conninfo};
    benchmark::DoNotOptimize(db.backend_pid());
  }
}

void connect_libpq(benchmark::State& state, const way_in& way) {
  const std::string conninfo = dsn(way);
  for (auto _ : state) {
    const std::unique_ptr<PGconn, decltype(&PQfinish)> db{PQconnectdb(conninfo.c_str()), &PQfinish};
    if (PQstatus(db.get()) != CONNECTION_OK) state.SkipWithError(PQerrorMessage(db.get()));
  }
}

int server_version() {
  sluice::client db{dsn(ways[0])};
  return std::stoi(std::string{db.parameter("server_version")});
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  const bool direct = server_version() >= 17;
  for (const way_in& way : ways) {
    if (way.direct && !direct) continue;
    benchmark::RegisterBenchmark((std::string{"connect/"} + way.name + "/sluice").c_str(), connect_sluice, way)
        ->UseRealTime();
    if (way.direct && PQlibVersion() < 170000) continue;
    benchmark::RegisterBenchmark((std::string{"connect/"} + way.name + "/libpq").c_str(), connect_libpq, way)
        ->UseRealTime();
  }
  benchmark::RunSpecifiedBenchmarks();
}
