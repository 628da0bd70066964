#pragma once
// The server's command tags.
#include <charconv>
#include <cstddef>
#include <string>
#include <utility>

#include <sluice/stream/command_result.hpp>

namespace sluice::detail {

// The number of rows is the last word of the tag, if there is one.
inline command_result command_result_of(std::string tag) {
  command_result done{.tag = std::move(tag)};
  const std::size_t last_word = done.tag.rfind(' ') + 1;  // 0: it is the only one
  const char* const text = done.tag.data();
  (void)std::from_chars(text + last_word, text + done.tag.size(), done.affected_rows);
  return done;
}

}  // namespace sluice::detail
