#pragma once
// Shared by the counting clients: the command line, the clock, and the line of output.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>

namespace sluice::bench {

struct counting_options {
  std::string dsn;
  std::string relation;  // has a column `data`; pasted into the SQL unchanged
  std::string mode;      // its values depend on the client; empty: the first of them
  std::string libpq{"libpq.so.5"};
  int chunk_rows{};

  [[nodiscard]] std::string query() const { return "select data from " + relation; }
};

inline counting_options read_options(int argc, char** argv) {
  counting_options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name{argv[i]};
    if (!name.starts_with('-')) {
      options.relation = name;
      continue;
    }
    if (++i == argc) throw std::invalid_argument{std::string{name} + " needs a value"};
    if (name == "-d" || name == "--dsn")
      options.dsn = argv[i];
    else if (name == "--mode")
      options.mode = argv[i];
    else if (name == "--libpq")
      options.libpq = argv[i];
    else if (name == "--chunked")
      options.chunk_rows = std::stoi(argv[i]);
    else
      throw std::invalid_argument{"no such option: " + std::string{name}};
  }
  if (options.relation.empty()) throw std::invalid_argument{"no relation given"};
  return options;
}

// Started just before the query is sent: connecting is not part of this comparison.
class tally {
 public:
  void row(std::size_t document_size) noexcept {
    if (rows_++ == 0) first_row_ = clock::now();
    bytes_ += document_size;
  }
  // For clients that learn the totals only at the end.
  void first_row_now() noexcept { first_row_ = clock::now(); }
  void totals(std::uint64_t rows, std::uint64_t bytes) noexcept {
    rows_ = rows;
    bytes_ = bytes;
  }
  void print(std::string_view client) const {
    std::printf("{\"client\":\"%.*s\",\"rows\":%llu,\"bytes\":%llu,\"ttfr_us\":%lld,\"elapsed_us\":%lld}\n",
                static_cast<int>(client.size()), client.data(), static_cast<unsigned long long>(rows_),
                static_cast<unsigned long long>(bytes_), microseconds(rows_ == 0 ? clock::now() : first_row_),
                microseconds(clock::now()));
  }

 private:
  using clock = std::chrono::steady_clock;
  [[nodiscard]] long long microseconds(clock::time_point until) const {
    return std::chrono::duration_cast<std::chrono::microseconds>(until - start_).count();
  }

  clock::time_point start_{clock::now()};
  clock::time_point first_row_{};
  std::uint64_t rows_{};
  std::uint64_t bytes_{};
};

template <class Count>
int counting_main(int argc, char** argv, Count count) {
  try {
    count(read_options(argc, argv));
    return 0;
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "%s: %s\n", argv[0], problem.what());
    return 1;
  }
}

}  // namespace sluice::bench
