#pragma once
// What hears of invalidations for a cache: notifications, or a change stream.
#include <memory>
#include <string>

#include <sluice/cache/invalidations.hpp>
#include <sluice/wire/conninfo.hpp>

#include "cache/cache_core.hpp"

namespace sluice::detail {

class invalidation_feed : public ear {
 public:
  /// Its owner is gone: it ends, and the cache is deaf.
  virtual void leave() noexcept = 0;
  [[nodiscard]] virtual const std::string& last_failure() const noexcept = 0;
};

/// Begins to follow the changes of a database.
/// @par Errors  throws error: bad_query for options that cannot be, bad_state for a second feed
[[nodiscard]] std::shared_ptr<invalidation_feed> feed_of_changes(conninfo where, std::shared_ptr<cache_core> to,
                                                                 const change_invalidation_options& how);

}  // namespace sluice::detail
