#pragma once
// stream_from, libpqxx's fastest API for many rows, as the benchmarks use it.
#include <cstddef>
#include <memory>
#include <pqxx/pqxx>
#include <string>
#include <tuple>
#include <vector>

namespace sluice::bench {

/// Reads column `data` of a table with COPY. The server refuses to COPY a view.
class libpqxx_stream {
 public:
  libpqxx_stream(pqxx::transaction_base& in, const std::string& table)
      : rows_{std::construct_at(reinterpret_cast<pqxx::stream_from*>(memory_), in, table,
                                std::vector<std::string>{"data"})} {}
  ~libpqxx_stream() { std::destroy_at(rows_); }  // reads the remaining rows
  libpqxx_stream(const libpqxx_stream&) = delete;
  libpqxx_stream& operator=(const libpqxx_stream&) = delete;

  /// @return false at the end
  bool next(std::string& document) {
    const bool found = static_cast<bool>(*rows_ >> row_);
    if (found) std::swap(document, std::get<0>(row_));
    return found;
  }
  void complete() { rows_->complete(); }

 private:
  // libpqxx 6 does not initialize a flag of stream_from: the first >> fails unless the memory was zero.
  alignas(pqxx::stream_from) std::byte memory_[sizeof(pqxx::stream_from)]{};
  pqxx::stream_from* rows_;
  std::tuple<std::string> row_;
};

}  // namespace sluice::bench
