#pragma once
/// @file
/// A cache of SCRAM keys, so that hashing is done once for many logins: it is most of the cost of connecting to a
/// nearby server.

#include <memory>

#include <sluice/export.hpp>

namespace sluice {

namespace wire {
class scram_store;
}

/// Keys by account, each proved by a successful login; as secret as the passwords. A lookup succeeds only with the
/// password that the keys were derived from: a digest of it, under a random key of this object, is stored with them. If
/// a server presents a new salt for the account, as after a change of the password, the keys are computed again.
/// @par Thread safety  safe
class SLUICE_API scram_cache {
 public:
  /// Creates an empty cache. It fills by itself when used as `conninfo::scram_keys`.
  scram_cache();
  ~scram_cache();
  scram_cache(const scram_cache&) = delete;
  scram_cache& operator=(const scram_cache&) = delete;

 private:
  friend class wire::scram_store;
  std::unique_ptr<wire::scram_store> store_;
};

}  // namespace sluice
