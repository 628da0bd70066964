#pragma once
/// @file
/// Conversion of JSON values to C++ values. `from_json(value, into, place)` is found by argument-dependent lookup. A
/// type of your own may define one in its namespace, which must read each value only once; SLUICE_JSON and
/// SLUICE_JSON_ENUM write it for you.
///
///     struct user { std::int64_t id; std::string name; std::optional<std::string> email; };
///     SLUICE_JSON(user, id, name, email)
///
///     enum class state { open, paid };
///     SLUICE_JSON_ENUM(state, open, paid)
///
/// Supported types: bool, integers (checked against their range), float and double, std::string, std::string_view,
/// std::optional (null or missing), std::vector, std::map and std::unordered_map with string keys,
/// std::chrono::sys_time and sys_days (ISO 8601), uuid, raw_json, and types with SLUICE_JSON. Members of the document
/// that the type does not have are ignored; a missing member is an error unless it is an optional. `json_policy`
/// changes both.

#include <array>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include <simdjson.h>

#include <sluice/stream/json_key.hpp>
#include <sluice/stream/json_moment.hpp>
#include <sluice/stream/members.hpp>
#include <sluice/stream/moments.hpp>
#include <sluice/stream/uuid.hpp>
#include <sluice/wire/error.hpp>

namespace sluice {

using json_value = simdjson::ondemand::value;

/// A value as it is written in the document, not decoded.
/// @par Lifetime  `text` views the row
struct raw_json {
  std::string_view text;
};

/// The position of a value in a document, built on the stack while the document is read.
class json_place {
 public:
  explicit json_place(std::uint64_t row) noexcept : row_{row} {}
  /// @par Errors  throws error: bad_json beyond 512 levels of nesting, since a type that contains itself is read by
  ///              recursion
  json_place(const json_place& inside, std::string_view key)
      : inside_{&inside}, key_{key}, depth_{inside.depth_ + 1}, row_{inside.row_} {
    if (depth_ > max_depth) fail_too_deep();
  }
  json_place(const json_place& inside, std::size_t index)
      : inside_{&inside}, index_{index}, is_element_{true}, depth_{inside.depth_ + 1}, row_{inside.row_} {
    if (depth_ > max_depth) fail_too_deep();
  }

  /// @par Errors  throws error: bad_json: "row 17, $.profile.tags[3]: expected a string, found a number"
  [[noreturn]] SLUICE_API void fail(std::string_view expected, std::string_view found) const;
  /// The same; describes what was found by its JSON type.
  [[noreturn]] SLUICE_API void fail(std::string_view expected, json_value& found) const;
  /// The same; also covers a value of the right type that is malformed or out of range.
  [[noreturn]] SLUICE_API void fail(std::string_view expected, json_value& found, simdjson::error_code why) const;

 private:
  static constexpr std::uint32_t max_depth = 512;

  [[nodiscard]] std::string path() const;
  [[noreturn]] SLUICE_API void fail_too_deep() const;

