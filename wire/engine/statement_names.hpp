#pragma once
/// @file
/// The names of prepared statements. A name is derived from what it stands for, so the same name never means two
/// things, even if a pooler shares the server's connections among clients.

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/statement.hpp"

namespace sluice::wire {

class statement_names {
 public:
  /// @param most  statements whose names are remembered
  explicit statement_names(std::size_t most) noexcept : most_{most} {}

  static constexpr std::size_t name_size = 39;
  /// "sluice_" and a digest of the text, the parameters' types and the shape: `name_size` characters.
  [[nodiscard]] static std::string name_of(const statement& what);
  /// The same for a statement that is likely to come again: its digest takes as long as the rest of a short query.
  /// @par Lifetime  until the next call
  [[nodiscard]] const std::string& of(const statement& what);

 private:
  struct named {
    char kind;
    std::vector<std::uint32_t> types;
    std::string text;
    std::string name;
    [[nodiscard]] bool is(const statement& what) const noexcept;
  };

  std::size_t most_;
  std::unordered_map<std::size_t, named> by_hash_;
  const named* last_{nullptr};  // that was asked for, in `by_hash_`: most programs run a statement again and again
};

}  // namespace sluice::wire
