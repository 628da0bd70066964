#include "engine/statement_cache.hpp"

#include <algorithm>
#include <utility>

namespace sluice::wire {

known_result_ptr statement_cache::find(std::string_view name) noexcept {
  const bool is_latest = !entries_.empty() && entries_.front().name == name;
  if (!is_latest) {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
  }
  ++hits_;
  return entries_.front().about;
}

bool statement_cache::claim(std::string_view name) {
  if (std::ranges::find(claimed_, name) != claimed_.end()) return false;
  claimed_.emplace_back(name);
  if (!entries_.empty() && entries_.size() + claimed_.size() > capacity_)
    forget(std::string{entries_.back().name}, true);  // now: the flight that prepares the new one closes it
  return true;
}

void statement_cache::remember(std::string_view name, known_result_ptr about) {
  std::erase(claimed_, name);
  if (by_name_.contains(name)) return;
  if (entries_.size() == capacity_) forget(std::string{entries_.back().name}, true);
  entries_.push_front({.name = std::string{name}, .about = std::move(about)});
  by_name_.emplace(entries_.front().name, entries_.begin());
}

void statement_cache::forget(std::string_view name, bool is_there) {
  if (is_there) to_close_.emplace_back(name);
  std::erase(claimed_, name);
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return;
  const auto gone = found->second;
  by_name_.erase(found);
  entries_.erase(gone);
}

void statement_cache::clear() noexcept {
  by_name_.clear();
  entries_.clear();
  claimed_.clear();
  to_close_.clear();
}

void statement_cache::closed(std::size_t count) noexcept {
  to_close_.erase(to_close_.begin(), to_close_.begin() + static_cast<std::ptrdiff_t>(count));
}

}  // namespace sluice::wire
