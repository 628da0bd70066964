#include "engine/known_results.hpp"

#include <functional>
#include <iterator>
#include <string_view>
#include <utility>

#include "engine/statement.hpp"

namespace sluice::wire {

known_results::key known_results::key_of(const statement& what) noexcept {
  const auto types = std::as_bytes(what.types);
  const std::hash<std::string_view> hash;
  return hash(what.text) ^ (hash({reinterpret_cast<const char*>(types.data()), types.size()}) << 1U);
}

known_result_ptr known_results::find(key of) noexcept {
  const auto found = by_key_.find(of);
  if (found == by_key_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->what;
}

void known_results::remember(key of, known_result_ptr what) {
  forget(of);
  const std::size_t count = what->columns.size();
  if (count > most_columns) return;
  while (!entries_.empty() && (entries_.size() == most_results || columns_ + count > most_columns))
    forget(std::prev(entries_.end()));
  entries_.push_front({.of = of, .what = std::move(what)});
  try {
    by_key_.emplace(of, entries_.begin());
  } catch (...) {
    entries_.pop_front();
    throw;
  }
  columns_ += count;
}

void known_results::forget(key of) noexcept {
  if (const auto found = by_key_.find(of); found != by_key_.end()) forget(found->second);
}

void known_results::forget(std::list<entry>::iterator gone) noexcept {
  columns_ -= gone->what->columns.size();
  by_key_.erase(gone->of);
  entries_.erase(gone);
}

}  // namespace sluice::wire
