#include "cache/store.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

namespace sluice::detail {

namespace {
// An entry counts its sizes in 32 bits.
constexpr std::size_t largest_entry = std::numeric_limits<std::uint32_t>::max() / 2;
}  // namespace

store::store(bounds most) noexcept
    : most_{.total = most.total, .each = std::min({most.each, most.total, largest_entry})} {}

store::~store() {
  for (std::size_t slot = 0; slot < table_.slots(); ++slot)
    if (entry* const each = table_.at(slot)) {
      families_.release(each->of());
      entry::destroy(each);
    }
}

std::size_t store::cost_of(std::size_t block) noexcept {
  constexpr std::size_t allocator = 16;
  return block + allocator + entry_table::bytes_per_entry;
}

std::uint32_t store::hash_of(const family& of, std::string_view values) const noexcept {
  constexpr std::uint64_t odd = 0x9e37'79b9'7f4a'7c15;
  return static_cast<std::uint32_t>(((families_.hash()(values) ^ of.hash) * odd) >> 32U);
}

std::size_t store::slot_of(const family& of, std::string_view values, std::uint32_t hash) const noexcept {
  return table_.find(hash, [&](const entry& each) { return &each.of() == &of && each.values() == values; });
}

entry* store::valid_at(std::size_t slot) noexcept {
  if (slot == entry_table::none) return nullptr;
  entry* const found = table_.at(slot);
  if (!is_dropped(found->of(), found->version())) return found;
  ++done_.invalidated;
  remove(slot);
  return nullptr;
}

entry* store::find(std::string_view statement, std::string_view values) {
  const family* const of = families_.find(statement);
  return of == nullptr ? nullptr : valid_at(slot_of(*of, values, hash_of(*of, values)));
}

entry* store::find(const fill& same) {
  return same.of == nullptr ? nullptr : valid_at(slot_of(*same.of, same.values, same.hash));
}

void store::count_hit(const entry& which) noexcept {
  const std::size_t slot = table_.find(which.hash(), [&](const entry& each) { return &each == &which; });
  if (slot != entry_table::none) table_.count_hit(slot);
}

void store::remove_reader(entry& which) noexcept { drop_user(which); }

/// @return bytes that became free
std::size_t store::drop_user(entry& which) noexcept {
  if (!which.remove_user()) return 0;
  family& of = which.of();
  const std::size_t cost = cost_of(which.size());
  bytes_ -= cost;
  entry::destroy(&which);
  release(of);
  return cost;
}

void store::release(family& of) noexcept { bytes_ -= families_.release(of); }

std::size_t store::remove(std::size_t slot) noexcept { return drop_user(*table_.erase(slot)); }

bool store::make_room(std::size_t bytes) noexcept {
  if (bytes > most_.total) return false;
  while (bytes_ > most_.total - bytes) {
    const std::size_t victim = table_.next_victim([](const entry& each) { return !each.is_being_read(); });
    if (victim == entry_table::none) return false;
    ++done_.evicted;
    remove(victim);
  }
  return true;
}

family& store::acquire_family(std::string_view statement, std::span<const std::string> tags) {
  family& of = families_.acquire(statement, tags);
  if (of.users == 1) bytes_ += of.bytes();
  return of;
}

store::fill store::begin_fill(std::string_view statement, std::span<const std::string> tags, std::string_view values,
                              time_point now) {
  fill begun{.values = std::string{values}, .version = version_, .began = now};
  family& of = acquire_family(statement, tags);
  if (!make_room(0) || of.bytes() + values.size() > most_.each) {
    release(of);
    return begun;
  }
  begun.hash = hash_of(of, values);
  begun.of = &of;
  return begun;
}

bool store::reserve(fill& of, std::size_t bytes) {
  if (of.reserved + bytes > most_.each || !make_room(bytes)) return false;
  bytes_ += bytes;
  of.reserved += bytes;
  return true;
}

void store::give_up(fill& of) noexcept {
  bytes_ -= std::exchange(of.reserved, 0);
  if (family* const was = std::exchange(of.of, nullptr)) release(*was);
}

/// Results of one family share their columns. When those have changed, the older results are dropped.
void store::adopt_columns(fill& of, const result_columns* columns) {
  const result_columns* const known = of.of->columns.get();
  const bool are_known = columns == nullptr ? known == nullptr : known != nullptr && *known == *columns;
  if (are_known && of.of->has_results) return;
  auto own = columns == nullptr ? nullptr : std::make_shared<const result_columns>(*columns);
  if (of.of->has_results) {
    family& fresh = families_.replace(*of.of);
    bytes_ += fresh.bytes();
    release(*std::exchange(of.of, &fresh));
    unswept_ = table_.slots();
  }
  of.of->columns = std::move(own);
  of.of->has_results = true;
}

store::added store::add(fill& of, const stored_rows& rows, const result_columns* columns) {
  if (!is_current(of)) return added::invalidated;
  const std::size_t cost = cost_of(entry::size_of(rows.bytes.size(), of.values.size()));
  if (cost > most_.each) return added::too_large;
  adopt_columns(of, columns);
  if (const std::size_t slot = slot_of(*of.of, of.values, of.hash); slot != entry_table::none) {
    const bool is_newer = table_.at(slot)->began() > of.began && valid_at(slot) != nullptr;
    if (is_newer) return added::superseded;
  }
  bytes_ -= std::exchange(of.reserved, 0);
  if (!make_room(cost)) return added::no_room;
  entry* const made =
      entry::make({.of = of.of, .values = of.values, .hash = of.hash, .version = of.version, .began = of.began}, rows);
  const std::size_t slots = table_.slots();
  try {
    table_.insert(made);
  } catch (...) {
    entry::destroy(made);
    throw;
  }
  bytes_ += cost;
  of.of = nullptr;  // the entry has taken its place in the family
  if (slots != table_.slots() && unswept_ != 0) unswept_ = table_.slots();
  const std::size_t before = table_.find(made->hash(), [&](const entry& each) {
    return &each != made && &each.of() == &made->of() && each.values() == made->values();
  });
  if (before != entry_table::none) remove(before);
  return added::stored;
}

void store::invalidate(std::string_view name) {
  tag* const which = families_.find_tag(name);
  if (which == nullptr) return;
  which->dropped_at = ++version_;
  unswept_ = table_.slots();
}

void store::invalidate_all() noexcept {
  all_dropped_at_ = ++version_;
  unswept_ = table_.slots();
}

bool store::sweep() noexcept {
  constexpr std::size_t most_slots = 256;
  constexpr std::size_t most_bytes = 4U << 20U;
  std::size_t freed = 0;
  for (std::size_t i = 0; i < most_slots && freed < most_bytes && unswept_ != 0; ++i) {
    if (sweep_at_ >= table_.slots()) sweep_at_ = 0;
    entry* const each = table_.at(sweep_at_);
    if (each != nullptr && is_dropped(each->of(), each->version())) {
      ++done_.invalidated;
      freed += cost_of(each->size());
      remove(sweep_at_);  // another entry may have moved there
      continue;
    }
    ++sweep_at_;
    --unswept_;
  }
  if (unswept_ == 0) table_.shrink();
  return unswept_ != 0;
}

}  // namespace sluice::detail
