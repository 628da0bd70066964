#pragma once
// stream_from, libpqxx's fastest API for many rows, as the benchmarks use it.
#include <cstddef>
#include <memory>
#include <pqxx/pqxx>
#include <string>
#include <tuple>
#include <vector>

namespace sluice::bench {

/// Reads columns of a table with COPY. The server refuses to COPY a view.
class libpqxx_rows {
 public:
  libpqxx_rows(pqxx::transaction_base& in, const std::string& table, const std::vector<std::string>& columns)
      : rows_{std::construct_at(reinterpret_cast<pqxx::stream_from*>(zeroed()), in, table, columns)} {}
  ~libpqxx_rows() { std::destroy_at(rows_); }  // reads the remaining rows
  libpqxx_rows(const libpqxx_rows&) = delete;
  libpqxx_rows& operator=(const libpqxx_rows&) = delete;

  /// @return false at the end
  template <class... Fields>
  bool next(std::tuple<Fields...>& row) {
    return static_cast<bool>(*rows_ >> row);
  }
  void complete() { rows_->complete(); }

 private:
  /// libpqxx 6 does not initialize a flag of stream_from: the first >> fails unless the memory was zero. Volatile,
  /// because a compiler may drop what is written before a constructor runs.
  std::byte* zeroed() noexcept {
    for (volatile std::byte& each : memory_) each = std::byte{};
    return memory_;
  }

  alignas(pqxx::stream_from) std::byte memory_[sizeof(pqxx::stream_from)];
  pqxx::stream_from* rows_;
};

/// Reads the column `data` of a table.
class libpqxx_stream {
 public:
  libpqxx_stream(pqxx::transaction_base& in, const std::string& table) : rows_{in, table, {"data"}} {}

  /// @return false at the end
  bool next(std::string& document) {
    const bool found = rows_.next(row_);
    if (found) std::swap(document, std::get<0>(row_));
    return found;
  }
  void complete() { rows_.complete(); }

 private:
  libpqxx_rows rows_;
  std::tuple<std::string> row_;
};

}  // namespace sluice::bench
