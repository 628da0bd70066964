#pragma once
/// @file
/// SCRAM's hashing, done once for many logins: it is most of what connecting to a near server costs.

#include <memory>

#include <sluice/export.hpp>

namespace sluice {

namespace wire {
class scram_store;
}

/// Keys by account, each proved by a login that succeeded; as secret as the passwords. They are found with the password
/// that they were made of alone: a digest of it, under a random key of this object's, is kept with them. A server that
/// has a new salt for the account, as after a change of the password, is hashed for again.
/// @par Thread safety  safe
class SLUICE_API scram_cache {
 public:
  /// Empty; fills by itself when it is a `conninfo::scram_keys`.
  scram_cache();
  ~scram_cache();
  scram_cache(const scram_cache&) = delete;
  scram_cache& operator=(const scram_cache&) = delete;

 private:
  friend class wire::scram_store;
  std::unique_ptr<wire::scram_store> store_;
};

}  // namespace sluice
