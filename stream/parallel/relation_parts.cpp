#include "parallel/relation_parts.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "query/predicate_node.hpp"
#include "query/quoting.hpp"
#include "query/sorted_relation.hpp"

namespace sluice::detail {

namespace {

query built(const relation& part) { return part.is_ordered() ? sorted_relation::build(part) : part.build(); }

}  // namespace

split_task whole::part(const predicate& condition, std::uint64_t weight) const {
  relation part = what;
  part.where(condition);
  return {built(part), weight};
}

split_task whole::all() const { return {built(what), 1}; }

std::uint64_t whole::most_tasks() const noexcept {
  return is_exact || what.is_ordered() ? connections : tasks_per_connection * connections;
}

std::string pages_in_sql(std::string_view oid) {
  const std::string table{oid};
  return "coalesce((select pg_catalog.max(pg_catalog.pg_relation_size(p.relid)) from pg_catalog.pg_partition_tree(" +
         table + ") p where p.isleaf), pg_catalog.pg_relation_size(" + table +
         ")) operator(pg_catalog./) pg_catalog.current_setting('block_size')::pg_catalog.int8";
}

std::vector<page_range> page_ranges(std::uint64_t pages, std::uint64_t most, std::uint64_t smallest) {
  pages = std::max<std::uint64_t>(pages, 1);  // rows may have come since
  const std::uint64_t size = std::max((pages + most - 1) / most, smallest);
  const auto page = [](std::uint64_t number) { return '(' + std::to_string(number) + ",0)"; };
  constexpr std::uint64_t beyond_all = 0xFFFF'FFFF;  // no block has this number
  std::vector<page_range> ranges;
  for (std::uint64_t first = 0; first < pages; first += size) {
    const bool is_last = first + size >= pages;
    ranges.push_back({page(first), page(is_last ? beyond_all : first + size), std::min(size, pages - first)});
  }
  return ranges;
}

std::vector<split_task> in_pages(const whole& from, std::uint64_t pages) {
  std::vector<split_task> parts;
  for (const page_range& each : page_ranges(pages, from.most_tasks(), from.is_exact ? 1 : smallest_range))
    parts.push_back(from.part(sql_predicate(in_page_range, {each.first, each.end}), each.pages));
  return parts;
}

std::vector<split_task> in_ranges(const whole& from, const operand& key, std::int64_t least, std::int64_t most,
                                  std::uint64_t parts) {
  std::vector<split_task> ranges;
  if (parts < 2) {
    ranges.push_back(from.all());
    return ranges;
  }
  ranges.push_back(from.part(!(key >= least)));
  const auto width = static_cast<std::uint64_t>(most) - static_cast<std::uint64_t>(least);
  const std::uint64_t count = std::min(parts - 1, std::max<std::uint64_t>(width, 1));
  const std::uint64_t step = width / count;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto begin = static_cast<std::int64_t>(static_cast<std::uint64_t>(least) + i * step);
    const auto end = static_cast<std::int64_t>(static_cast<std::uint64_t>(least) + (i + 1) * step);
    ranges.push_back(from.part(i + 1 == count ? key >= begin : key >= begin && key < end));
  }
  return ranges;
}

std::vector<split_task> in_buckets(const whole& from, std::string_view path) {
  const std::vector<std::string> parts = split_path(path);
  const std::string hash = "coalesce(pg_catalog.hashtextextended(" + text_of(from.what.documents(), parts) +
                           ", 0) operator(pg_catalog.&) 9223372036854775807, 0) operator(pg_catalog.%) " +
                           std::to_string(from.connections) + infix("=");
  std::vector<split_task> buckets;
  for (std::uint32_t i = 0; i < from.connections; ++i)
    buckets.push_back(from.part(sql_predicate(hash + std::to_string(i))));
  return buckets;
}

}  // namespace sluice::detail
