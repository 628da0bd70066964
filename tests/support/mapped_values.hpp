#pragma once
// Rows as the mapper of stream/json/ writes them from their columns, compared with the server's row_to_json.
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <sluice/sluice.hpp>

#include "backend.hpp"
#include "json/object_writer.hpp"

namespace sluice::test {

/// A value's bytes, as they were sent.
struct raw_value {
  std::string bytes{};
};
inline void from_binary(const binary_field& from, raw_value& into) {
  into.bytes.assign(reinterpret_cast<const char*>(from.bytes.data()), from.bytes.size());
}

/// Asks the server's catalog for the facts about these types that are missing in `types`.
inline void learn(client& db, detail::type_catalog& types, std::span<const std::uint32_t> of) {
  const std::vector<std::uint32_t> missing = types.missing(of);
  if (missing.empty()) return;
  std::string list;
  for (const std::uint32_t each : missing) list += (list.empty() ? "{" : ",") + std::to_string(each);
  const query ask = sql(std::string{detail::type_catalog::question}, list + '}').as_columns();
  for (const row each : db.stream(ask)) {
    const auto kind = each.get<std::string>(1);
    const auto delimiter = each.get<std::string>(3);
    const auto field = each.get<std::optional<std::string>>(6);
    types.add({.type = each.get<std::uint32_t>(0),
               .kind = kind.at(0),
               .inner = each.get<std::uint32_t>(2),
               .delimiter = delimiter.at(0),
               .has_cast_to_json = each.get<bool>(4),
               .place = each.get<std::int64_t>(5),
               .field = field ? std::string_view{*field} : std::string_view{},
               .field_type = each.get<std::optional<std::uint32_t>>(7).value_or(0)});
  }
  EXPECT_TRUE(types.missing(of).empty());
}

/// The body of a DataRow with one column.
inline std::string row_body(const std::optional<raw_value>& value) {
  if (!value) return be16(1) + be32(0xffffffff);
  return be16(1) + be32(static_cast<std::uint32_t>(value->bytes.size())) + value->bytes;
}

/// The mapper's output for a row with one column `v`.
inline std::string mapped(detail::object_writer& objects, const std::optional<raw_value>& value) {
  const std::string body = row_body(value);
  const std::vector<char> exact{body.begin(), body.end()};  // so that a sanitizer sees a read past its end
  detail::text_buffer to;
  return objects.write(to, std::as_bytes(std::span{exact})) ? std::string{to.text()} : "malformed";
}

/// Checks for each row of a query with one column of a type that the mapper writes the same object as the server, from
/// the format that it chooses and from text. Skips types whose JSON the mapper cannot match (`falls_short`).
/// @return the number of comparisons
inline int expect_the_servers_objects(client& db, const detail::type_catalog& types, std::uint32_t type,
                                      const std::string& query, const detail::session_settings& session = {}) {
  int rows = 0;
  const auto compare = [&](detail::value_plan plan) {
    if (plan.falls_short) return;
    const bool is_text = plan.format == proto::value_format::text;
    // format() calls the type's output function; a cast to text may call something else.
    const std::string value =
        is_text ? "case when pg_catalog.num_nulls(v) = 0 then pg_catalog.format('%s', v) end" : "v";
    detail::object_writer objects;
    objects.add_column("v", std::move(plan));
    for (const row each : db.stream(
             sql("select " + value + ", pg_catalog.row_to_json(s)::text from (" + query + ") s (v)").as_columns())) {
      ++rows;
      EXPECT_EQ(mapped(objects, each.get<std::optional<raw_value>>(0)), each.get<std::string>(1))
          << query << (is_text ? ", as text" : ", in binary");
    }
  };
  detail::value_plan plan = detail::plan_values(type, types, session);
  if (plan.format == proto::value_format::binary) compare(std::move(plan));
  compare(detail::plan_text_values(type, types, session));
  return rows;
}

}  // namespace sluice::test
