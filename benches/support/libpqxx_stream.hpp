#pragma once
// Many rows with the fastest API that each version of libpqxx documents, as the benchmarks use it: `stream` of a query
// from version 7, `stream_from` of a table before. Both run COPY in the text format.
#include <cstddef>
#include <memory>
#include <pqxx/pqxx>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace sluice::bench {

#if PQXX_VERSION_MAJOR >= 7

using libpqxx_text = std::string_view;  ///< a field; valid until the next row
inline constexpr std::string_view libpqxx_way{"stream"};

/// Reads columns of a relation. `on_row` takes a tuple with a libpqxx_text for each column, and returns false to leave.
template <class... Texts, class OnRow>
void read_by_libpqxx(pqxx::transaction_base& in, const std::string& relation, const std::vector<std::string>& columns,
                     const OnRow& on_row) {
  std::string sql;
  for (const std::string& column : columns) sql.append(sql.empty() ? "select " : ", ").append(column);
  for (const std::tuple<Texts...>& row : in.stream<Texts...>(sql + " from " + relation))
    if (!on_row(row)) return;
}

#else

using libpqxx_text = std::string;
inline constexpr std::string_view libpqxx_way{"stream_from"};

/// libpqxx 6 does not initialize a flag of stream_from: the first >> fails unless the memory was zero.
class stream_from_in_zeroed_memory {
 public:
  template <class... Arguments>
  explicit stream_from_in_zeroed_memory(Arguments&&... arguments)
      : stream_{
            std::construct_at(reinterpret_cast<pqxx::stream_from*>(zeroed()), std::forward<Arguments>(arguments)...)} {}
  ~stream_from_in_zeroed_memory() { std::destroy_at(stream_); }  // reads the remaining rows
  stream_from_in_zeroed_memory(const stream_from_in_zeroed_memory&) = delete;
  stream_from_in_zeroed_memory& operator=(const stream_from_in_zeroed_memory&) = delete;

  [[nodiscard]] pqxx::stream_from& get() noexcept { return *stream_; }

 private:
  /// Volatile, because a compiler may drop what is written before a constructor runs.
  std::byte* zeroed() noexcept {
    for (volatile std::byte& each : memory_) each = std::byte{};
    return memory_;
  }

  alignas(pqxx::stream_from) std::byte memory_[sizeof(pqxx::stream_from)];
  pqxx::stream_from* stream_;
};

/// Reads columns of a table: the server refuses to COPY a view. `on_row` as above.
template <class... Texts, class OnRow>
void read_by_libpqxx(pqxx::transaction_base& in, const std::string& table, const std::vector<std::string>& columns,
                     const OnRow& on_row) {
  stream_from_in_zeroed_memory rows{in, table, columns};
  std::tuple<Texts...> row;
  while (rows.get() >> row)
    if (!on_row(row)) return;
  rows.get().complete();
}

#endif

/// Reads the column `data`. `on_document` takes its text, and returns false to leave.
template <class OnDocument>
void read_documents_by_libpqxx(pqxx::transaction_base& in, const std::string& relation, const OnDocument& on_document) {
  read_by_libpqxx<libpqxx_text>(in, relation, {"data"},
                                [&](const auto& row) { return on_document(std::string_view{std::get<0>(row)}); });
}

}  // namespace sluice::bench
