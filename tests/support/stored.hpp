#pragma once
// Puts documents into the store of a result cache, and gets them out.
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>
#include "cache/store.hpp"

#include "backend.hpp"

namespace sluice::test {

using detail::entry;
using detail::store;
using detail::stored_rows;

inline constexpr store::bounds roomy{.total = 1U << 20U, .each = 64U << 10U};

inline stored_rows rows_of(const std::string& bytes, std::uint32_t count) {
  return {.bytes = std::as_bytes(std::span{bytes}), .shape = {}, .count = count};
}

/// Stores one document.
inline store::added put(store& into, const std::string& statement, const std::vector<std::string>& tags,
                        const std::string& values, const std::string& document, store::time_point now = {}) {
  store::fill fill = into.begin_fill(statement, tags, values, now);
  if (fill.of == nullptr) return store::added::no_room;
  const store::added how = into.add(fill, rows_of(backend{}.data_row(document).bytes, 1), nullptr);
  into.give_up(fill);
  return how;
}

/// The document of a stored result; nothing if there is none.
inline std::optional<std::string> got(store& from, const std::string& statement, const std::string& values) {
  entry* const found = from.find(statement, values);
  if (found == nullptr) return std::nullopt;
  from.count_hit(*found);
  std::string text;
  const sluice::proto::row_batch rows = found->rows();
  for (const std::byte* at = rows.begin; const std::size_t size = sluice::proto::row_at(at, rows.end, rows.shape);
       at += size)
    text.append(reinterpret_cast<const char*>(at) + 11, size - 11);
  return text;
}

inline void sweep_all(store& of) {
  while (of.sweep()) {
  }
}

}  // namespace sluice::test
