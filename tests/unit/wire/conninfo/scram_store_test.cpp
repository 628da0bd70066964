// The results of SCRAM's hashing: for one account and one password, and of a bounded number of accounts.
#include <gtest/gtest.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <sluice/wire/scram_cache.hpp>

#include "conninfo/scram_store.hpp"

namespace scram_store_test {
namespace {

using sluice::proto::scram_keys;
using sluice::wire::scram_store;

scram_keys keys_of(unsigned number) {
  scram_keys keys;
  keys.salt = {std::byte{1}, std::byte{2}};
  keys.iterations = number;
  keys.client_key.fill(std::byte{0xaa});
  keys.server_key.fill(std::byte{0xbb});
  return keys;
}
std::optional<unsigned> found(const scram_store& in, const std::string& account, std::string_view password) {
  const std::optional<scram_keys> keys = in.find(account, password);
  return keys ? std::optional{keys->iterations} : std::nullopt;
}

TEST(ScramStore, KeepsTheKeysOfAnAccount) {
  scram_store store;
  EXPECT_EQ(found(store, "me@h", "pw"), std::nullopt);
  store.store("me@h", "pw", keys_of(4'096));
  const std::optional<scram_keys> kept = store.find("me@h", "pw");
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->salt, keys_of(0).salt);
  EXPECT_EQ(kept->iterations, 4'096U);
  EXPECT_EQ(kept->client_key, keys_of(0).client_key);
  EXPECT_EQ(kept->server_key, keys_of(0).server_key);
}

TEST(ScramStore, KeepsThemForTheirPasswordOnly) {
  scram_store store;
  store.store("me@h", "pw", keys_of(1));
  for (const std::string_view other : {"", "p", "pw ", "PW", "another"})
    EXPECT_EQ(found(store, "me@h", other), std::nullopt) << other;
  EXPECT_EQ(found(store, "me@other", "pw"), std::nullopt);
  EXPECT_EQ(found(store, "", "pw"), std::nullopt);
}

TEST(ScramStore, MayHaveAnEmptyPassword) {
  scram_store store;
  store.store("me@h", "", keys_of(1));
  EXPECT_EQ(found(store, "me@h", ""), 1U);
  EXPECT_EQ(found(store, "me@h", "pw"), std::nullopt);
}

TEST(ScramStore, TakesTheLastPasswordOfAnAccount) {
  scram_store store;
  store.store("me@h", "old", keys_of(1));
  store.store("me@h", "new", keys_of(2));
  EXPECT_EQ(found(store, "me@h", "old"), std::nullopt);
  EXPECT_EQ(found(store, "me@h", "new"), 2U);
}

TEST(ScramStore, HoldsSixtyFourAccounts) {
  scram_store store;
  const auto account = [](unsigned number) { return "user " + std::to_string(number); };
  for (unsigned i = 0; i < 64; ++i) store.store(account(i), "pw", keys_of(i));
  for (unsigned i = 0; i < 64; ++i) EXPECT_EQ(found(store, account(i), "pw"), i);
  store.store(account(64), "pw", keys_of(64));
  EXPECT_EQ(found(store, account(64), "pw"), 64U);
  unsigned left = 0;
  for (unsigned i = 0; i <= 64; ++i) left += found(store, account(i), "pw") ? 1U : 0U;
  EXPECT_LE(left, 64U);
}

TEST(ScramStore, IsThatOfItsCache) {
  const sluice::scram_cache one;
  const sluice::scram_cache other;
  scram_store::of(one).store("me@h", "pw", keys_of(7));
  EXPECT_EQ(found(scram_store::of(one), "me@h", "pw"), 7U);
  EXPECT_EQ(found(scram_store::of(other), "me@h", "pw"), std::nullopt);
}

}  // namespace
}  // namespace scram_store_test
