#pragma once
// What a program may set as text: how results become batches, and how they are fetched. A connection begins with its
// database's settings, and a statement with its connection's.
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <sluice/arrow/options.hpp>
#include <sluice/stream/options.hpp>

#include "adbc/border.hpp"

namespace sluice::adbc {

struct settings {
  arrow_options batches{.others = arrow_options::fallback::text};
  query_options run{};
  std::uint32_t partitions{4};   ///< at most
  std::string partition_key{};   ///< the column by whose ranges a query is divided; empty: none
  std::string partition_hash{};  ///< the column by whose hash it is divided; empty: none

  /// @return whether there is such a setting
  /// @par Errors  throws failure: a value that it cannot have
  bool set(std::string_view name, std::string_view value);
  /// The value of a setting; nothing if there is none.
  [[nodiscard]] std::optional<std::string> get(std::string_view name) const;
};

[[nodiscard]] bool as_bool(std::string_view name, std::string_view value);
[[nodiscard]] std::string_view show(bool value) noexcept;
[[noreturn]] void no_option(std::string_view name);
[[noreturn]] void bad_option(std::string_view name, std::string_view value);

/// The options that an object answers with, in the four types that the interface has.
/// @param length  of the room at `out`; then of the value, with its zero byte for text
void answer(std::string_view value, char* out, std::size_t* length);
void answer(std::string_view value, std::uint8_t* out, std::size_t* length);
void answer(std::string_view name, std::string_view value, std::int64_t* out);
void answer(std::string_view name, std::string_view value, double* out);
[[nodiscard]] std::string text_of_double(double value);

}  // namespace sluice::adbc
