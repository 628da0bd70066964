#pragma once
// What the results of one query text have in common, and the tags by which they are dropped.
//
// A family and its tags live as long as an entry, or a query that is to become one, refers to them: a tag of which
// nobody has results costs nothing, however often it is invalidated.
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <sluice/wire/result_columns.hpp>

#include "cache/keyed_hash.hpp"

namespace sluice::detail {

struct tag {
  std::string name;
  std::uint64_t dropped_at{0};  ///< the store's version
  std::uint32_t families{0};
};

struct family {
  std::string key;
  std::uint64_t hash{};
  std::vector<tag*> tags{};
  std::uint32_t users{0};
  bool is_current{true};    ///< false: its results are no longer found, because those of today have other columns
  bool has_results{false};  ///< one was stored at some time, which tells the columns
  std::shared_ptr<const result_columns> columns{};  ///< of its results; null: documents

  [[nodiscard]] std::size_t bytes() const noexcept;
  /// Whether a result of this version has been invalidated since.
  [[nodiscard]] bool is_dropped(std::uint64_t version) const noexcept {
    for (const tag* each : tags)
      if (each->dropped_at > version) return true;
    return !is_current;
  }
};

class families {
 public:
  families() = default;
  ~families();
  families(const families&) = delete;
  families& operator=(const families&) = delete;

  [[nodiscard]] const keyed_hash& hash() const noexcept { return hash_; }
  [[nodiscard]] family* find(std::string_view key) const;
  /// The one with this key, made if need be, with one more user.
  /// @par Exception safety  strong
  [[nodiscard]] family& acquire(std::string_view key, std::span<const std::string> tags);
  /// @return the bytes that became free
  std::size_t release(family& from) noexcept;
  /// A family in its place, with one user. That of today keeps its entries, which are no longer found.
  [[nodiscard]] family& replace(family& old);
  /// @return null: nothing carries it
  [[nodiscard]] tag* find_tag(std::string_view name);

 private:
  struct hasher {
    const keyed_hash* hash;
    std::size_t operator()(std::string_view bytes) const noexcept { return (*hash)(bytes); }
  };
  void unlink(family& from) noexcept;

  keyed_hash hash_;
  std::unordered_map<std::string_view, std::unique_ptr<family>, hasher> known_{0, hasher{&hash_}};  // by its own key
  std::unordered_map<std::string_view, std::unique_ptr<tag>, hasher> tags_{0, hasher{&hash_}};
};

}  // namespace sluice::detail
