#include "adbc/bound_rows.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstdio>
#include <string>
#include <utility>

#include "adbc/border.hpp"

namespace sluice::adbc {

namespace {

std::string text_of(std::integral auto value) { return std::to_string(value); }
std::string text_of(bool value) { return value ? "t" : "f"; }
std::string text_of(std::floating_point auto value) {
  if (std::isnan(value)) return "NaN";
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end.ptr};
}
std::string text_of(const decimal_text& value) { return value.digits; }
std::string text_of(json_text value) { return std::string{value.text}; }
std::string text_of(std::string_view value) { return std::string{value}; }
std::string text_of(const uuid& value) { return value.to_string(); }
std::string text_of(std::chrono::microseconds since_midnight) {
  constexpr std::chrono::microseconds day{std::chrono::days{1}};
  if (since_midnight < since_midnight.zero() || since_midnight > day)
    throw failure{status::invalid_data, "a time is not within a day"};
  const std::chrono::hh_mm_ss parts{since_midnight};
  std::array<char, 64> text{};
  const int size = std::snprintf(
      text.data(), text.size(), "%02lld:%02lld:%02lld.%06lld", static_cast<long long>(parts.hours().count()),
      static_cast<long long>(parts.minutes().count()), static_cast<long long>(parts.seconds().count()),
      static_cast<long long>(parts.subseconds().count()));
  return {text.data(), static_cast<std::size_t>(size)};
}
std::string text_of(const interval& value) {
  return std::to_string(value.months) + " months " + std::to_string(value.days) + " days " +
         std::to_string(value.time.count()) + " microseconds";
}

/// A value as a parameter of a type.
struct as_parameter {
  std::uint32_t type;

  bind_value operator()(std::nullopt_t) const { return bind_value::of_type(std::nullopt, type); }
  bind_value operator()(std::span<const std::byte> value) const { return bind_value::bytes(value); }
  bind_value operator()(std::chrono::sys_days value) const { return {value}; }
  bind_value operator()(std::chrono::sys_time<std::chrono::microseconds> value) const { return {value}; }
  bind_value operator()(std::chrono::local_time<std::chrono::microseconds> value) const { return {value}; }
  bind_value operator()(const input_list& value) const;
  template <class T>
  bind_value operator()(const T& value) const {
    return bind_value::of_type(text_of(value), type);
  }
};

/// An element of an array, whose type follows from its elements.
struct as_element {
  bind_value operator()(std::nullopt_t) const { return std::nullopt; }
  bind_value operator()(std::span<const std::byte> value) const { return bind_value::bytes(value); }
  bind_value operator()(bool value) const { return {value}; }
  bind_value operator()(float value) const { return {static_cast<double>(value)}; }
  bind_value operator()(const decimal_text& value) const { return bind_value::numeric(value.digits); }
  bind_value operator()(json_text value) const { return bind_value::json(std::string{value.text}); }
  bind_value operator()(std::chrono::microseconds value) const { return {text_of(value)}; }
  bind_value operator()(const interval& value) const { return {text_of(value)}; }
  bind_value operator()(const input_list&) const { throw failure{status::not_implemented, "a list of lists"}; }
  template <class T>
  bind_value operator()(const T& value) const {
    return bind_value{value};
  }
};

bind_value as_parameter::operator()(const input_list& value) const {
  std::vector<bind_value> elements;
  for (std::int64_t i = value.begin; i < value.end; ++i)
    value.of->with(i, [&](const auto& each) { elements.push_back(as_element{}(each)); });
  return bind_value::array(elements);
}

}  // namespace

std::vector<bind_value> bound_rows::values() {
  const input_batch& from = batch();
  std::vector<bind_value> all;
  all.reserve(from.columns().size());
  for (std::size_t i = 0; i < from.columns().size(); ++i) {
    const as_parameter convert{from.columns()[i].parameter_type()};
    from.with(i, row(), [&](const auto& value) { all.push_back(convert(value)); });
  }
  return all;
}

}  // namespace sluice::adbc
