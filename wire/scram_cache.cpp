#include <sluice/wire/scram_cache.hpp>

#include <utility>

namespace sluice {

std::optional<proto::scram_keys> scram_cache::find(const std::string& account) const {
  const std::scoped_lock lock{mutex_};
  const auto found = keys_.find(account);
  return found == keys_.end() ? std::nullopt : std::optional{found->second};
}

void scram_cache::store(std::string account, const proto::scram_keys& keys) {
  const std::scoped_lock lock{mutex_};
  if (keys_.size() >= most) keys_.clear();
  keys_.insert_or_assign(std::move(account), keys);
}

}  // namespace sluice
