#pragma once
/// @file
/// Which statements a server has prepared for one connection, the least recently used forgotten first.
///
/// A name is made from what it stands for, so that the same name never means two things, not even where a pooler shares
/// the server's connections among clients.
/// @see PostgreSQL documentation, section "Extended Query", on named prepared statements

#include <cstddef>
#include <cstdint>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <sluice/wire/result_columns.hpp>
#include "engine/statement.hpp"

namespace sluice::wire {

class statement_cache {
 public:
  /// What is known about a prepared statement: enough to run it without Parse and Describe.
  struct known {
    bool has_rows{};
    std::uint16_t columns{};
    result_columns names{};  ///< of a result that is read by columns
  };

  /// Holds nothing until it is resized.
  statement_cache() = default;
  /// @param capacity  statements; 0: none
  explicit statement_cache(std::size_t capacity) noexcept : capacity_{capacity} {}

  [[nodiscard]] bool is_on() const noexcept { return capacity_ != 0; }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] std::uint64_t hits() const noexcept { return hits_; }

  /// "sluice_" and a digest of the text, the parameters' types and the shape: 39 characters.
  [[nodiscard]] static std::string name_of(const statement& what);
  /// Counts as a use.
  /// @par Lifetime  until the next call that changes anything
  [[nodiscard]] const known* find(std::string_view name) noexcept;
  /// A Parse for it is sent; `remember` or `forget` follows. What was used least recently may be forgotten for it.
  /// @return false when one is under way already: then it must not be sent again
  [[nodiscard]] bool claim(std::string_view name);
  /// The server has prepared it.
  void remember(std::string_view name, known about);
  /// It is not to be used any more.
  /// @param is_there  on the server, where it is to be closed
  void forget(std::string_view name, bool is_there);
  /// The server has none any more.
  void clear() noexcept;
  /// Names that are forgotten here and still there.
  [[nodiscard]] std::span<const std::string> to_close() const noexcept { return to_close_; }
  /// The first `count` of them are closed.
  void closed(std::size_t count) noexcept;

 private:
  struct entry {
    std::string name;
    known about;
  };

  std::size_t capacity_{0};
  std::uint64_t hits_{0};
  std::list<entry> entries_;  // the last used first
  std::unordered_map<std::string_view, std::list<entry>::iterator> by_name_;
  std::vector<std::string> claimed_;
  std::vector<std::string> to_close_;
};

}  // namespace sluice::wire
