#include "json/type_facts.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <utility>

#include <sluice/proto/oid.hpp>

#include "rows/own_types.hpp"

namespace sluice::detail {

namespace {

struct built_in_array {
  std::uint32_t type;
  std::uint32_t element;
};
#include "json/built_in_arrays.inc"

/// OIDs that never change: those of built-in types that have no name in C++ here.
constexpr std::uint32_t int2_vector = 22;
constexpr std::uint32_t oid_vector = 30;
constexpr std::uint32_t box_array = 1020;
constexpr std::array unclear_types{2249U, 2287U, 2277U, 5078U};  // record, record[], anyarray, anycompatiblearray

/// A number of the catalog's; 0 for NULL.
template <class Number>
bool read_number(std::string_view text, Number& into) noexcept {
  into = 0;
  return text.empty() || std::from_chars(text.data(), text.data() + text.size(), into).ptr == text.data() + text.size();
}

std::optional<type_facts> find_built_in(std::uint32_t type) {
  using enum type_facts::kind;
  if (proto::oid::name_of(type).empty() || std::ranges::binary_search(built_in_composites, type)) return {};
  if (std::ranges::find(unclear_types, type) != unclear_types.end()) return type_facts{.what = unclear};
  if (type == int2_vector) return type_facts{.what = array, .inner = proto::oid::int2, .delimiter = ' '};
  if (type == oid_vector) return type_facts{.what = array, .inner = proto::oid::object_id, .delimiter = ' '};
  const auto* const found = std::ranges::lower_bound(built_in_arrays, type, {}, &built_in_array::type);
  if (found == std::end(built_in_arrays) || found->type != type) return type_facts{};
  return type_facts{.what = array, .inner = found->element, .delimiter = type == box_array ? ';' : ','};
}

/// Of a composite, as the server allows.
constexpr std::size_t most_fields = 1'664;

void add_once(std::vector<std::uint32_t>& to, std::uint32_t type) {
  if (type != 0 && std::ranges::find(to, type) == to.end()) to.push_back(type);
}

}  // namespace

constexpr std::string_view type_catalog::question =
    "with recursive wanted (type) as (select * from pg_catalog.unnest($1::pg_catalog.oid[]) union "
    "select part from wanted join pg_catalog.pg_type t on t.oid operator(pg_catalog.=) type, lateral ("
    "select t.typbasetype union all select t.typelem union all select atttypid from pg_catalog.pg_attribute"
    " where attrelid operator(pg_catalog.=) t.typrelid and attnum operator(pg_catalog.>) 0 and not attisdropped) p "
    "(part)"
    " where part operator(pg_catalog.<>) 0) "
    "select t.oid, case when t.typtype operator(pg_catalog.=) 'd' then 'd'"
    " when t.typtype operator(pg_catalog.=) 'c' then 'c'"
    " when t.typelem operator(pg_catalog.<>) 0 and t.typsubscript operator(pg_catalog.=)"
    " 'pg_catalog.array_subscript_handler'::pg_catalog.regproc then 'a' else 'b' end,"
    " case when t.typtype operator(pg_catalog.=) 'd' then t.typbasetype else t.typelem end,"
    " coalesce(e.typdelim::pg_catalog.text, ','),"
    " exists (select from pg_catalog.pg_cast where castsource operator(pg_catalog.=) t.oid"
    " and casttarget operator(pg_catalog.=) 'pg_catalog.json'::pg_catalog.regtype"
    " and castmethod operator(pg_catalog.=) 'f'),"
    " pg_catalog.row_number() over (partition by t.oid order by a.attnum),"
    " a.attname::pg_catalog.text, a.atttypid,"
    " case when t.typtype operator(pg_catalog.=) 'e' then 'e' when exists (select from pg_catalog.pg_proc p"
    " where p.oid operator(pg_catalog.=) t.typsend and p.prolang operator(pg_catalog.=) 12::pg_catalog.oid and"
    " p.prosrc operator(pg_catalog.=) any('{textsend,varcharsend,bpcharsend}'::pg_catalog.text[])) then 't' end,"
    " coalesce(a.atttypmod, t.typtypmod) "
    "from wanted join pg_catalog.pg_type t on t.oid operator(pg_catalog.=) type"
    " left join pg_catalog.pg_type e on e.oid operator(pg_catalog.=) t.typelem"
    " left join pg_catalog.pg_attribute a on t.typtype operator(pg_catalog.=) 'c'"
    " and a.attrelid operator(pg_catalog.=) t.typrelid and a.attnum operator(pg_catalog.>) 0"
    " and not a.attisdropped order by t.oid, a.attnum";

std::string type_catalog::question_about(std::span<const std::uint32_t> types) {
  constexpr std::string_view parameter{"$1"};
  std::string list{"'{"};
  for (const std::uint32_t each : types) list.append(list.size() == 2 ? "" : ",").append(std::to_string(each));
  return std::string{question}.replace(question.find(parameter), parameter.size(), list + "}'");
}

std::optional<type_catalog::answer> type_catalog::read(std::span<const std::string_view> fields) noexcept {
  constexpr std::size_t columns = 10;
  if (fields.size() != columns || fields[1].size() != 1 || fields[3].size() != 1) return std::nullopt;
  answer row;
  row.kind = fields[1][0];
  row.delimiter = fields[3][0];
  row.has_cast_to_json = fields[4] == "t";
  row.field = fields[6];
  row.form = fields[8].empty() ? '\0' : fields[8].front();
  const bool are_numbers = read_number(fields[0], row.type) && read_number(fields[2], row.inner) &&
                           read_number(fields[5], row.place) && read_number(fields[7], row.field_type) &&
                           read_number(fields[9], row.modifier);
  return are_numbers ? std::optional{row} : std::nullopt;
}

void type_catalog::add(const answer& row) {
  using enum type_facts::kind;
  type_facts& facts = of_the_database_[row.type];
  facts.what = row.kind == 'd' ? domain : row.kind == 'a' ? array : row.kind == 'c' ? composite : scalar;
  facts.inner = row.inner;
  facts.delimiter = row.delimiter;
  facts.has_cast_to_json = row.has_cast_to_json;
  facts.binary = row.form == 'e'   ? type_facts::form::label
                 : row.form == 't' ? type_facts::form::text
                                   : type_facts::form::own;
  if (row.field_type == 0) facts.modifier = row.modifier;
  if (row.place == 1) facts.fields.clear();  // it may have been known before
  if (row.field_type != 0 && facts.fields.size() < most_fields)
    facts.fields.push_back({std::string{row.field}, row.field_type, row.modifier});
}

void type_catalog::add(std::uint32_t type, type_facts facts) {
  of_the_database_.insert_or_assign(type, std::move(facts));
}

void type_catalog::add(type_catalog&& other) {
  for (auto& [type, facts] : other.of_the_database_) add(type, std::move(facts));
}

std::optional<type_facts> type_catalog::find(std::uint32_t type) const {
  // First those that are built in: the catalog does not say that a vector's text is not an array's.
  if (type < first_own_type)
    if (std::optional<type_facts> facts = find_built_in(type)) return facts;
  const auto found = of_the_database_.find(type);
  return found == of_the_database_.end() ? std::nullopt : std::optional{found->second};
}

void type_catalog::describe(result_column& column) const {
  std::size_t parts = 0;
  describe(column, column.type, parts, 0);
}

void type_catalog::describe(result_column& to, std::uint32_t type, std::size_t& parts, std::size_t level) const {
  using kind = result_column::kind;
  // Types are never that deep or large, but what the catalog says need not be true.
  constexpr std::size_t deepest = 64;
  constexpr std::size_t most_parts = 10'000;
  const std::optional<type_facts> facts = find(type);
  to.base = type;
  to.parts.clear();
  to.what = kind::unknown;
  if (!facts || level > deepest || ++parts > most_parts) return;
  switch (facts->what) {
    case type_facts::kind::unclear: break;
    case type_facts::kind::scalar:
      to.what = facts->binary == type_facts::form::label  ? kind::enumeration
                : facts->binary == type_facts::form::text ? kind::text
                                                          : kind::scalar;
      break;
    case type_facts::kind::domain:
      if (to.modifier == -1) to.modifier = facts->modifier;
      describe(to, facts->inner, parts, level + 1);
      break;
    case type_facts::kind::array:
      to.what = kind::array;
      to.parts.push_back({.name = "item", .type = facts->inner, .modifier = to.modifier});
      describe(to.parts.front(), facts->inner, parts, level + 1);
      break;
    case type_facts::kind::composite:
      to.what = kind::composite;
      for (const type_facts::field& each : facts->fields) {
        to.parts.push_back({.name = each.name, .type = each.type, .modifier = each.modifier});
        describe(to.parts.back(), each.type, parts, level + 1);
      }
      break;
  }
}

std::vector<std::uint32_t> type_catalog::missing(std::span<const std::uint32_t> types) const {
  // No plan has so many parts; what the catalog says may go on without end.
  constexpr std::size_t most = 10'000;
  std::vector<std::uint32_t> all;  // these types first, then what they are made of
  std::vector<std::uint32_t> missing;
  for (const std::uint32_t each : types) add_once(all, each);
  for (std::size_t i = 0; i < all.size() && i < most; ++i) {
    const std::optional<type_facts> facts = find(all[i]);
    if (!facts) {
      missing.push_back(all[i]);
      continue;
    }
    add_once(all, facts->inner);
    for (const type_facts::field& each : facts->fields) add_once(all, each.type);
  }
  return missing;
}

}  // namespace sluice::detail
