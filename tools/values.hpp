#pragma once
// The small languages of option values: sizes, durations, sort keys. Each throws usage_error.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/stream/query.hpp>

namespace sluice::tool {

struct usage_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// "42": a number of rows.
std::uint64_t parse_count(std::string_view text);
// "4096", "64k", "16M", "1G": powers of 1024, in bytes.
std::size_t parse_size(std::string_view text);
// "500ms", "30s", "5m", "1h".
std::chrono::milliseconds parse_duration(std::string_view text);
// A field read as text, int, numeric, bool, timestamptz or uuid.
operand read_as(const operand& field, std::string_view word);
// "name", "age:desc", "profile.age:int:desc:nullslast"; a key with odd characters in double quotes.
sort_key parse_sort_key(std::string_view text);
// "a.b", "\"a.b\".c": keys from the document's root on, up to the end or an unquoted colon, where `rest` then begins.
std::vector<std::string> parse_path(std::string_view text, std::string_view& rest);

}  // namespace sluice::tool
