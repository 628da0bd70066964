#include "adbc/settings.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstring>
#include <limits>

#include "rows/number_chars.hpp"

namespace sluice::adbc {

namespace {

template <class T>
struct choice {
  std::string_view name;
  T value;
};
constexpr std::array modes{choice{"plain", fetch_mode::plain}, choice{"paged", fetch_mode::paged},
                           choice{"bulk", fetch_mode::bulk}};
constexpr std::array numerics{choice{"text", arrow_options::numerics::text},
                              choice{"float64", arrow_options::numerics::float64},
                              choice{"decimal", arrow_options::numerics::decimal}};
constexpr std::array specials{choice{"fail", arrow_options::special::fail},
                              choice{"null", arrow_options::special::null},
                              choice{"saturate", arrow_options::special::saturate}};
constexpr std::array array_forms{choice{"lists", arrow_options::arrays::lists},
                                 choice{"text", arrow_options::arrays::text}};
constexpr std::array fallbacks{choice{"fail", arrow_options::fallback::fail},
                               choice{"text", arrow_options::fallback::text}};

template <class T, std::size_t N>
T chosen(const std::array<choice<T>, N>& from, std::string_view name, std::string_view value) {
  const auto* const found = std::ranges::find(from, value, &choice<T>::name);
  if (found == from.end()) bad_option(name, value);
  return found->value;
}
template <class T, std::size_t N>
std::string name_in(const std::array<choice<T>, N>& all, T value) {
  return std::string{std::ranges::find(all, value, &choice<T>::value)->name};
}

template <class Number>
Number number_within(std::string_view name, std::string_view value, Number least, Number most) {
  Number number{};
  const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (failed != std::errc{} || end != value.data() + value.size() || number < least || number > most)
    bad_option(name, value);
  return number;
}

struct setting {
  std::string_view name;
  void (*set)(settings& of, std::string_view name, std::string_view value);
  std::string (*get)(const settings& of);
};
using text = std::string_view;
constexpr std::size_t gibibyte{std::size_t{1} << 30U};
constexpr std::array all_settings{
    setting{"sluice.max_rows",
            [](settings& of, text name, text value) {
              of.batches.max_rows =
                  number_within<std::size_t>(name, value, 1, std::numeric_limits<std::int32_t>::max());
            },
            [](const settings& of) { return std::to_string(of.batches.max_rows); }},
    setting{"sluice.max_bytes",
            [](settings& of, text name, text value) {
              of.batches.max_bytes = number_within<std::size_t>(name, value, 1, gibibyte);
            },
            [](const settings& of) { return std::to_string(of.batches.max_bytes); }},
    setting{"sluice.fetch_mode", [](settings& of, text name, text value) { of.run.mode = chosen(modes, name, value); },
            [](const settings& of) { return name_in(modes, of.run.mode); }},
    setting{"sluice.page_rows",
            [](settings& of, text name, text value) {
              of.run.page_rows = number_within<std::uint32_t>(name, value, 1, std::numeric_limits<std::int32_t>::max());
            },
            [](const settings& of) { return std::to_string(of.run.page_rows); }},
    setting{"sluice.timeout_ms",
            [](settings& of, text name, text value) {
              of.run.timeout = std::chrono::milliseconds{
                  number_within<std::int64_t>(name, value, 0, std::numeric_limits<std::int32_t>::max())};
            },
            [](const settings& of) { return std::to_string(of.run.timeout.count()); }},
    setting{"sluice.numeric",
            [](settings& of, text name, text value) { of.batches.numeric = chosen(numerics, name, value); },
            [](const settings& of) { return name_in(numerics, of.batches.numeric); }},
    setting{"sluice.precision",
            [](settings& of, text name, text value) {
              of.batches.precision = static_cast<std::uint8_t>(number_within(name, value, 1, 38));
            },
            [](const settings& of) { return std::to_string(of.batches.precision); }},
    setting{"sluice.scale",
            [](settings& of, text name, text value) {
              of.batches.scale = static_cast<std::uint8_t>(number_within(name, value, 0, 38));
            },
            [](const settings& of) { return std::to_string(of.batches.scale); }},
    setting{"sluice.infinities",
            [](settings& of, text name, text value) { of.batches.infinities = chosen(specials, name, value); },
            [](const settings& of) { return name_in(specials, of.batches.infinities); }},
    setting{"sluice.not_a_number",
            [](settings& of, text name, text value) {
              of.batches.not_a_number = chosen(specials, name, value);
              if (of.batches.not_a_number == arrow_options::special::saturate) bad_option(name, value);
            },
            [](const settings& of) { return name_in(specials, of.batches.not_a_number); }},
    setting{"sluice.arrays",
            [](settings& of, text name, text value) { of.batches.array = chosen(array_forms, name, value); },
            [](const settings& of) { return name_in(array_forms, of.batches.array); }},
    setting{"sluice.others",
            [](settings& of, text name, text value) { of.batches.others = chosen(fallbacks, name, value); },
            [](const settings& of) { return name_in(fallbacks, of.batches.others); }},
    setting{"sluice.extension_types",
            [](settings& of, text name, text value) { of.batches.extension_types = as_bool(name, value); },
            [](const settings& of) { return std::string{show(of.batches.extension_types)}; }},
    setting{"sluice.partitions",
            [](settings& of, text name, text value) {
              of.partitions = number_within<std::uint32_t>(name, value, 1, 1'000);
            },
            [](const settings& of) { return std::to_string(of.partitions); }},
    setting{"sluice.partition_key", [](settings& of, text /*name*/, text value) { of.partition_key = value; },
            [](const settings& of) { return of.partition_key; }},
    setting{"sluice.partition_hash", [](settings& of, text /*name*/, text value) { of.partition_hash = value; },
            [](const settings& of) { return of.partition_hash; }},
    setting{"sluice.dictionaries",
            [](settings& of, text name, text value) { of.batches.dictionaries = as_bool(name, value); },
            [](const settings& of) { return std::string{show(of.batches.dictionaries)}; }},
};

template <class Unit>
void copy_out(std::string_view value, Unit* out, std::size_t* length) {
  const std::size_t room = *required(length, "the length");
  *length = value.size();
  if (value.size() > room || value.empty()) return;
  std::memcpy(required(out, "the place of the value"), value.data(), value.size());
}

template <class Number>
void parse_out(std::string_view name, std::string_view value, Number* out) {
  Number number{};
  const auto [end, failed] = detail::number_from_chars(value.data(), value.data() + value.size(), number);
  if (failed != std::errc{} || end != value.data() + value.size())
    throw failure{status::not_found, "the option " + std::string{name} + " is not a number"};
  *required(out, "the place of the value") = number;
}

}  // namespace

bool settings::set(std::string_view name, std::string_view value) {
  const auto* const found = std::ranges::find(all_settings, name, &setting::name);
  if (found == all_settings.end()) return false;
  settings changed = *this;
  found->set(changed, name, value);
  if (changed.batches.scale > changed.batches.precision) bad_option(name, value);
  *this = changed;
  return true;
}

std::optional<std::string> settings::get(std::string_view name) const {
  const auto* const found = std::ranges::find(all_settings, name, &setting::name);
  if (found == all_settings.end()) return std::nullopt;
  return found->get(*this);
}

bool as_bool(std::string_view name, std::string_view value) {
  if (value == show(true)) return true;
  if (value == show(false)) return false;
  bad_option(name, value);
}
std::string_view show(bool value) noexcept { return value ? "true" : "false"; }
void no_option(std::string_view name) {
  throw failure{status::not_found, "there is no option " + std::string{name} + " here"};
}
void bad_option(std::string_view name, std::string_view value) {
  throw failure{status::invalid_argument,
                "the option " + std::string{name} + " cannot be '" + std::string{value} + '\''};
}

void answer(std::string_view value, char* out, std::size_t* length) {
  const std::string with_zero{value};
  copy_out(std::string_view{with_zero.c_str(), with_zero.size() + 1}, out, length);
}
void answer(std::string_view value, std::uint8_t* out, std::size_t* length) { copy_out(value, out, length); }
void answer(std::string_view name, std::string_view value, std::int64_t* out) { parse_out(name, value, out); }
void answer(std::string_view name, std::string_view value, double* out) { parse_out(name, value, out); }

std::string text_of_double(double value) {
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end.ptr};
}

}  // namespace sluice::adbc
