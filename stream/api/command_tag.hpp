#pragma once
// The server's command tags.
#include <charconv>
#include <string>
#include <utility>

#include <sluice/stream/command_result.hpp>

namespace sluice::detail {

// The number of rows is the last word of the tag, if there is one.
inline command_result command_result_of(std::string tag) {
  command_result done{.tag = std::move(tag)};
  const char* const end = done.tag.data() + done.tag.size();
  (void)std::from_chars(done.tag.data() + done.tag.rfind(' ') + 1, end, done.affected_rows);
  return done;
}

}  // namespace sluice::detail
