#pragma once
/// @file
/// The statements that a server has prepared for one connection; the least recently used are evicted first.
/// @see PostgreSQL documentation, section "Extended Query", on named prepared statements

#include <cstddef>
#include <cstdint>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/known_results.hpp"
#include "engine/statement_names.hpp"

namespace sluice::wire {

class statement_cache {
 public:
  /// Holds nothing until it is resized.
  statement_cache() = default;
  /// @param capacity  statements; 0: none
  explicit statement_cache(std::size_t capacity) noexcept : capacity_{capacity}, names_{capacity} {}

  [[nodiscard]] bool is_on() const noexcept { return capacity_ != 0; }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] std::uint64_t hits() const noexcept { return hits_; }

  /// The name that a statement has on the server, whether that has it or not.
  [[nodiscard]] const std::string& name_of(const statement& what) { return names_.of(what); }
  /// Finds a statement; counts as a use.
  /// @return what it returns: enough to run it without Parse and Describe. Null: the server does not have it
  [[nodiscard]] known_result_ptr find(std::string_view name) noexcept;
  /// A Parse for it is about to be sent; `remember` or `forget` follows. The least recently used statement may be
  /// evicted for it.
  /// @return false if a Parse for it was sent already: then it must not be sent again
  [[nodiscard]] bool claim(std::string_view name);
  /// The server has prepared it.
  void remember(std::string_view name, known_result_ptr about);
  /// It must not be used any more.
  /// @param is_there  whether it exists on the server, where it then has to be closed
  void forget(std::string_view name, bool is_there);
  /// The server has no prepared statements any more.
  void clear() noexcept;
  /// Names that are forgotten here but still exist on the server.
  [[nodiscard]] std::span<const std::string> to_close() const noexcept { return to_close_; }
  /// The first `count` of them have been closed.
  void closed(std::size_t count) noexcept;

 private:
  struct entry {
    std::string name;
    known_result_ptr about;
  };

  std::size_t capacity_{0};
  statement_names names_{0};
  std::uint64_t hits_{0};
  std::list<entry> entries_;  // most recently used first
  std::unordered_map<std::string_view, std::list<entry>::iterator> by_name_;
  std::vector<std::string> claimed_;
  std::vector<std::string> to_close_;
};

}  // namespace sluice::wire
