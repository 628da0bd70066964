// simdjson alone: reads three fields of each document that the replay server would send, from memory and without a
// connection. It takes the same command line as the clients; the relation's name gives the number and the size of the
// documents.
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>

#include "canned_rows.hpp"
#include "counting.hpp"
#include "three_fields.hpp"

namespace {

using namespace sluice::bench;

void count(const counting_options& options) {
  unsigned long long rows = 0;
  std::size_t size = 0;
  if (std::sscanf(options.relation.c_str(), "replay_%llu_%zu", &rows, &size) != 2)
    throw std::invalid_argument{"the relation is replay_ROWS_SIZE"};
  // As many adjacent documents as a receive buffer would hold.
  const std::size_t in_memory = std::max<std::size_t>(1, (64U << 10U) / size);
  const auto bytes = std::make_unique<char[]>(in_memory * size + simdjson::SIMDJSON_PADDING);
  for (std::size_t i = 0; i < in_memory; ++i) std::memcpy(&bytes[i * size], json_document(size, i).data(), size);

  tally counted;
  seen_users seen;
  simdjson::ondemand::parser parser;
  for (unsigned long long i = 0; i < rows; ++i) {
    const char* const at = &bytes[i % in_memory * size];
    simdjson::ondemand::document document =
        parser.iterate(simdjson::padded_string_view{at, size, size + simdjson::SIMDJSON_PADDING});
    seen.add(read_by_hand(document));
    counted.row(size);
  }
  seen.require_some();
  counted.print("simdjson alone");
}

}  // namespace

int main(int argc, char** argv) { return sluice::bench::counting_main(argc, argv, count); }
