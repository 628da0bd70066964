#include "conninfo/scram_store.hpp"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <utility>

namespace sluice {

scram_cache::scram_cache() : store_{std::make_unique<wire::scram_store>()} {}
scram_cache::~scram_cache() = default;

namespace wire {

scram_store::scram_store() noexcept
    : has_key_{RAND_bytes(reinterpret_cast<unsigned char*>(key_.data()), static_cast<int>(key_.size())) == 1} {}

std::optional<scram_store::digest> scram_store::digest_of(std::string_view password) const noexcept {
  digest made{};
  const auto* const text = reinterpret_cast<const unsigned char*>(password.data());
  const bool ok = has_key_ && HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), text, password.size(),
                                   reinterpret_cast<unsigned char*>(made.data()), nullptr) != nullptr;
  return ok ? std::optional{made} : std::nullopt;
}

std::optional<proto::scram_keys> scram_store::find(const std::string& account, std::string_view password) const {
  const std::optional<digest> given = digest_of(password);
  const std::scoped_lock lock{mutex_};
  const auto found = entries_.find(account);
  if (!given || found == entries_.end()) return std::nullopt;
  const entry& known = found->second;
  if (CRYPTO_memcmp(known.password.data(), given->data(), given->size()) != 0) return std::nullopt;
  return known.keys;
}

void scram_store::store(std::string account, std::string_view password, const proto::scram_keys& keys) {
  const std::optional<digest> given = digest_of(password);
  if (!given) return;
  const std::scoped_lock lock{mutex_};
  if (entries_.size() >= most) entries_.clear();
  entries_.insert_or_assign(std::move(account), entry{.password = *given, .keys = keys});
}

}  // namespace wire

}  // namespace sluice