  const json_place* inside_{};
  std::string_view key_{};
  std::size_t index_{};
  bool is_element_{false};
  std::uint32_t depth_{0};
  std::uint64_t row_;
};

inline void from_json(json_value& from, bool& into, const json_place& place) {
  if (const auto refused = from.get_bool().get(into)) place.fail("true or false", from, refused);
}

template <std::integral Integer>
  requires(!std::same_as<Integer, bool> && !std::same_as<Integer, char>)
void from_json(json_value& from, Integer& into, const json_place& place) {
  if constexpr (std::is_signed_v<Integer>) {
    std::int64_t number{};
    if (from.get_int64().get(number) != simdjson::SUCCESS) place.fail("an integer", from);
    if (!std::in_range<Integer>(number)) place.fail("an integer in the range of its type", "another");
    into = static_cast<Integer>(number);
  } else {
    std::uint64_t number{};
    if (from.get_uint64().get(number) != simdjson::SUCCESS) place.fail("an integer that is not negative", from);
    if (!std::in_range<Integer>(number)) place.fail("an integer in the range of its type", "another");
    into = static_cast<Integer>(number);
  }
}

template <std::floating_point Number>
void from_json(json_value& from, Number& into, const json_place& place) {
  double number{};
  if (const auto refused = from.get_double().get(number)) place.fail("a number", from, refused);
  into = static_cast<Number>(number);
  if (!std::isfinite(into)) place.fail("a number in the range of its type", "another");
}

/// @par Lifetime  the text views the row or the parser's memory
inline void from_json(json_value& from, std::string_view& into, const json_place& place) {
  if (const auto refused = from.get_string().get(into)) place.fail("a string", from, refused);
}
inline void from_json(json_value& from, std::string& into, const json_place& place) {
  std::string_view text;
  from_json(from, text, place);
  into = text;
}

SLUICE_API void from_json(json_value& from, raw_json& into, const json_place& place);
SLUICE_API void from_json(json_value& from, uuid& into, const json_place& place);
SLUICE_API void from_json(json_value& from, std::chrono::sys_time<std::chrono::microseconds>& into,
                          const json_place& place);

template <class Duration>
void from_json(json_value& from, std::chrono::sys_time<Duration>& into, const json_place& place) {
  std::chrono::sys_time<std::chrono::microseconds> moment;
  from_json(from, moment, place);
  const std::optional<Duration> since_epoch = detail::from_microseconds<Duration>(moment.time_since_epoch());
  if (!since_epoch) place.fail("a date and time in the range of its type", "another");
  into = std::chrono::sys_time<Duration>{*since_epoch};
}

template <class T>
void from_json(json_value& from, std::optional<T>& into, const json_place& place);
template <class T>
void from_json(json_value& from, std::vector<T>& into, const json_place& place);
template <class T>
void from_json(json_value& from, std::map<std::string, T>& into, const json_place& place);
template <class T>
void from_json(json_value& from, std::unordered_map<std::string, T>& into, const json_place& place);
template <has_json_members T>
void from_json(json_value& from, T& into, const json_place& place);

template <has_json_names T>
void from_json(json_value& from, T& into, const json_place& place) {
  std::string_view name;
  from_json(from, name, place);
  for (const auto& [known, value] : sluice_json_names(static_cast<const T*>(nullptr))) {
    if (known == name) {
      into = value;
      return;
    }
  }
  place.fail("one of the names of its enumeration", "another");
}

template <class T>
void from_json(json_value& from, std::optional<T>& into, const json_place& place) {
  bool is_null = false;
  if (from.is_null().get(is_null) != simdjson::SUCCESS) place.fail("null or a value", "no JSON");
  if (is_null) {
    into.reset();
    return;
  }
  from_json(from, into.emplace(), place);
}

template <class T>
void from_json(json_value& from, std::vector<T>& into, const json_place& place) {
  simdjson::ondemand::array array;
  if (const auto refused = from.get_array().get(array)) place.fail("an array", from, refused);
  into.clear();
  for (auto each : array) {
    const json_place here{place, into.size()};
    json_value element;
    if (std::move(each).get(element) != simdjson::SUCCESS) here.fail("a value", "no JSON");
    T value{};
    from_json(element, value, here);
    into.push_back(std::move(value));
  }
}

namespace detail {

/// Whether a document that is neither an object nor an array is a single value with nothing after it.
[[nodiscard]] SLUICE_API bool is_one_scalar(std::string_view document) noexcept;

template <class Map>
void read_map(json_value& from, Map& into, const json_place& place) {
  simdjson::ondemand::object object;
  if (const auto refused = from.get_object().get(object)) place.fail("an object", from, refused);
  into.clear();
  for (auto each : object) {
    simdjson::ondemand::field field;
    std::string_view key;
    if (std::move(each).get(field) != simdjson::SUCCESS || field.unescaped_key().get(key) != simdjson::SUCCESS)
      place.fail("a member", "no JSON");
    const auto at = into.insert_or_assign(std::string{key}, typename Map::mapped_type{}).first;
    json_value value = field.value();
    from_json(value, at->second, json_place{place, at->first});
  }
}

/// Types that are read to their end, so that nothing may follow them.
template <class T>
inline constexpr bool is_read_whole = false;
template <class T>
inline constexpr bool is_read_whole<std::vector<T>> = true;
template <class T>
inline constexpr bool is_read_whole<std::map<std::string, T>> = true;
template <class T>
inline constexpr bool is_read_whole<std::unordered_map<std::string, T>> = true;

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

/// Reads an object into a type, in one walk over the document that goes barely past the last member of the type. Of
/// several members with the same key, the first one counts.
///
/// simdjson's own lookup by name walks more than once, and then assumes that nothing is malformed.
template <class T>
class object_reader {
 public:
  object_reader(T& into, const json_place& place) noexcept : into_{into}, place_{place} {}

