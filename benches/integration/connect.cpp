// Connecting and disconnecting: sluice compared with libpq on a real server, for each kind of address and each
// authentication method. Direct TLS needs libpq 17.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <sluice/sluice.hpp>
#include <stdexcept>
#include <string>

#include "server.hpp"

namespace {

struct way_in {
  const char* name;
  const char* options;
  bool is_direct;
};
constexpr way_in ways[]{
    {"unix_trust", nullptr, false},  // null: the server's own test user
    {"tcp_trust", "user=trust_user sslmode=disable", false},
    {"tcp_scram", "user=scram_user sslmode=disable", false},
    {"tls_scram", "user=scram_user sslmode=require channel_binding=require", false},
    {"direct_tls_scram", "user=scram_user sslmode=require channel_binding=require sslnegotiation=direct", true}};

std::string dsn(const way_in& way) {
  if (way.options == nullptr) return sluice::bench::dsn();
  return "host=127.0.0.1 dbname=sluice password=secret port=" + sluice::bench::setting("SLUICE_TEST_PORT") + ' ' +
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
  for (auto _ : state) const sluice::bench::libpq_client db{conninfo};
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  const bool takes_direct_tls =
      std::stoi(std::string{sluice::client{sluice::bench::dsn()}.parameter("server_version")}) >= 17;
  for (const way_in& way : ways) {
    if (way.is_direct && !takes_direct_tls) continue;
    const std::string name = way.name;
    benchmark::RegisterBenchmark((name + "/sluice").c_str(), connect_sluice, way)->UseRealTime();
    if (way.is_direct && PQlibVersion() < 170'000) continue;
    benchmark::RegisterBenchmark((name + "/libpq").c_str(), connect_libpq, way)->UseRealTime();
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
