#pragma once
// What JSON needs to know about types: of those that are built in it is known here, of all others it is asked of the
// server's catalog.
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/wire/result_columns.hpp>

namespace sluice::detail {

struct type_facts {
  enum class kind : std::uint8_t {
    scalar,
    domain,
    array,
    composite,  ///< a table's rows, too
    unclear,    ///< what its values are is not told by their type: `record`, `anyarray`
  };
  struct field {
    std::string name;
    std::uint32_t type{};
    std::int32_t modifier{-1};
  };
  /// Of a scalar that is not built in: whether its binary form is its text.
  enum class form : std::uint8_t { own, text, label };

  kind what{kind::scalar};
  std::uint32_t inner{};      ///< a domain's base type, the type of an array's elements
  char delimiter{','};        ///< an array's, between its elements in text; a space: those of a vector, without braces
  std::int32_t modifier{-1};  ///< of a domain's base type
  form binary{form::own};
  bool has_cast_to_json{};      ///< a function, which the server's to_json uses for types that are not built in
  std::vector<field> fields{};  ///< of a composite, without those that were dropped
};

/// The types that a result is made of, down to the fields of composites and the elements of arrays.
class type_catalog {
 public:
  /// The question to the server's catalog about the types of the array $1, and about all that they are made of: a row
  /// for each type, and one for each field of a composite, with the columns of `answer`.
  static const std::string_view question;
  /// The same about these types, without a parameter.
  [[nodiscard]] static std::string question_about(std::span<const std::uint32_t> types);
  struct answer {
    std::uint32_t type{};
    char kind{};  ///< b, d, a, c
    std::uint32_t inner{};
    char delimiter{};
    bool has_cast_to_json{};
    std::int64_t place{};        ///< of the field, from 1
    std::string_view field;      ///< NULL where there is none
    std::uint32_t field_type{};  ///< NULL where there is none
    char form{};                 ///< e: an enumeration; t: its binary form is its text; NULL: neither
    std::int32_t modifier{-1};   ///< of the field, or of a domain's base type
  };
  /// From the texts of a row; empty ones for NULL.
  [[nodiscard]] static std::optional<answer> read(std::span<const std::string_view> fields) noexcept;
  /// One row, in the server's order.
  void add(const answer& row);
  void add(std::uint32_t type, type_facts facts);
  /// All that another one knows.
  void add(type_catalog&& other);

  /// Fills in what the values of a column, or of a part of one, are.
  void describe(result_column& column) const;
  /// Nothing: it has to be asked for.
  [[nodiscard]] std::optional<type_facts> find(std::uint32_t type) const;
  /// Those of these types, and of what they are made of, that have to be asked for. Most results have none.
  [[nodiscard]] std::vector<std::uint32_t> missing(std::span<const std::uint32_t> types) const;

 private:
  void describe(result_column& to, std::uint32_t type, std::size_t& parts, std::size_t level) const;

  std::map<std::uint32_t, type_facts> of_the_database_;
};

}  // namespace sluice::detail
