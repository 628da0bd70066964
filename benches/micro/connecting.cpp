// The client's cost of connecting, without waiting: parsing connection strings, and SCRAM with and without cached keys.
#include <benchmark/benchmark.h>

#include <sluice/wire/conninfo.hpp>
#include <string>
#include "auth/scram.hpp"

#include "iterations.hpp"
#include "scram_server.hpp"

namespace {

namespace proto = sluice::proto;

void parse_conninfo(benchmark::State& state, const char* text) {
  for (auto _ : state) benchmark::DoNotOptimize(sluice::conninfo::parse(text));
}

/// One login: the client's part, and the server's two short messages.
/// @param known  the keys of an earlier login
std::optional<proto::scram_keys> log_in(benchmark::State& state, const sluice::test::scram_server& server,
                                        const std::string& server_final, const proto::scram_keys* known) {
  proto::scram_client client{"pencil", "client-nonce"};
  std::string answer;
  benchmark::DoNotOptimize(client.client_first());
  bool refused = static_cast<bool>(client.on_server_first(server.first("client-nonce")));
  if (known != nullptr) refused |= !client.reuse(*known);
  while (!refused && !client.hashed()) refused |= static_cast<bool>(client.hash_some(1'000));
  refused |= static_cast<bool>(client.client_final(answer));
  refused |= static_cast<bool>(client.on_server_final(server_final));
  if (refused || !client.server_proved()) {
    state.SkipWithError("the login went wrong");
    return std::nullopt;
  }
  return client.keys();
}

std::string final_of(const sluice::test::scram_server& server) {
  return server.expect("n=,r=client-nonce", server.first("client-nonce"), "c=biws,r=client-nonceserver-nonce")
      .server_final;
}

void scram_with_4096_rounds(benchmark::State& state) {
  const sluice::test::scram_server server;
  const std::string last = final_of(server);
  for (auto _ : state) benchmark::DoNotOptimize(log_in(state, server, last, nullptr));
}

void scram_with_known_keys(benchmark::State& state) {
  const sluice::test::scram_server server;
  const std::string last = final_of(server);
  const auto keys = log_in(state, server, last, nullptr);
  if (!keys) return;
  for (auto _ : state) benchmark::DoNotOptimize(log_in(state, server, last, &*keys));
}

BENCHMARK_CAPTURE(parse_conninfo, uri,
                  "postgresql://me:secret@db1.example:5432,db2.example/app?sslmode=require&application_name=service")
    ->Apply(sluice::bench::as_asked);
BENCHMARK_CAPTURE(parse_conninfo, keyvalue,
                  "host=db1.example,db2.example port=5432 user=me password=secret dbname=app sslmode=require "
                  "application_name=service")
    ->Apply(sluice::bench::as_asked);
BENCHMARK(scram_with_4096_rounds)->Apply(sluice::bench::as_asked);
BENCHMARK(scram_with_known_keys)->Apply(sluice::bench::as_asked);

}  // namespace
