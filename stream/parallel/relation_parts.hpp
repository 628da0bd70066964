#pragma once
// How a relation is divided, once it is known what the server says about it. Together the parts return each row of the
// relation exactly once.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/stream/predicate.hpp>
#include <sluice/stream/query.hpp>

namespace sluice::detail {

/// Enough tasks that the last ones end at about the same time, whatever their size.
inline constexpr std::uint64_t tasks_per_connection = 16;
/// Pages that are worth a task.
inline constexpr std::uint64_t smallest_range = 16;

struct split_task {
  query what;
  std::uint64_t weight;     // pages, or 1
  std::uint32_t table = 0;  // whose rows they are, where there are several
};

/// From `first` on, up to before `end`, as texts of tid.
struct page_range {
  std::string first;
  std::string end;
  std::uint64_t pages;
};
/// At most so many ranges, each of at least `smallest` pages. The last one is open-ended: the table may have grown
/// before its size was queried.
[[nodiscard]] std::vector<page_range> page_ranges(std::uint64_t pages, std::uint64_t most, std::uint64_t smallest);
/// The first server that finds a range without scanning the whole table.
inline constexpr std::uint32_t scans_page_ranges = 140000;
/// SQL of how many pages a table has. A page number of a partitioned table stands for that page in each of its
/// partitions.
/// @param oid  SQL of the table's oid
[[nodiscard]] std::string pages_in_sql(std::string_view oid);
/// The condition of a range, with $1 and $2 as its bounds: one statement for all of them, whose columns are known after
/// the first.
inline constexpr const char* in_page_range =
    "ctid operator(pg_catalog.>=) $1::pg_catalog.tid and ctid operator(pg_catalog.<) $2::pg_catalog.tid";

/// A relation about to be divided.
struct whole {
  const relation& what;
  std::uint32_t connections;
  bool is_exact{false};  // one task for each connection, each by whoever takes it

  /// The task for the rows that match.
  [[nodiscard]] split_task part(const predicate& condition, std::uint64_t weight = 1) const;
  [[nodiscard]] split_task all() const;
  /// A merge needs a row of each part at the same time.
  [[nodiscard]] std::uint64_t most_tasks() const noexcept;
};

/// Ranges of pages.
/// @param pages  in the table, or in the largest of its partitions
[[nodiscard]] std::vector<split_task> in_pages(const whole& from, std::uint64_t pages);

/// Ranges from the smallest to the largest key, and a part for rows without a key. The first part and the last one are
/// open-ended, so that keys beyond bigint are covered, too.
/// @param parts  the largest number of them
[[nodiscard]] std::vector<split_task> in_ranges(const whole& from, const operand& key, std::int64_t least,
                                                std::int64_t most, std::uint64_t parts);

/// A part per connection, by the hash of a field's text.
[[nodiscard]] std::vector<split_task> in_buckets(const whole& from, std::string_view path);

}  // namespace sluice::detail