  void read(simdjson::ondemand::object& from) {
    for (auto each : from) {  // one step past the last member, to check what follows its value, too
      if (each.error() != simdjson::SUCCESS) place_.fail("a member", "no JSON");
      if (left_ == 0 && !strict) return;
      simdjson::ondemand::field& field = each.value_unsafe();  // copying costs more than the rest of the walk
      const char* const key = field.key().raw();
      if (take(field, [key](std::string_view name) { return is_plain_json_key(key, name); }) ||
          (has_escapes(key) && take(field, [key](std::string_view name) { return is_json_key(key, name); })))
        continue;
      if (strict && !is_known(key)) place_.fail("members of its type only", "another");
    }
    if (left_ != 0) require_all(std::make_index_sequence<count>{});
  }

 private:
  static constexpr auto members = sluice_json_members(static_cast<const T*>(nullptr));
  static constexpr std::size_t count = std::tuple_size_v<decltype(members)>;
  static constexpr bool strict = json_policy<T>::unknown_members_are_errors;
  static_assert(std::apply([](const auto&... member) { return (is_plain_name(member.name) && ...); }, members),
                "names of members are at most 63 bytes long, without quotes and backslashes");

  /// Reads the field if it is a member that has not been read yet. If the document has its members in the order of the
  /// type, the first unread one matches.
  template <class IsKey>
  bool take(simdjson::ondemand::field& field, IsKey is_key) {
    return [&]<std::size_t... Index>(std::index_sequence<Index...>) {
      return (take_one<Index>(field, is_key) || ...);
    }(std::make_index_sequence<count>{});
  }
  template <std::size_t Index, class IsKey>
  bool take_one(simdjson::ondemand::field& field, IsKey is_key) {
    constexpr auto member = std::get<Index>(members);
    if (is_read_[Index] || !is_key(member.name)) return false;
    from_json(field.value(), into_.*(member.at), json_place{place_, member.name});
    is_read_[Index] = true;
    --left_;
    return true;
  }

  static bool is_known(const char* key) {
    return std::apply([&](const auto&... member) { return (is_json_key(key, member.name) || ...); }, members);
  }

  template <std::size_t... Index>
  void require_all(std::index_sequence<Index...>) const {
    (require<Index>(), ...);
  }
  template <std::size_t Index>
  void require() const {
    constexpr auto member = std::get<Index>(members);
    using type = std::remove_cvref_t<decltype(std::declval<T>().*(member.at))>;
    if constexpr (!json_policy<T>::missing_members_keep_their_value && !is_optional<type>)
      if (!is_read_[Index]) json_place{place_, member.name}.fail("a value", "nothing");
  }

  T& into_;
  const json_place& place_;
  std::array<bool, count> is_read_{};
  std::size_t left_{count};
};

/// The entry point for a document that is itself such an object.
template <has_json_members T>
void read_object(simdjson::ondemand::object& object, T& into, const json_place& place);

}  // namespace detail

template <class T>
void from_json(json_value& from, std::map<std::string, T>& into, const json_place& place) {
  detail::read_map(from, into, place);
}
template <class T>
void from_json(json_value& from, std::unordered_map<std::string, T>& into, const json_place& place) {
  detail::read_map(from, into, place);
}

template <has_json_members T>
void from_json(json_value& from, T& into, const json_place& place) {
  simdjson::ondemand::object object;
  if (const auto refused = from.get_object().get(object)) place.fail("an object", from, refused);
  detail::read_object(object, into, place);
}

template <has_json_members T>
void detail::read_object(simdjson::ondemand::object& object, T& into, const json_place& place) {
  detail::object_reader<T>{into, place}.read(object);
}

}  // namespace sluice
