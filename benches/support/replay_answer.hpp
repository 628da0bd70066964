#pragma once
/// @file
/// What the replay server answers to a statement, decided by its first word and a relation's name in it.

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "canned_rows.hpp"

namespace sluice::bench {

/// One statement as the replay server understands it.
struct replay_answer {
  enum class kind : std::uint8_t { rows, copy_text, copy_binary, declare, fetch, tag, empty };
  static constexpr std::uint64_t all{std::numeric_limits<std::uint64_t>::max()};

  kind what{kind::tag};
  row_shape shape{};           ///< rows, copies, declare
  std::string cursor{};        ///< declare, fetch
  std::uint64_t count{all};    ///< fetch: at most so many rows
  std::string tag{};           ///< tag: the command tag
  char transaction_status{};   ///< tag: what ReadyForQuery says from now on; 0: as before
  std::uint32_t parameters{};  ///< how many bound values it takes
};

/// @param fallback  the rows of a statement that names no relation `replay_ROWS_BYTES`
[[nodiscard]] replay_answer answer_to(std::string_view sql, row_shape fallback);

}  // namespace sluice::bench
