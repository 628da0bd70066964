#pragma once
// The results of SCRAM's hashing, kept for the next login.

#include <array>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <sluice/wire/scram_cache.hpp>

#include "auth/scram.hpp"

namespace sluice::wire {

/// The contents of a `scram_cache`.
class scram_store {
 public:
  scram_store() noexcept;
  [[nodiscard]] static scram_store& of(const scram_cache& cache) noexcept { return *cache.store_; }

  /// @param account   the user and the server
  /// @param password  the password given for this login
  [[nodiscard]] std::optional<proto::scram_keys> find(const std::string& account, std::string_view password) const;
  void store(std::string account, std::string_view password, const proto::scram_keys& keys);

 private:
  using digest = std::array<std::byte, 32>;
  struct entry {
    digest password;
    proto::scram_keys keys;
  };
  [[nodiscard]] std::optional<digest> digest_of(std::string_view password) const noexcept;

  static constexpr std::size_t most = 64;  // accounts; a pool has one per host

  digest key_{};
  bool has_key_;  // without one (libcrypto gives no random numbers) nothing is kept
  mutable std::mutex mutex_;
  std::map<std::string, entry> entries_;
};

}  // namespace sluice::wire
