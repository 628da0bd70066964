#pragma once
/// @file
/// What SCRAM's hashing gave, kept for the next login: most of what connecting to a near server costs is that hashing.

#include <array>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <sluice/export.hpp>
#include <sluice/proto/scram.hpp>

namespace sluice {

/// Keys by account, each proved by a login that succeeded; as secret as the passwords. They are found with the password
/// that they were made of alone: a digest of it, under a random key of this object's, is kept with them. A server that
/// has a new salt for the account, as after a change of the password, is hashed for again.
/// @par Thread safety  safe
class SLUICE_API scram_cache {
 public:
  scram_cache() noexcept;

  /// @param account   the user and the server
  /// @param password  what was given for this login
  [[nodiscard]] std::optional<proto::scram_keys> find(const std::string& account, std::string_view password) const;
  void store(std::string account, std::string_view password, const proto::scram_keys& keys);

 private:
  using digest = std::array<std::byte, 32>;
  struct entry {
    digest password;
    proto::scram_keys keys;
  };
  [[nodiscard]] std::optional<digest> digest_of(std::string_view password) const noexcept;

  static constexpr std::size_t most = 64;  // accounts; a pool has one for each host

  digest key_{};
  bool has_key_;  // without, as when libcrypto gives no random numbers, nothing is kept
  mutable std::mutex mutex_;
  std::map<std::string, entry> entries_;
};

}  // namespace sluice
