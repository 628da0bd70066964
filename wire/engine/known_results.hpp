#pragma once
/// @file
/// What statements return, as the server described it: remembered by one connection for the statements that it does not
/// keep prepared, so that they are described only once. The least recently used are forgotten first.

#include <cstddef>
#include <list>
#include <memory>
#include <unordered_map>

#include <sluice/wire/result_columns.hpp>

namespace sluice::wire {

struct statement;

/// The result of a statement.
struct known_result {
  bool has_rows{};
  result_columns columns{};  ///< if it is read by columns
};
using known_result_ptr = std::shared_ptr<const known_result>;

class known_results {
 public:
  /// A hash of the text and the types of the parameters. Two statements may have the same one: what is remembered is
  /// compared with what the server says.
  using key = std::size_t;
  [[nodiscard]] static key key_of(const statement& what) noexcept;

  /// Finds the result of a statement; counts as a use.
  /// @return null: nothing is known
  [[nodiscard]] known_result_ptr find(key of) noexcept;
  /// A result of more columns than `most_columns` is not remembered.
  void remember(key of, known_result_ptr what);
  void forget(key of) noexcept;

  static constexpr std::size_t most_results = 256;
  static constexpr std::size_t most_columns = 4096;  ///< of all that is remembered

 private:
  struct entry {
    key of;
    known_result_ptr what;
  };
  void forget(std::list<entry>::iterator gone) noexcept;

  std::list<entry> entries_;  // most recently used first
  std::unordered_map<key, std::list<entry>::iterator> by_key_;
  std::size_t columns_{0};
};

}  // namespace sluice::wire
