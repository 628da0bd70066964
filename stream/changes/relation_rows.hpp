#pragma once
// The rows of one relation in a change stream: as objects of JSON, or as columns.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/stream/change.hpp>
#include <sluice/wire/result_columns.hpp>

#include "json/object_key.hpp"
#include "json/text_buffer.hpp"
#include "json/value_plan.hpp"
#include "messages/pgoutput.hpp"

namespace sluice::detail {

struct described_relation {
  changed_relation what;
  std::uint64_t number{};  ///< of two descriptions of a relation the one with the greater number was told later
  bool is_guessed{};       ///< some type was unknown: a running transaction has made it, and nobody else sees it yet
};

class relation_rows {
 public:
  /// @param types  has no `missing` type of the relation in it
  relation_rows(described_relation told, const type_catalog& types, const session_settings& session);
  /// Of rows that are wanted as columns only.
  relation_rows(described_relation told, const type_catalog& types);

  [[nodiscard]] const changed_relation& relation() const noexcept { return told_.what; }

  /// Whether the consumer has been told its columns.
  [[nodiscard]] bool is_announced() const noexcept { return is_announced_; }
  void announce() noexcept { is_announced_ = true; }
  [[nodiscard]] std::uint64_t number() const noexcept { return told_.number; }
  [[nodiscard]] bool is_guessed() const noexcept { return told_.is_guessed; }

  /// Writes a row. A value that was not sent is taken from `before` if it is there, otherwise its member is left out.
  /// @param before     the old row, or empty
  /// @param unchanged  gets the names of the members that are left out
  /// @pre the rows have as many columns as the relation
  /// @return false for a value that is not of its type: then nothing is written, and `culprit` is its column
  [[nodiscard]] bool write(text_buffer& to, const proto::pgoutput::tuple& row, const proto::pgoutput::tuple& before,
                           std::vector<std::string_view>& unchanged);
  /// Writes the columns of the replica identity only.
  [[nodiscard]] bool write_key(text_buffer& to, const proto::pgoutput::tuple& row);
  /// Writes the row as the body of a DataRow. A value that was not sent is taken from `before`, otherwise it is null
  /// and its column in `unchanged`.
  /// @pre the rows have as many columns as the relation
  void copy(std::vector<std::byte>& to, const proto::pgoutput::tuple& row, const proto::pgoutput::tuple& before,
            std::vector<std::string_view>& unchanged);
  /// Of what was copied.
  [[nodiscard]] const result_columns& shape() const noexcept { return shape_; }
  [[nodiscard]] const std::string& culprit() const noexcept { return relation().columns[culprit_].name; }

 private:
  [[nodiscard]] bool write_member(text_buffer& to, std::size_t column, const proto::pgoutput::value& value);

  described_relation told_;
  std::vector<value_plan> columns_;  // each key begins with a comma
  result_columns shape_;             // of rows that are copied as columns
  std::size_t culprit_{0};
  bool is_announced_{false};
};

}  // namespace sluice::detail
