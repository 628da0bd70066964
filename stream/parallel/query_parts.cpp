#include "parallel/query_parts.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include <sluice/stream/columns.hpp>

#include "query/bad_query.hpp"
#include "query/quoting.hpp"
#include "query/result_shape.hpp"
#include "query/sql_effect.hpp"

namespace sluice::detail {

namespace {

/// A query whose rows are selected by one of its columns.
struct divided_query {
  const query& what;
  std::string column;  // in SQL

  [[nodiscard]] std::string rows_where(std::string_view condition) const {
    return select_from(what.text(), "q.*").append(" where ").append(condition);
  }
  /// @param bounds  bound after the query's own parameters
  [[nodiscard]] query part(std::string_view condition, const std::vector<bind_value>& bounds = {}) const {
    std::vector<bind_value> values = what.parameters();
    values.insert(values.end(), bounds.begin(), bounds.end());
    return {rows_where(condition), std::move(values), what.rows()};
  }
  /// The column compared with the bound of that number.
  [[nodiscard]] std::string compared(std::string_view with, std::size_t bound) const {
    return column + infix(with) + '$' + std::to_string(what.parameters().size() + bound) + "::pg_catalog.int8";
  }
};

std::vector<query> in_ranges(const divided_query& from, std::int64_t least, std::int64_t most, std::uint32_t count) {
  std::vector<query> parts;
  const auto width = static_cast<std::uint64_t>(most) - static_cast<std::uint64_t>(least);
  const std::uint64_t ranges = std::min<std::uint64_t>(count - 1, std::max<std::uint64_t>(width, 1));
  const std::uint64_t step = width / ranges;
  parts.push_back(from.part('(' + from.compared(">=", 1) + ") is not true", {least}));  // NULL as well
  for (std::uint64_t i = 0; i < ranges; ++i) {
    const auto begin = static_cast<std::int64_t>(static_cast<std::uint64_t>(least) + i * step);
    const auto end = static_cast<std::int64_t>(static_cast<std::uint64_t>(least) + (i + 1) * step);
    if (i + 1 == ranges)
      parts.push_back(from.part(from.compared(">=", 1), {begin}));
    else
      parts.push_back(from.part(from.compared(">=", 1) + " and " + from.compared("<", 2), {begin, end}));
  }
  return parts;
}

std::vector<query> in_buckets(const divided_query& from, std::uint32_t count) {
  const std::string hash = "coalesce(pg_catalog.hashtextextended(" + from.column +
                           "::pg_catalog.text, 0) operator(pg_catalog.&) 9223372036854775807, 0)" + infix("%") +
                           std::to_string(count) + infix("=");
  std::vector<query> parts;
  for (std::uint32_t i = 0; i < count; ++i) parts.push_back(from.part(hash + std::to_string(i)));
  return parts;
}

}  // namespace

asio::awaitable<std::vector<query>> divide(asking on, query what, split_by how, std::uint32_t count) {
  if (count == 1) co_return std::vector<query>{what};
  if (how.by() == split_by::kind::ctid)
    refuse("partitions: a query has no pages: divide it by a key or a hash of one of its columns, or into one");
  const divided_query from{what, "q." + quote_identifier(how.path())};
  if (how_to_enclose(what.text()) != enclosing::as_subquery)
    refuse("partitions: only a query can be divided: SELECT, TABLE, VALUES, or WITH");
  if (how.by() == split_by::kind::hash) co_return in_buckets(from, count);

  std::optional<std::int64_t> least;
  std::optional<std::int64_t> most;
  const query ask = sql("select pg_catalog.min(k)::pg_catalog.int8, pg_catalog.max(k)::pg_catalog.int8 from (" +
                        select_from(what.text(), from.column + " as k") + ") q");
  const query bounds = query{ask.text(), what.parameters(), query::shape::columns};
  co_await first_row(on, bounds, [&](row one) {
    std::tie(least, most) = one.get<std::optional<std::int64_t>, std::optional<std::int64_t>>();
  });
  if (!least) co_return std::vector<query>{what};  // no row has a key
  co_return in_ranges(from, *least, *most, count);
}

}  // namespace sluice::detail
