#pragma once
// How the values of a type become JSON: decided once for a result, from the type and the session's settings.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "json/object_key.hpp"
#include "json/text_buffer.hpp"
#include "json/type_facts.hpp"
#include "json/value_writers.hpp"
#include "messages/value_format.hpp"

namespace sluice::detail {

/// What the text of values depends on, as far as the session is known to have it.
struct session_settings {
  bool is_in_utc{true};       ///< TimeZone, which the server reports
  bool has_iso_dates{true};   ///< DateStyle, which the server reports
  bool has_hex_bytea{true};   ///< bytea_output, which it does not
  bool has_all_digits{true};  ///< extra_float_digits of at least 1, its default: not reported either

  /// @param time_zone, date_style  as ParameterStatus has them
  [[nodiscard]] static session_settings of(std::string_view time_zone, std::string_view date_style) noexcept;
};

/// Writes values of one type, one after the other. Made by `plan_values` or `plan_text_values`.
struct value_plan {
  using nested_writer = bool (*)(text_buffer& to, std::span<const std::byte> value, value_plan& plan);

  leaf_writer leaf{};
  nested_writer nested{};  ///< where there is no leaf: that of an array or a composite
  std::uint32_t type{};    ///< as an array's elements and a composite's fields name it
  proto::value_format format{proto::value_format::text};
  /// What is written is a string of the text, or has one in it, where the server's to_json writes something else: for
  /// types with a cast to json of their own, for `record` and `anyarray`, for moments whose text is not in ISO 8601,
  /// and for all that is made of these.
  bool falls_short{false};
  char delimiter{','};            ///< of an array's text
  object_key key;                 ///< of a composite's field
  std::vector<value_plan> parts;  ///< an array's element, a composite's fields
  text_buffer unescaped;          ///< the text of the part that is being written

  /// Writes one value that is not NULL, as the server's to_json does.
  /// @return false when the bytes are no value of the type: what was written so far means nothing then
  [[nodiscard]] bool write(text_buffer& to, std::span<const std::byte> value) {
    return leaf != nullptr ? leaf(to, value) : nested(to, value, *this);
  }
};

/// A plan in binary where that is known here of all that the type is made of, and otherwise in text.
/// @param types  has no `missing` type in it; one that it does not know is written as a string
[[nodiscard]] value_plan plan_values(std::uint32_t type, const type_catalog& types, const session_settings& session);
/// A plan in text, whatever the type is.
[[nodiscard]] value_plan plan_text_values(std::uint32_t type, const type_catalog& types,
                                          const session_settings& session);

}  // namespace sluice::detail
