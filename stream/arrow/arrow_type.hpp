#pragma once
// The Arrow type of a column, and whether it is made from the binary format.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/arrow/abi.hpp>
#include <sluice/arrow/options.hpp>
#include <sluice/wire/result_columns.hpp>

namespace sluice::detail {

struct arrow_type {
  /// How values are read, and what they become.
  enum class kind : std::uint8_t {
    boolean,
    int16,
    int32,
    int64,
    uint32,
    float32,
    float64,
    decimal,
    numeric_as_text,
    numeric_as_double,
    text,
    versioned_text,  ///< with a byte before it: jsonb
    binary,
    date,
    time,
    timestamp,
    interval,
    uuid,
    label,  ///< a dictionary of texts
    list,
    structure,
  };

  kind is{kind::text};
  std::uint32_t type{};  ///< OID: as an array's elements and a composite's fields name it
  std::uint8_t precision{};
  std::uint8_t scale{};
  std::string name{};
  std::string format{};          ///< as ArrowSchema has it
  std::string_view extension{};  ///< the name of an extension type, a literal; empty: none
  std::vector<arrow_type> children{};
};

/// Whether a column has to come as text.
/// @param column  described
/// @par Errors  throws error: bad_column for a type without a counterpart, if the options want an error
[[nodiscard]] bool comes_as_text(const result_column& column, const arrow_options& how);
/// @pre the column comes in the format that `comes_as_text` says
[[nodiscard]] arrow_type arrow_type_of(const result_column& column, const arrow_options& how);

/// @par Errors  throws std::bad_alloc
[[nodiscard]] ArrowSchema export_schema(const arrow_type& type);

}  // namespace sluice::detail
