// The cost of encoding the messages of a start-up and of a query, and of decoding those of an answer.
#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>
#include "machines/query_machine.hpp"
#include "messages/backend.hpp"
#include "messages/error_fields.hpp"
#include "messages/frontend.hpp"

#include "backend.hpp"
#include "bytes.hpp"
#include "iterations.hpp"

namespace {

namespace proto = sluice::proto;
using sluice::test::as_bytes;
using sluice::test::backend;

constexpr std::size_t header = proto::header_size;

void encode_startup(benchmark::State& state) {
  const std::array parameters{proto::startup_parameter{"user", "app"}, proto::startup_parameter{"database", "app"},
                              proto::startup_parameter{"client_encoding", "UTF8"},
                              proto::startup_parameter{"application_name", "service"}};
  proto::output out;
  for (auto _ : state) {
    out.clear();
    benchmark::DoNotOptimize(encode(proto::startup_message{.parameters = parameters}, out));
  }
}

/// @param state  range: the number of bound parameters
void encode_flight(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const std::vector<proto::parameter> values(count, proto::parameter{.value = "a value of a parameter"});
  const std::vector<std::uint32_t> types(count, 25);
  proto::output out;
  for (auto _ : state) {
    out.clear();
    bool refused = static_cast<bool>(encode(proto::parse{"", "select data from v_user where id = $1", types}, out));
    refused |= static_cast<bool>(encode(proto::bind{.parameters = values}, out));
    refused |= static_cast<bool>(encode(proto::describe{}, out));
    refused |= static_cast<bool>(encode(proto::execute{}, out));
    refused |= static_cast<bool>(encode(proto::sync{}, out));
    if (refused) state.SkipWithError("not encoded");
  }
}

/// @param state  range: the number of columns
void decode_data_row(benchmark::State& state) {
  std::string body = sluice::test::be16(static_cast<std::uint32_t>(state.range(0)));
  for (std::int64_t i = 0; i < state.range(0); ++i) body += sluice::test::be32(8) + "12345678";
  for (auto _ : state) {
    const auto row = proto::decode_data_row(as_bytes(body));
    std::size_t bytes = 0;
    for (const auto& value : *row) bytes += value->size();
    benchmark::DoNotOptimize(bytes);
  }
}

/// @param state  range: the number of columns
void decode_row_description(benchmark::State& state) {
  std::string body = sluice::test::be16(static_cast<std::uint32_t>(state.range(0)));
  for (std::int64_t i = 0; i < state.range(0); ++i) body += std::string("a_column") + std::string(19, '\0');
  for (auto _ : state) {
    const auto columns = proto::decode_row_description(as_bytes(body));
    std::size_t length = 0;
    for (const proto::column& each : *columns) length += each.name.size();
    benchmark::DoNotOptimize(length);
  }
}

void decode_error_fields(benchmark::State& state) {
  const std::string message = backend{}.error("42P01", "relation \"missing\" does not exist").bytes;
  for (auto _ : state)
    benchmark::DoNotOptimize(proto::decode_error_fields(as_bytes(std::string_view{message}.substr(header))));
}

void query_machine_conversation(benchmark::State& state) {
  const std::string description = backend{}.row_description().bytes;
  for (auto _ : state) {
    proto::query_machine machine;
    machine.sent(proto::parse{});
    machine.sent(proto::bind{});
    machine.sent(proto::describe{});
    machine.sent(proto::execute{});
    machine.sent(proto::sync{});
    for (const char type : {'1', '2', 'T', 'C', 'Z'}) benchmark::DoNotOptimize(machine.on({type, {}}));
    if (!machine.is_idle()) state.SkipWithError("the conversation is not over");
  }
}

BENCHMARK(encode_startup)->Apply(sluice::bench::as_asked);
BENCHMARK(encode_flight)->Apply(sluice::bench::as_asked)->Arg(0)->Arg(4)->Arg(16);
BENCHMARK(decode_data_row)->Apply(sluice::bench::as_asked)->Arg(1)->Arg(4)->Arg(16);
BENCHMARK(decode_row_description)->Apply(sluice::bench::as_asked)->Arg(1)->Arg(16);
BENCHMARK(decode_error_fields)->Apply(sluice::bench::as_asked);
BENCHMARK(query_machine_conversation)->Apply(sluice::bench::as_asked);

}  // namespace
