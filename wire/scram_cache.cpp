#include <sluice/wire/scram_cache.hpp>

namespace sluice::wire {

namespace {
std::string account(const std::string& user, const conninfo::host& on) { return on.to_string() + '\n' + user; }
}  // namespace

std::optional<proto::scram_keys> scram_cache::find(const std::string& user, const conninfo::host& on) const {
  const std::scoped_lock lock{mutex_};
  const auto found = keys_.find(account(user, on));
  return found == keys_.end() ? std::nullopt : std::optional{found->second};
}

void scram_cache::store(const std::string& user, const conninfo::host& on, const proto::scram_keys& keys) {
  const std::scoped_lock lock{mutex_};
  if (keys_.size() >= most) keys_.clear();
  keys_.insert_or_assign(account(user, on), keys);
}

}  // namespace sluice::wire
