#pragma once
// The small languages of option values: sizes, durations, fields, sort keys. Each throws usage_error; those that
// contain fields show the place with a caret.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/stream/parallel.hpp>
#include <sluice/stream/query.hpp>

namespace sluice::tool {

struct usage_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// From 1 up.
std::uint32_t parse_number(std::string_view text, std::uint32_t most = std::numeric_limits<std::uint32_t>::max());
// "42": a number of rows.
std::uint64_t parse_count(std::string_view text);
// "4096", "64k", "16M", "1G": powers of 1024, in bytes.
std::size_t parse_size(std::string_view text);
// "500ms", "30s", "5m", "1h".
std::chrono::milliseconds parse_duration(std::string_view text);
// A field read as text, int, numeric, bool, timestamptz or uuid.
operand read_as(const operand& field, std::string_view word);
// "id,name,profile.city": paths as in --where.
std::vector<projection> parse_select(std::string_view text);
// "name", "age:desc", "profile.age:int:desc:nullslast".
sort_key parse_sort_key(std::string_view text);

struct split {
  split_by::kind is{split_by::kind::ctid};
  std::string path{};  // as split_by takes it
};
// "ctid", "key:id", "hash:profile.city".
split parse_split(std::string_view text);

}  // namespace sluice::tool
