#include "cache/cache_core.hpp"

#include <exception>
#include <utility>

#include <asio/post.hpp>

namespace sluice::detail {

bool cache_core::is_usable() {
  if (options_.max_bytes == 0) return false;
  if (is_ == hearing::unused) return true;
  if (is_ == hearing::listening && !ear_->is_listening()) is_deaf();
  return is_ == hearing::listening || options_.deaf == while_deaf::keep_to_ttl;
}

void cache_core::invalidate(std::string_view tag) {
  results_.invalidate(tag);
  report(kind::invalidated);
  sweep_later();
}

void cache_core::invalidate_all() {
  results_.invalidate_all();
  report(kind::invalidated);
  sweep_later();
}

void cache_core::listen_with(const ear& with) {
  if (ear_ != nullptr) throw error{errc::bad_state, "the cache has a feed of invalidations already"};
  ear_ = &with;
  is_ = hearing::deaf;
}

void cache_core::forget_ear() noexcept {
  ear_ = nullptr;
  is_ = hearing::deaf;
  results_.invalidate_all();
  sweep_later();
}

void cache_core::hears_now() {
  const bool was_listening = std::exchange(is_, hearing::listening) == hearing::listening;
  invalidate_all();
  const bool is_left = is_ != hearing::listening;  // by an observer that has ended the feed
  if (!was_listening && !is_left) report(kind::listening);
}

void cache_core::is_deaf() {
  if (is_ == hearing::deaf) return;
  is_ = hearing::deaf;
  invalidate_all();
  report(kind::deaf);
}

void cache_core::sweep_later() noexcept {
  if (is_sweeping_) return;
  try {
    asio::post(on_, [weak = weak_from_this()] {
      if (const std::shared_ptr<cache_core> core = weak.lock()) core->sweep();
    });
    is_sweeping_ = true;
  } catch (const std::exception&) {  // no memory: the entries are evicted sooner or later
  }
}

void cache_core::sweep() {
  is_sweeping_ = false;
  if (results_.sweep()) sweep_later();
}

void cache_core::changed() {
  const std::uint64_t evicted = results_.done().evicted;
  if (evicted == evictions_reported_) return;
  const std::uint64_t count = evicted - std::exchange(evictions_reported_, evicted);
  counts_.evicted += count;
  send_event({.is = kind::evicted, .count = count});
}

void cache_core::report(kind what, clock::duration age, clock::duration waited) {
  switch (what) {
    case kind::hit: ++counts_.hits; break;
    case kind::stale_hit: ++counts_.stale_hits; break;
    case kind::wait_hit: ++counts_.wait_hits; break;
    case kind::miss: ++counts_.misses; break;
    case kind::bypass: ++counts_.bypasses; break;
    case kind::stored: ++counts_.stored; break;
    case kind::discarded: ++counts_.discarded; break;
    case kind::outgrown: ++counts_.outgrown; break;
    case kind::evicted:
    case kind::invalidated:
    case kind::listening:
    case kind::deaf: break;
  }
  send_event({.is = what, .age = age, .waited = waited});
}

void cache_core::send_event(cache_event event) {
  if (options_.watch == nullptr) return;
  event.entries = results_.entries();
  event.bytes = results_.bytes();
  options_.watch->on_cache(event);
}

cache_stats cache_core::stats() const {
  cache_stats now = counts_;
  now.evicted = results_.done().evicted;
  now.entries = results_.entries();
  now.bytes = results_.bytes();
  return now;
}

}  // namespace sluice::detail
