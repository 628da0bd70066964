// Descriptors of partitions: what is written is read again, and what was damaged is refused.
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/proto/oid.hpp>

#include "auth/base64.hpp"
#include "bytes.hpp"
#include "failures.hpp"
#include "parallel/partition_text.hpp"

namespace partition_text_test {
namespace {

using namespace sluice::detail;
namespace oid = sluice::proto::oid;
using sluice::bind_value;
using sluice::errc;
using sluice::test::as_bytes;
using sluice::test::raw;

partition_facts some_facts() {
  return {.database = "app",
          .snapshot = "00000003-0000001B-1",
          .nonce = "0123456789abcdef",
          .index = 1,
          .count = 3,
          .settings = {{"TimeZone", "UTC"}, {"search_path", "\"a\", b"}},
          .sql = "select \"x\\y\" from t\nwhere a = $1",
          .parameters = {{"7", oid::int4}, {std::nullopt, oid::text}},
          .is_document = false,
          .places = {{"id"}, {"home", "a \"b\""}},
          .columns = {{"id", oid::int4, -1}, {"\xc3\xa9", oid::numeric, 655'366}}};
}

/// A descriptor of any text, with the sum that belongs to it.
std::string descriptor_of(std::string_view facts) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  EVP_Digest(facts.data(), facts.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  std::string check;
  for (std::size_t i = 0; i < 8; ++i) {
    check += "0123456789abcdef"[digest[i] >> 4U];
    check += "0123456789abcdef"[digest[i] & 15U];
  }
  return "sluice1." + sluice::proto::encode_base64(as_bytes(facts)) + '.' + check;
}

std::string refusal(std::string_view descriptor) {
  const auto why = sluice::test::failure_of([&] { return read_partition(descriptor); });
  if (!why) return "accepted";
  EXPECT_EQ(why->code(), errc::bad_partition);
  EXPECT_TRUE(why->connection_usable());
  return why->what();
}

TEST(PartitionText, SaysAllThatIsRead) {
  const partition_facts facts = some_facts();
  const partition_facts read = read_partition(written(facts));
  EXPECT_EQ(read.database, facts.database);
  EXPECT_EQ(read.snapshot, facts.snapshot);
  EXPECT_EQ(read.nonce, facts.nonce);
  EXPECT_EQ(read.index, 1U);
  EXPECT_EQ(read.count, 3U);
  EXPECT_EQ(read.settings, facts.settings);
  EXPECT_EQ(read.sql, facts.sql);
  ASSERT_EQ(read.parameters.size(), 2U);
  EXPECT_EQ(read.parameters[0].text, "7");
  EXPECT_EQ(read.parameters[1].text, std::nullopt);
  EXPECT_EQ(read.parameters[1].type, oid::text);
  EXPECT_FALSE(read.is_document);
  EXPECT_EQ(read.places, facts.places);
  EXPECT_EQ(read.columns, facts.columns);
}

TEST(PartitionText, IsOneLineWithoutSpaces) {
  const std::string text = written(some_facts());
  EXPECT_TRUE(text.starts_with("sluice1."));
  EXPECT_EQ(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=."), text.npos);
}

TEST(PartitionText, IsRefusedWhenItWasChanged) {
  const std::string damaged = "partition: it is cut off, or was changed on its way";
  const std::string text = written(some_facts());
  for (std::size_t at = 8; at < text.size(); at += 7) {
    std::string changed = text;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    EXPECT_EQ(refusal(changed), damaged) << at;
  }
  for (std::size_t size = 8; size < text.size(); size += 11) EXPECT_EQ(refusal(text.substr(0, size)), damaged) << size;
  EXPECT_EQ(refusal(text + 'a'), damaged);
  EXPECT_EQ(refusal(text + ' '), damaged);
}

TEST(PartitionText, IsRefusedInAnotherVersion) {
  EXPECT_EQ(refusal(""), "partition: it does not begin with \"sluice\"");
  EXPECT_EQ(refusal("slice1.e30.x"), "partition: it does not begin with \"sluice\"");
  for (const char* const other : {"sluice", "sluice2.e30=.x", "sluice10.e30=.x"})
    EXPECT_EQ(refusal(other), "partition: it is of another version than this library reads, which is 1") << other;
}

TEST(PartitionText, IsRefusedWhenItSaysTooLittleOrTooMuch) {
  for (const char* const text : {"", "[]", "7", "{}", R"({"database":"app"})", R"({"database":7})", "{\"database\":\""})
    EXPECT_TRUE(refusal(descriptor_of(text)).starts_with("partition: ")) << text;
  const std::string whole =
      raw(R"({"database":"a","snapshot":"1-1","nonce":"","index":0,"count":1,"settings":{},"sql":"","parameters":[],)"
          R"("is_document":true,"places":[],"columns":[])");
  EXPECT_EQ(refusal(descriptor_of(whole + '}')), "accepted");
  EXPECT_NE(refusal(descriptor_of(whole + R"(,"more":1})")), "accepted");
  EXPECT_NE(refusal(descriptor_of(whole)), "accepted");
}

TEST(PartitionText, HasANumberAndASnapshotThatCanBe) {
  partition_facts facts = some_facts();
  facts.index = 3;
  EXPECT_EQ(refusal(written(facts)), "partition: it is number 3 of 3");
  facts.index = 0;
  facts.count = 0;
  EXPECT_EQ(refusal(written(facts)), "partition: it is number 0 of 0");
  for (const char* const snapshot : {"", "x", "00000003-0000001b-1", "1'; drop table t", "../1"}) {
    facts = some_facts();
    facts.snapshot = snapshot;
    EXPECT_EQ(refusal(written(facts)), "partition: what it calls a snapshot is none") << snapshot;
  }
}

TEST(PartitionText, HasALockOfItsOwn) {
  EXPECT_EQ(lock_of("sluice1.e30=.0000000000000001"), 1);
  EXPECT_EQ(lock_of("sluice1.e30=.ffffffffffffffff"), -1);
  partition_facts facts = some_facts();
  const std::string one = written(facts);
  facts.nonce = random_nonce();
  EXPECT_NE(lock_of(one), lock_of(written(facts)));
}

TEST(PartitionText, HasARandomNonce) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string nonce = random_nonce();
    EXPECT_EQ(nonce.size(), 16U);
    EXPECT_EQ(nonce.find_first_not_of("0123456789abcdef"), nonce.npos) << nonce;
    seen.insert(nonce);
  }
  EXPECT_EQ(seen.size(), 100U);
}

TEST(StoredValues, AreRestoredWithTheirTypes) {
  const std::string bytes = raw("\0\xff\"");
  for (const bind_value& value :
       {bind_value{7}, bind_value{"text"}, bind_value{nullptr}, bind_value{std::optional<int>{}}, bind_value{0.5},
        bind_value::json("{}"), bind_value::bytes(as_bytes(bytes)), bind_value::bytes({}),
        bind_value{std::vector{1, 2}}}) {
    const bind_value again = stored_values::restore(stored_values::store(value));
    EXPECT_EQ(again.text(), value.text());
    EXPECT_EQ(again.type(), value.type());
  }
  EXPECT_EQ(stored_values::store(bind_value::bytes(as_bytes(bytes))).text, "AP8i");
  EXPECT_TRUE(sluice::test::failure_of([] { return stored_values::restore({"a", oid::bytea}); }));
}

TEST(PartitionColumns, AreThoseOfAResultWithoutTheirFormats) {
  EXPECT_EQ(columns_of({{.name = "a", .type = oid::int4, .is_text = true}, {.name = "b", .type = 7, .modifier = 8}}),
            (std::vector<partition_column>{{"a", oid::int4, -1}, {"b", 7, 8}}));
}

}  // namespace
}  // namespace partition_text_test
