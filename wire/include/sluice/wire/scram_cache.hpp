#pragma once
/// @file
/// What SCRAM's hashing gave, kept for the next login: most of what connecting to a near server costs is that hashing.

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include <sluice/export.hpp>
#include <sluice/proto/scram.hpp>

namespace sluice {

/// Keys by account, each proved by a login that succeeded; as secret as the passwords. A server that has a new salt
/// for the account, as after a change of the password, is hashed for again.
/// @par Thread safety  safe
class SLUICE_API scram_cache {
 public:
  /// @param account  the user and the server
  [[nodiscard]] std::optional<proto::scram_keys> find(const std::string& account) const;
  void store(std::string account, const proto::scram_keys& keys);

 private:
  static constexpr std::size_t most = 64;  // accounts; a pool has one for each host

  mutable std::mutex mutex_;
  std::map<std::string, proto::scram_keys> keys_;
};

}  // namespace sluice
