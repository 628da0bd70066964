#include "arrow/arrow_type.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <sluice/proto/oid.hpp>
#include <sluice/wire/error.hpp>

namespace sluice::detail {

namespace {

using kind = arrow_type::kind;
namespace oid = proto::oid;

constexpr int most_digits_of_decimal = 38;  // in 128 bits

struct simple_type {
  std::uint32_t type;
  kind is;
  const char* format;
  std::string_view extension{};
};
constexpr std::array simple_types{
    simple_type{oid::boolean, kind::boolean, "b"},
    simple_type{oid::int2, kind::int16, "s"},
    simple_type{oid::int4, kind::int32, "i"},
    simple_type{oid::int8, kind::int64, "l"},
    simple_type{oid::object_id, kind::uint32, "I"},
    simple_type{oid::float4, kind::float32, "f"},
    simple_type{oid::float8, kind::float64, "g"},
    simple_type{oid::text, kind::text, "u"},
    simple_type{oid::varchar, kind::text, "u"},
    simple_type{oid::bpchar, kind::text, "u"},
    simple_type{oid::name, kind::text, "u"},
    simple_type{oid::xml, kind::text, "u"},
    simple_type{oid::unknown, kind::text, "u"},
    simple_type{oid::json, kind::text, "u", "arrow.json"},
    simple_type{oid::jsonb, kind::versioned_text, "u", "arrow.json"},
    simple_type{oid::uuid, kind::uuid, "w:16", "arrow.uuid"},
    simple_type{oid::bytea, kind::binary, "z"},
    simple_type{oid::date, kind::date, "tdD"},
    simple_type{oid::time, kind::time, "ttu"},
    simple_type{oid::timestamp, kind::timestamp, "tsu:"},
    simple_type{oid::timestamptz, kind::timestamp, "tsu:UTC"},
    simple_type{oid::interval, kind::interval, "tin"},
};

const simple_type* simple_of(std::uint32_t type) noexcept {
  const auto* const found = std::ranges::find(simple_types, type, &simple_type::type);
  return found == simple_types.end() ? nullptr : found;
}

/// The precision and scale that a numeric's modifier holds, as a decimal of at most 38 digits.
/// @see src/backend/utils/adt/numeric.c in the sources of PostgreSQL
std::optional<std::pair<int, int>> decimal_of(std::int32_t modifier) noexcept {
  constexpr std::int32_t overhead = 4;
  if (modifier < overhead) return std::nullopt;
  const std::int32_t packed = modifier - overhead;
  constexpr std::int32_t sign = 0x400;
  int precision = packed >> 16;
  int scale = ((packed & 0x7ff) ^ sign) - sign;
  if (scale < 0) {  // rounded to tens, hundreds ...: they have as many digits before the point
    precision -= scale;
    scale = 0;
  }
  precision = std::max(precision, scale);  // only zeros follow the point at first
  if (precision < 1 || precision > most_digits_of_decimal) return std::nullopt;
  return std::pair{precision, scale};
}

void set_decimal(arrow_type& to, int precision, int scale) {
  to.is = kind::decimal;
  to.precision = static_cast<std::uint8_t>(precision);
  to.scale = static_cast<std::uint8_t>(scale);
  to.format = "d:" + std::to_string(precision) + ',' + std::to_string(scale);
}

void set_numeric(arrow_type& to, std::int32_t modifier, const arrow_options& how) {
  if (const auto digits = decimal_of(modifier)) return set_decimal(to, digits->first, digits->second);
  switch (how.numeric) {
    case arrow_options::numerics::decimal: return set_decimal(to, how.precision, how.scale);
    case arrow_options::numerics::float64:
      to.is = kind::numeric_as_double;
      to.format = "g";
      return;
    case arrow_options::numerics::text: break;
  }
  to.is = kind::numeric_as_text;
  to.format = "u";
}

/// The first type in a column that cannot be read from the binary format; or nothing.
const result_column* without_counterpart(const result_column& column, const arrow_options& how) noexcept {
  using what = result_column::kind;
  const auto first_of_parts = [&]() -> const result_column* {
    for (const result_column& each : column.parts)
      if (const result_column* const found = without_counterpart(each, how)) return found;
    return nullptr;
  };
  switch (column.what) {
    case what::text:
    case what::enumeration: return nullptr;
    case what::scalar: return simple_of(column.base) != nullptr || column.base == oid::numeric ? nullptr : &column;
    case what::array: return how.array == arrow_options::arrays::text ? &column : first_of_parts();
    case what::composite: return first_of_parts();
    case what::unknown: break;
  }
  return &column;
}

std::string name_of(std::uint32_t type) {
  const std::string_view name = oid::name_of(type);
  return name.empty() ? "the type with the OID " + std::to_string(type) : std::string{name};
}

}  // namespace

bool comes_as_text(const result_column& column, const arrow_options& how) {
  const result_column* const found = without_counterpart(column, how);
  if (found == nullptr) return false;
  const bool is_wanted = found->what == result_column::kind::array && how.array == arrow_options::arrays::text;
  if (is_wanted || how.others == arrow_options::fallback::text) return true;
  throw error{error_info{.code = errc::bad_column,
                         .message = "column \"" + column.name + "\": " + name_of(found->base) +
                                    " has no Arrow type: cast it in the query, as in \"" + column.name +
                                    "\"::text, or let arrow_options::others make it text",
                         .server = {},
                         .rows = 0,
                         .connection_usable = true}};
}

arrow_type arrow_type_of(const result_column& column, const arrow_options& how) {
  using what = result_column::kind;
  arrow_type made{.type = column.type, .name = column.name, .format = "u"};
  if (column.is_text) return made;
  const simple_type* const simple = simple_of(column.base);
  switch (column.what) {
    case what::scalar:
      if (simple == nullptr) {
        set_numeric(made, column.modifier, how);
        break;
      }
      made.is = simple->is;
      made.format = simple->format;
      if (how.extension_types) made.extension = simple->extension;
      break;
    case what::enumeration:
      if (!how.dictionaries) break;
      made.is = kind::label;
      made.format = "i";
      break;
    case what::array:
      made.is = kind::list;
      made.format = "+l";
      break;
    case what::composite:
      made.is = kind::structure;
      made.format = "+s";
      break;
    case what::text:
    case what::unknown: break;
  }
  for (const result_column& each : column.parts) made.children.push_back(arrow_type_of(each, how));
  return made;
}

}  // namespace sluice::detail
