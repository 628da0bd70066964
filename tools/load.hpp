#pragma once
// Documents from a descriptor into a table.
#include <cstdint>
#include <functional>
#include <string>

#include <sluice/stream/client.hpp>
#include <sluice/stream/options.hpp>

namespace sluice::tool {

struct load_options {
  std::string relation;
  std::string column{"data"};
  bool validates{false};     // here, too; otherwise only the server does
  bool skips_errors{false};  // a line that is not JSON is left out and reported; this validates
  std::size_t longest_line{};
  query_options how{};
};

struct loaded {
  std::uint64_t rows{0};
  std::uint64_t bytes{0};
  std::uint64_t skipped{0};
};

// Reads NDJSON, one document a line, up to the end of input, and stores all of it by one COPY, or nothing.
// `report` is called for each line that is skipped, with its number and what is wrong with it; `note` now and then.
// Throws error: as client::copy_into and blocking_copy_writer; bad_json, row_too_large with the number of the line;
// std::system_error when the input cannot be read.
loaded load(client& db, int input, const load_options& given,
            const std::function<void(std::uint64_t line, const std::string& what)>& report,
            const std::function<void(const loaded&)>& note);

}  // namespace sluice::tool
