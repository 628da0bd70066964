#include <sluice/cache/result_cache.hpp>

#include <memory>
#include <utility>

#include "cache/cache_core.hpp"
#include "cache/cached_rows.hpp"

namespace sluice {

result_cache::result_cache(const pool& from, cache_options options)
    : core_{std::make_shared<detail::cache_core>(from.held(), from.get_executor(), options)} {}
result_cache::result_cache(result_cache&&) noexcept = default;
result_cache& result_cache::operator=(result_cache&&) noexcept = default;
result_cache::~result_cache() = default;

const std::shared_ptr<detail::cache_core>& result_cache::held() const {
  if (core_ == nullptr) throw error{errc::bad_state, "the cache was moved from"};
  return core_;
}

pooled_stream result_cache::stream(query what, const cache_use& how, query_options options, retry_options retry) const {
  detail::cached_rows::call asked{.what = std::move(what),
                                  .ttl = how.ttl.value_or(held()->options().ttl),
                                  .how = how.how,
                                  .only_reads = how.only_reads,
                                  .session = std::string{how.session},
                                  .tags = {how.tags.begin(), how.tags.end()},
                                  .options = options,
                                  .retry = retry};
  if (!how.tag.empty()) asked.tags.emplace_back(how.tag);
  return detail::chunk_source::stream_of(std::make_shared<detail::cached_rows>(core_, std::move(asked)));
}

pooled_stream result_cache::send(const detail::cache_core& from, query what, const query_options& options,
                                 const retry_options& retry) {
  return pool::stream_on(from.sessions(), std::move(what), options, retry);
}

// An observer that hears of it may destroy the cache.
void result_cache::invalidate(std::string_view tag) {
  const std::shared_ptr<detail::cache_core> core = held();
  core->invalidate(tag);
}
void result_cache::invalidate_all() {
  const std::shared_ptr<detail::cache_core> core = held();
  core->invalidate_all();
}
cache_stats result_cache::stats() const { return held()->stats(); }
asio::any_io_executor result_cache::get_executor() const { return held()->executor(); }

}  // namespace sluice
