#include "arrow/input_column.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <utility>

#include <sluice/proto/oid.hpp>

#include "arrow/bad_input.hpp"

namespace sluice::arrow_input {

namespace {

namespace oid = proto::oid;

std::int32_t size_at(const char* from) noexcept {
  std::int32_t value = 0;
  std::memcpy(&value, from, sizeof value);
  return value;
}

/// The value of a key in the metadata of a schema: a count, then keys and values, each after its length.
std::string_view metadata_of(const char* metadata, std::string_view wanted) noexcept {
  if (metadata == nullptr) return {};
  const auto next = [&]() -> std::string_view {
    const auto size = static_cast<std::size_t>(size_at(metadata));
    const std::string_view text{metadata + sizeof(std::int32_t), size};
    metadata += sizeof(std::int32_t) + size;
    return text;
  };
  const auto count = size_at(metadata);
  metadata += sizeof count;
  for (std::int32_t i = 0; i < count; ++i) {
    const std::string_view key = next();
    const std::string_view value = next();
    if (key == wanted) return value;
  }
  return {};
}

std::int64_t units_per_second(char unit) noexcept {
  switch (unit) {
    case 's': return 1;
    case 'm': return 1'000;
    case 'u': return 1'000'000;
    case 'n': return 1'000'000'000;
    default: return 0;
  }
}

template <class Number>
bool take_number(std::string_view& from, Number& into) {
  const auto [end, failed] = std::from_chars(from.data(), from.data() + from.size(), into);
  if (failed != std::errc{}) return false;
  from.remove_prefix(static_cast<std::size_t>(end - from.data()));
  if (from.starts_with(',')) from.remove_prefix(1);
  return true;
}

}  // namespace

input_column::input_column(const ArrowSchema& schema, std::string name) : name_{std::move(name)} {
  const std::string_view format{schema.format == nullptr ? "" : schema.format};
  if (schema.dictionary != nullptr) {
    parse(format);
    if (is_ < kind::int8 || is_ > kind::uint64) fail_type(format);
    keys_ = std::exchange(is_, kind::dictionary);
    inner_ = std::make_unique<input_column>(*schema.dictionary, name_);
    return;
  }
  if (format.starts_with('+')) {
    parse_nested(format, schema);
  } else {
    parse(format);
    note_extension(schema.metadata);
  }
}

void input_column::parse(std::string_view format) {
  struct simple {
    std::string_view format;
    kind is;
  };
  static constexpr std::array types{simple{"n", kind::null},
                                    simple{"b", kind::boolean},
                                    simple{"c", kind::int8},
                                    simple{"C", kind::uint8},
                                    simple{"s", kind::int16},
                                    simple{"S", kind::uint16},
                                    simple{"i", kind::int32},
                                    simple{"I", kind::uint32},
                                    simple{"l", kind::int64},
                                    simple{"L", kind::uint64},
                                    simple{"e", kind::float16},
                                    simple{"f", kind::float32},
                                    simple{"g", kind::float64},
                                    simple{"u", kind::text},
                                    simple{"U", kind::text64},
                                    simple{"vu", kind::text_view},
                                    simple{"z", kind::bytes},
                                    simple{"Z", kind::bytes64},
                                    simple{"vz", kind::bytes_view},
                                    simple{"tdD", kind::date32},
                                    simple{"tdm", kind::date64},
                                    simple{"tiM", kind::months},
                                    simple{"tiD", kind::days_and_milliseconds},
                                    simple{"tin", kind::months_days_nanoseconds}};
  const auto* const found = std::ranges::find(types, format, &simple::format);
  if (found != types.end()) {
    is_ = found->is;
    return;
  }
  if (format.starts_with('t')) return parse_temporal(format);
  std::string_view rest = format.substr(std::min<std::size_t>(format.size(), 2));
  if (format.starts_with("w:") && take_number(rest, width_) && rest.empty()) {
    is_ = kind::fixed_bytes;
    return;
  }
  if (format.starts_with("d:") && take_number(rest, precision_) && take_number(rest, scale_)) {
    std::size_t bits = 128;
    if (!rest.empty() && !take_number(rest, bits)) fail_type(format);
    width_ = bits / 8;
    if (width_ != 4 && width_ != 8 && width_ != 16) fail_type(format);
    is_ = kind::decimal;
    return;
  }
  fail_type(format);
}

void input_column::parse_temporal(std::string_view format) {
  if (format.size() < 3) fail_type(format);
  per_second_ = units_per_second(format[2]);
  if (per_second_ == 0) fail_type(format);
  const bool is_plain = format.size() == 3;
  if (format.starts_with("tt") && is_plain)
    is_ = per_second_ <= 1'000 ? kind::time32 : kind::time64;
  else if (format.starts_with("tD") && is_plain)
    is_ = kind::duration;
  else if (format.starts_with("ts") && !is_plain && format[3] == ':')
    is_ = format.size() == 4 ? kind::timestamp : kind::timestamptz;
  else
    fail_type(format);
}

void input_column::parse_nested(std::string_view format, const ArrowSchema& schema) {
  std::string_view rest = format.substr(std::min<std::size_t>(format.size(), 3));
  if (format == "+l")
    is_ = kind::list;
  else if (format == "+L")
    is_ = kind::list64;
  else if (format.starts_with("+w:") && take_number(rest, width_) && rest.empty())
    is_ = kind::fixed_list;
  else
    fail_type(format);
  if (schema.n_children != 1) fail_type(format);
  inner_ = std::make_unique<input_column>(*schema.children[0], name_);
  if (inner_->is_ == kind::list || inner_->is_ == kind::list64 || inner_->is_ == kind::fixed_list) fail_type(format);
}

void input_column::note_extension(const char* metadata) {
  const std::string_view extension = metadata_of(metadata, "ARROW:extension:name");
  if (extension == "arrow.uuid" && is_ == kind::fixed_bytes && width_ == sizeof(sluice::uuid::bytes)) is_ = kind::uuid;
  is_json_ = extension == "arrow.json";
}

void input_column::fail_type(std::string_view format) const {
  throw bad_input{bad_input::part::type, "the column \"" + name_ + "\" has the Arrow type " + std::string{format} +
                                             ", which cannot be sent to Postgres: cast it before"};
}

std::string input_column::sql_type() const {
  switch (is_) {
    case kind::null:
    case kind::text:
    case kind::text64:
    case kind::text_view: return is_json_ ? "jsonb" : "text";
    case kind::boolean: return "boolean";
    case kind::int8:
    case kind::uint8:
    case kind::int16: return "smallint";
    case kind::uint16:
    case kind::int32: return "integer";
    case kind::uint32:
    case kind::int64: return "bigint";
    case kind::uint64: return "numeric(20)";
    case kind::float16:
    case kind::float32: return "real";
    case kind::float64: return "double precision";
    case kind::decimal: {
      const int scale = std::max(scale_, 0);
      return "numeric(" + std::to_string(precision_ - std::min(scale_, 0)) + ',' + std::to_string(scale) + ')';
    }
    case kind::bytes:
    case kind::bytes64:
    case kind::bytes_view:
    case kind::fixed_bytes: return "bytea";
    case kind::uuid: return "uuid";
    case kind::date32:
    case kind::date64: return "date";
    case kind::time32:
    case kind::time64: return "time";
    case kind::timestamp: return "timestamp";
    case kind::timestamptz: return "timestamptz";
    case kind::duration:
    case kind::months:
    case kind::days_and_milliseconds:
    case kind::months_days_nanoseconds: return "interval";
    case kind::list:
    case kind::list64:
    case kind::fixed_list: return inner_->sql_type() + "[]";
    case kind::dictionary: break;
  }
  return inner_->sql_type();
}

std::uint32_t input_column::parameter_type() const {
  switch (is_) {
    case kind::boolean: return oid::boolean;
    case kind::int8:
    case kind::uint8:
    case kind::int16: return oid::int2;
    case kind::uint16:
    case kind::int32: return oid::int4;
    case kind::uint32:
    case kind::int64: return oid::int8;
    case kind::uint64:
    case kind::decimal: return oid::numeric;
    case kind::float16:
    case kind::float32: return oid::float4;
    case kind::float64: return oid::float8;
    case kind::bytes:
    case kind::bytes64:
    case kind::bytes_view:
    case kind::fixed_bytes: return oid::bytea;
    case kind::uuid: return oid::uuid;
    case kind::date32:
    case kind::date64: return oid::date;
    case kind::time32:
    case kind::time64: return oid::time;
    case kind::timestamp: return oid::timestamp;
    case kind::timestamptz: return oid::timestamptz;
    case kind::duration:
    case kind::months:
    case kind::days_and_milliseconds:
    case kind::months_days_nanoseconds: return oid::interval;
    case kind::dictionary: return inner_->parameter_type();
    default: return 0;
  }
}

}  // namespace sluice::arrow_input
