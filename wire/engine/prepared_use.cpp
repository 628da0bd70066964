#include "engine/prepared_use.hpp"

#include <utility>

namespace sluice::wire {

namespace {

constexpr std::string_view duplicate_statement{"42P05"};
constexpr std::string_view no_such_statement{"26000"};
constexpr std::string_view plan_changed{"0A000"};

}  // namespace

known_result_ptr prepared_use::look_up(const statement& what) {
  if (!cache_.is_on() || what.is_copied) return nullptr;
  const std::string& name = cache_.name_of(what);
  known_result_ptr found = cache_.find(name);
  was_found_ = found != nullptr;
  if (!was_found_ && !cache_.claim(name)) return nullptr;
  name_size_ = static_cast<std::uint8_t>(name.copy(name_.data(), name_.size()));
  is_ = was_found_ ? state::known : state::claimed;
  return found;
}

prepared_use::~prepared_use() {
  if (is_claimed()) cache_.forget(name(), false);
}

void prepared_use::parsed() noexcept {
  if (is_ == state::claimed) is_ = state::parsed;
}

void prepared_use::give_up(bool is_there) {
  if (is_ == state::unnamed) return;
  cache_.forget(name(), is_there);
  is_ = state::unnamed;
  if (!is_there) name_size_ = 0;
}

void prepared_use::keep(known_result_ptr about) {
  is_ = state::known;
  cache_.remember(name(), std::move(about));
}

void prepared_use::refused(std::string_view sqlstate) {
  const bool is_there = is_ == state::parsed;
  if (is_claimed())
    cache_.forget(name(), is_there || sqlstate == duplicate_statement);
  else if (is_ == state::known && (sqlstate == no_such_statement || sqlstate == plan_changed))
    cache_.forget(name(), sqlstate == plan_changed);
  is_ = state::unnamed;
}

}  // namespace sluice::wire
