#pragma once
/// @file
/// Types whose members, or enumerators, are known by their names: read from documents (<sluice/stream/typed.hpp>), from
/// rows by the names of their columns, and from composites (<sluice/stream/columns.hpp>).

#include <array>
#include <string_view>
#include <tuple>
#include <utility>

namespace sluice {

/// How strictly documents and rows are read into a type; specialise it to change that.
template <class T>
struct json_policy {
  static constexpr bool missing_members_keep_their_value = false;
  static constexpr bool unknown_members_are_errors = false;
};

/// One member of a type: its name in documents, and the pointer to it.
template <class Type, class Member>
struct json_member {
  std::string_view name;
  Member Type::* at;
};
template <class Type, class Member>
json_member(const char*, Member Type::*) -> json_member<Type, Member>;

template <class T>
concept has_json_members = requires(const T* type) { sluice_json_members(type); };
template <class T>
concept has_json_names = requires(const T* type) { sluice_json_names(type); };

}  // namespace sluice

// Applies a macro to each element of a list, by rescanning.
#define SLUICE_PARENTHESES ()
#define SLUICE_EXPAND(...) SLUICE_EXPAND_3(SLUICE_EXPAND_3(SLUICE_EXPAND_3(SLUICE_EXPAND_3(__VA_ARGS__))))
#define SLUICE_EXPAND_3(...) SLUICE_EXPAND_2(SLUICE_EXPAND_2(SLUICE_EXPAND_2(SLUICE_EXPAND_2(__VA_ARGS__))))
#define SLUICE_EXPAND_2(...) SLUICE_EXPAND_1(SLUICE_EXPAND_1(SLUICE_EXPAND_1(SLUICE_EXPAND_1(__VA_ARGS__))))
#define SLUICE_EXPAND_1(...) __VA_ARGS__
#define SLUICE_EACH(macro, type, first, ...) \
  macro(type, first) __VA_OPT__(, SLUICE_EACH_AGAIN SLUICE_PARENTHESES(macro, type, __VA_ARGS__))
#define SLUICE_EACH_AGAIN() SLUICE_EACH
#define SLUICE_MEMBER(type, name) \
  ::sluice::json_member { #name, &type::name }
#define SLUICE_NAME(type, name) \
  ::std::pair<::std::string_view, type> { #name, type::name }

/// Makes a type readable: its members under their own names, up to 64 of them. Place it in the namespace of the type.
#define SLUICE_JSON(type, ...) SLUICE_JSON_MEMBERS(type, SLUICE_EXPAND(SLUICE_EACH(SLUICE_MEMBER, type, __VA_ARGS__)))

/// The same with names of your choice: SLUICE_JSON_MEMBERS(user, sluice::json_member{"display name", &user::name}, ...)
#define SLUICE_JSON_MEMBERS(type, ...) \
  [[maybe_unused]] constexpr auto sluice_json_members(const type*) { return ::std::tuple{__VA_ARGS__}; }

/// Makes an enumeration readable by the names of its enumerators.
#define SLUICE_JSON_ENUM(type, ...)                                                  \
  [[maybe_unused]] constexpr auto sluice_json_names(const type*) {                   \
    return ::std::array{SLUICE_EXPAND(SLUICE_EACH(SLUICE_NAME, type, __VA_ARGS__))}; \
  }
