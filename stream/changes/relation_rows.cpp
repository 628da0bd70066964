#include "changes/relation_rows.hpp"

#include <utility>

#include <sluice/proto/byte_order.hpp>

namespace sluice::detail {

namespace pgoutput = proto::pgoutput;

namespace {

/// An object whose members each begin with a comma.
class object {
 public:
  explicit object(text_buffer& to) : to_{to}, start_{to.size()} {}

  bool give_up() {
    to_.cut(start_);
    return false;
  }
  bool end() {
    if (to_.size() == start_) to_.add('{');
    to_.add('}');
    char* const first = to_.room(0) - (to_.size() - start_);
    *first = '{';
    return true;
  }

 private:
  text_buffer& to_;
  std::size_t start_;
};

}  // namespace

relation_rows::relation_rows(described_relation told, const type_catalog& types, const session_settings& session)
    : told_{std::move(told)} {
  for (const changed_relation::column& each : relation().columns) {
    value_plan& values = columns_.emplace_back(plan_text_values(each.type, types, session));
    values.key = {each.name, false};
  }
}

relation_rows::relation_rows(described_relation told, const type_catalog& types) : told_{std::move(told)} {
  for (const changed_relation::column& each : relation().columns) {
    result_column& column = shape_.emplace_back();
    column.name = each.name;
    column.type = each.type;
    column.modifier = each.modifier;
    types.describe(column);
    column.type = column.base;  // of a query's columns the server says this itself
  }
}

bool relation_rows::write(text_buffer& to, const pgoutput::tuple& row, const pgoutput::tuple& before,
                          std::vector<std::string_view>& unchanged) {
  object made{to};
  std::size_t column = 0;
  pgoutput::tuple::iterator old = before.begin();
  for (pgoutput::value each : row) {
    if (each.is == pgoutput::value::kind::unchanged && old != before.end()) each = *old;
    if (each.is == pgoutput::value::kind::unchanged)
      unchanged.emplace_back(relation().columns[column].name);
    else if (!write_member(to, column, each))
      return made.give_up();
    if (old != before.end()) ++old;
    ++column;
  }
  return made.end();
}

bool relation_rows::write_key(text_buffer& to, const pgoutput::tuple& row) {
  object made{to};
  std::size_t column = 0;
  for (const pgoutput::value& each : row) {
    if (relation().columns[column].is_key && !write_member(to, column, each)) return made.give_up();
    ++column;
  }
  return made.end();
}

void relation_rows::copy(std::vector<std::byte>& to, const pgoutput::tuple& row, const pgoutput::tuple& before,
                         std::vector<std::string_view>& unchanged) {
  using kind = pgoutput::value::kind;
  constexpr std::uint32_t null = 0xffff'ffffU;
  to.clear();
  const auto add = [&to](auto number) {
    const std::size_t at = to.size();
    to.resize(at + sizeof number);
    proto::store_big(to.data() + at, number);
  };
  add(static_cast<std::uint16_t>(row.size()));
  std::size_t column = 0;
  pgoutput::tuple::iterator old = before.begin();
  for (pgoutput::value each : row) {
    if (each.is == kind::unchanged && old != before.end()) each = *old;
    if (each.is == kind::unchanged) unchanged.emplace_back(relation().columns[column].name);
    if (each.is == kind::text || each.is == kind::binary) {
      add(static_cast<std::uint32_t>(each.bytes.size()));
      to.insert(to.end(), each.bytes.begin(), each.bytes.end());
      shape_[column].is_text = each.is == kind::text;  // its type has no binary form
    } else {
      add(null);
    }
    if (old != before.end()) ++old;
    ++column;
  }
}

bool relation_rows::write_member(text_buffer& to, std::size_t column, const pgoutput::value& value) {
  value_plan& plan = columns_[column];
  plan.key.write(to);
  if (value.is == pgoutput::value::kind::null) {
    to.add("null");
    return true;
  }
  culprit_ = column;
  return value.is == pgoutput::value::kind::text && plan.write(to, value.bytes);
}

}  // namespace sluice::detail
