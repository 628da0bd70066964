#pragma once
// A partition's descriptor: what it says, and its text.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/stream/query.hpp>
#include <sluice/wire/result_columns.hpp>

namespace sluice::detail {

struct partition_parameter {
  std::optional<std::string> text;  ///< bytea: its bytes in base64
  std::uint32_t type{};
};
struct partition_column {
  std::string name;
  std::uint32_t type{};
  std::int32_t modifier{};
  friend bool operator==(const partition_column&, const partition_column&) = default;
};

struct partition_facts {
  std::string database{};
  std::string snapshot{};
  std::string nonce{};  ///< so that no two exports have the same descriptors
  std::uint32_t index{};
  std::uint32_t count{};
  std::map<std::string, std::string> settings{};  ///< of the session, on which the meaning of the SQL depends
  std::string sql{};
  std::vector<partition_parameter> parameters{};
  bool is_document{};                              ///< its only column is the document; otherwise objects are made
  std::vector<std::vector<std::string>> places{};  ///< of the columns in such an object; empty: under their names
  std::vector<partition_column> columns{};
};

/// Which columns a result has, without their formats.
[[nodiscard]] std::vector<partition_column> columns_of(const std::vector<result_column>& columns);

/// One line of text without spaces: a version, the facts as JSON in base64, and the beginning of their SHA-256.
[[nodiscard]] std::string written(const partition_facts& of);
/// @par Errors  throws error: bad_partition
[[nodiscard]] partition_facts read_partition(std::string_view descriptor);
/// The number of the advisory lock that vouches for a descriptor.
/// @pre `read_partition` accepts it
[[nodiscard]] std::int64_t lock_of(std::string_view descriptor);

/// Sixteen random digits.
[[nodiscard]] std::string random_nonce();

/// Values of any type, to and from a descriptor.
struct stored_values {
  [[nodiscard]] static partition_parameter store(const bind_value& value);
  /// @par Errors  throws error: bad_partition for bytes that are not in base64
  [[nodiscard]] static bind_value restore(const partition_parameter& stored);
};

[[noreturn]] void refuse_partition(const std::string& why);

}  // namespace sluice::detail
