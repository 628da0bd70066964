#pragma once
// The statements that open a partition, and what their answers mean.
#include <span>
#include <string>
#include <string_view>

#include <sluice/stream/partitions.hpp>
#include <sluice/stream/query.hpp>
#include <sluice/stream/row.hpp>
#include <sluice/stream/transaction_options.hpp>

#include "parallel/partition_text.hpp"

namespace sluice::detail {

/// The settings on which the meaning of an SQL text, or of a value's text, depends: an array in SQL.
inline constexpr std::string_view settings_of_meaning{
    "{search_path,TimeZone,DateStyle,IntervalStyle,bytea_output,extra_float_digits,lc_monetary,xmloption,"
    "array_nulls,transform_null_equals}"};

class partition_opening {
 public:
  /// @par Errors  throws error: bad_partition
  explicit partition_opening(std::string_view descriptor);

  [[nodiscard]] static transaction_options block() noexcept {
    return {.isolation = isolation::repeatable_read, .read_only = true};
  }
  /// The first statement of the transaction.
  [[nodiscard]] query import_snapshot() const;
  /// @return what is thrown instead of an error of that statement
  [[nodiscard]] error import_failed(const error& why) const;

  /// Whether the exporter vouches for the descriptor; this takes its settings over as well.
  [[nodiscard]] query question() const;
  /// @par Errors  throws error: bad_partition
  void take_answer(const row& answer) const;

  /// A query without rows, of whose columns `compare` is told.
  [[nodiscard]] query description() const { return description_of(facts_); }
  /// @par Errors  throws error: result_changed
  void compare(std::span<const result_column> columns) const;

  /// The rows themselves.
  [[nodiscard]] query rows(const partition_read& how) const;

  [[nodiscard]] std::string explain() const;

  // For those who make descriptors.
  static void store(partition_facts& to, const query& what);
  [[nodiscard]] static query description_of(const partition_facts& facts);
  /// @pre its columns are known
  static void decide_shape(partition_facts& of, const query& what);

 private:
  [[nodiscard]] std::string name() const;

  partition_facts facts_;
  std::int64_t lock_;
};

}  // namespace sluice::detail
