#pragma once
/// @file
/// The replay server's answer to a statement, which depends on its first word and on a relation's name in it.

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "canned_rows.hpp"

namespace sluice::bench {

/// A statement as the replay server understands it.
struct replay_answer {
  enum class kind : std::uint8_t { rows, settings, copy_text, copy_binary, declare, fetch, tag, empty };
  static constexpr std::uint64_t all{std::numeric_limits<std::uint64_t>::max()};

  kind what{kind::tag};        ///< settings: the row that a client asks for which reads floats and bytea in binary
  row_shape shape{};           ///< rows, copies, declare
  std::string cursor{};        ///< declare, fetch
  std::uint64_t count{all};    ///< fetch: the maximum number of rows
  std::string tag{};           ///< tag: the command tag
  char transaction_status{};   ///< tag: the status in ReadyForQuery from now on; 0: unchanged
  std::uint32_t parameters{};  ///< the number of bound values that it takes
};

/// @param fallback  the shape for a statement that names no relation `replay_ROWS_BYTES`
[[nodiscard]] replay_answer answer_to(std::string_view sql, row_shape fallback);

}  // namespace sluice::bench
