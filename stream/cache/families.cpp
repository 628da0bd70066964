#include "cache/families.hpp"

#include <utility>

namespace sluice::detail {

std::size_t family::bytes() const noexcept {
  constexpr std::size_t per_node = 64;  // of a map, with what the allocator adds
  std::size_t sum = sizeof(family) + per_node + key.size();
  for (const tag* each : tags) sum += sizeof(tag*) + sizeof(tag) + per_node + each->name.size();
  return sum;
}

families::~families() = default;

family* families::find(std::string_view key) const {
  const auto found = known_.find(key);
  return found == known_.end() ? nullptr : found->second.get();
}

tag* families::find_tag(std::string_view name) {
  const auto found = tags_.find(name);
  return found == tags_.end() ? nullptr : found->second.get();
}

family& families::acquire(std::string_view key, std::span<const std::string> tags) {
  if (family* known = find(key)) {
    ++known->users;
    return *known;
  }
  auto made = std::make_unique<family>();
  made->key = key;
  made->hash = hash_(key);
  made->tags.reserve(tags.size());
  try {
    for (const std::string& name : tags) {
      tag* carried = find_tag(name);
      if (carried == nullptr) {
        auto fresh = std::make_unique<tag>(tag{.name = name});
        carried = fresh.get();
        tags_.emplace(carried->name, std::move(fresh));
      }
      ++carried->families;
      made->tags.push_back(carried);
    }
    family& into = *made;
    known_.emplace(into.key, std::move(made));
    into.users = 1;
    return into;
  } catch (...) {
    if (made != nullptr) unlink(*made);
    throw;
  }
}

void families::unlink(family& from) noexcept {
  for (tag* each : from.tags)
    if (--each->families == 0) tags_.erase(tags_.find(each->name));
}

std::size_t families::release(family& from) noexcept {
  if (--from.users != 0) return 0;
  const std::size_t bytes = from.bytes();
  unlink(from);
  if (from.is_current)
    known_.erase(known_.find(from.key));
  else
    delete &from;
  return bytes;
}

family& families::replace(family& old) {
  auto fresh = std::make_unique<family>();
  fresh->key = old.key;
  fresh->hash = old.hash;
  fresh->tags = old.tags;
  auto node = known_.extract(old.key);
  node.key() = fresh->key;
  [[maybe_unused]] const family* const left_to_its_users = node.mapped().release();
  family& into = *fresh;
  node.mapped() = std::move(fresh);
  known_.insert(std::move(node));
  for (tag* each : into.tags) ++each->families;
  into.users = 1;
  old.is_current = false;
  return into;
}

}  // namespace sluice::detail
