#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <cstdint>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include "auth/scram.hpp"

#include "bytes.hpp"
#include "scram_server.hpp"

namespace sluice::proto {
std::ostream& operator<<(std::ostream& to, const fault& why) {
  return to << static_cast<int>(why.what) << ' ' << why.rule;
}
}  // namespace sluice::proto

namespace scram_test {
namespace {

using sluice::proto::channel_binding;
using sluice::proto::fault;
using sluice::proto::make_nonce;
using sluice::proto::scram_client;
using sluice::proto::scram_keys;
using sluice::test::as_text;
using sluice::test::base64;
using sluice::test::scram_server;
using enum fault::kind;

constexpr std::string_view client_nonce{"client-nonce"};

scram_client new_client(channel_binding binding = {}, std::string_view password = "pencil") {
  return {password, std::string{client_nonce}, std::move(binding), {.min_iterations = 1}};  // few iterations, for speed
}

fault hash(scram_client& client, std::uint32_t slice = 1000) {
  while (!client.hashed())
    if (const fault why = client.hash_some(slice)) return why;
  return {};
}

struct final_message {
  std::string without_proof;
  std::string proof;
};
final_message final_of(scram_client& client) {
  std::string message;
  EXPECT_EQ(client.client_final(message), fault{});
  const std::size_t at = message.rfind(",p=");
  return at == std::string::npos ? final_message{} : final_message{message.substr(0, at), message.substr(at + 3)};
}

/// A client that has sent its proof, and the server's final message that it waits for.
std::pair<scram_client, std::string> waiting_client(const scram_server& server = {.iterations = 1}) {
  scram_client client = new_client();
  EXPECT_EQ(client.on_server_first(server.first(client_nonce)), fault{});
  EXPECT_EQ(hash(client), fault{});
  const final_message sent = final_of(client);
  return {std::move(client),
          server.expect("n=,r=client-nonce", server.first(client_nonce), sent.without_proof).server_final};
}

fault::kind on_first(std::string_view message) { return new_client().on_server_first(message).what; }

// The example uses a user name, which this client never sends; so the test compares its keys.
TEST(ScramClient, DerivesTheKeysOfTheExampleInRfc7677) {
  scram_client client{"pencil", "rOprNGfwEbeRWgbNEkqO"};
  const std::string_view server_first =
      "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
  ASSERT_EQ(client.on_server_first(server_first), fault{});
  ASSERT_EQ(hash(client), fault{});

  const std::string text = "n=user,r=rOprNGfwEbeRWgbNEkqO," + std::string{server_first} +
                           ",c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  const std::string_view client_key = as_text(client.keys().client_key);
  std::string proof = sluice::test::hmac_sha256(sluice::test::sha256(client_key), text);
  for (std::size_t i = 0; i < proof.size(); ++i) proof[i] = static_cast<char>(proof[i] ^ client_key[i]);
  EXPECT_EQ(base64(proof), "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
  EXPECT_EQ(base64(sluice::test::hmac_sha256(as_text(client.keys().server_key), text)),
            "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

TEST(ScramClient, AndServerProveToEachOtherThatTheyKnowThePassword) {
  struct account {
    std::string_view typed;
    std::string prepared;
    std::string salt;
    int iterations;
  };
  const account accounts[] = {
      {"pencil", "pencil", "0123456789abcdef", 4096},
      {"", "", "s", 1},
      {"I\xc2\xadX", "IX", "salt", 2},
      {"\xff\xfe", "\xff\xfe", "salt", 3},
      {"63 bytes ......................................................", "", std::string(200, '\0'), 10},
      {"64 bytes .......................................................", "", std::string(1, '\xff'), 10},
      {"65 bytes, more than SHA-256's block .............................", "", std::string(2, '\x80'), 10},
  };
  for (const account& it : accounts) {
    const scram_server server{.password = it.prepared.empty() ? std::string{it.typed} : it.prepared,
                              .salt = it.salt,
                              .iterations = it.iterations};
    scram_client client = new_client({}, it.typed);
    EXPECT_EQ(client.client_first(), "n,,n=,r=client-nonce");
    ASSERT_EQ(client.on_server_first(server.first(client_nonce)), fault{});
    ASSERT_EQ(hash(client), fault{});
    const final_message sent = final_of(client);
    EXPECT_EQ(sent.without_proof, "c=biws,r=client-nonceserver-nonce");
    const auto expected = server.expect("n=,r=client-nonce", server.first(client_nonce), sent.without_proof);
    EXPECT_EQ(sent.proof, expected.proof) << it.typed;
    EXPECT_FALSE(client.server_proved());
    EXPECT_EQ(client.on_server_final(expected.server_final), fault{}) << it.typed;
    EXPECT_TRUE(client.server_proved());
  }
}

TEST(ScramClient, BindsToTheChannelInBothOfItsMessages) {
  const std::string hash_of_certificate(48, '\xee');
  struct binding {
    channel_binding how;
    std::string_view mechanism;
    std::string header;
  };
  const binding bindings[] = {
      {{channel_binding::kind::none}, "SCRAM-SHA-256", "n,,"},
      {{channel_binding::kind::not_offered}, "SCRAM-SHA-256", "y,,"},
      {{channel_binding::kind::tls_server_end_point, hash_of_certificate},
       "SCRAM-SHA-256-PLUS",
       "p=tls-server-end-point,,"},
  };
  const scram_server server{.iterations = 1};
  for (const binding& it : bindings) {
    scram_client client = new_client(it.how);
    EXPECT_EQ(client.mechanism(), it.mechanism);
    EXPECT_EQ(client.client_first(), it.header + "n=,r=client-nonce");
    ASSERT_EQ(client.on_server_first(server.first(client_nonce)), fault{});
    ASSERT_EQ(hash(client), fault{});
    const final_message sent = final_of(client);
    EXPECT_EQ(sent.without_proof, "c=" + base64(it.header + it.how.data) + ",r=client-nonceserver-nonce");
    const auto expected = server.expect("n=,r=client-nonce", server.first(client_nonce), sent.without_proof);
    EXPECT_EQ(sent.proof, expected.proof);
    EXPECT_EQ(client.on_server_final(expected.server_final), fault{});
  }
}

TEST(ScramClient, DerivesTheSameKeysWhateverTheSlices) {
  const scram_server server{.iterations = 100};
  for (const std::uint32_t slice : {1U, 7U, 99U, 100U, 101U, 0xffffffffU}) {
    scram_client client = new_client();
    ASSERT_EQ(client.on_server_first(server.first(client_nonce)), fault{});
    for (std::uint32_t left = 100; left > slice; left -= slice) {
      ASSERT_EQ(client.hash_some(slice), fault{});
      ASSERT_FALSE(client.hashed()) << "slices of " << slice << ", " << left << " rounds before the end";
    }
    ASSERT_EQ(client.hash_some(slice), fault{});
    ASSERT_TRUE(client.hashed());
    EXPECT_EQ(as_text(client.keys().client_key), server.client_key()) << slice;
    EXPECT_EQ(as_text(client.keys().server_key), server.server_key()) << slice;
  }
}

TEST(ScramClient, GoesOnAfterItWasMoved) {
  const scram_server server{.iterations = 10};
  scram_client before = new_client();
  ASSERT_EQ(before.on_server_first(server.first(client_nonce)), fault{});
  ASSERT_EQ(before.hash_some(5), fault{});
  scram_client after = std::move(before);
  ASSERT_EQ(hash(after), fault{});
  EXPECT_EQ(as_text(after.keys().client_key), server.client_key());
}

TEST(ScramClient, RefusesServerFirstMessagesBeforeAnyHashing) {
  struct refusal {
    std::string_view message;
    fault::kind why;
  };
  const refusal refusals[] = {
      {"", malformed},
      {"r=client-nonceX,s=c2FsdA==", malformed},
      {"s=c2FsdA==,r=client-nonceX,i=4096", malformed},
      {"r=client-nonceX,s=c2FsdA==,i=4096,", malformed},
      {"r=client-nonceX,s=c2FsdA==,i=4096,x=y", malformed},
      {"m=ext,r=client-nonceX,s=c2FsdA==,i=4096", malformed},
      {"R=client-nonceX,s=c2FsdA==,i=4096", malformed},
      {" r=client-nonceX,s=c2FsdA==,i=4096", malformed},
      {"r=client-nonceX,,s=c2FsdA==,i=4096", malformed},
      {"e=other-error", malformed},
      {"r=client-nonce,s=c2FsdA==,i=4096", auth_parameters},    // nothing added to the client's nonce
      {"r=client-nonc,s=c2FsdA==,i=4096", auth_parameters},     // cut short
      {"r=,s=c2FsdA==,i=4096", auth_parameters},                //
      {"r=Xclient-nonce,s=c2FsdA==,i=4096", auth_parameters},   // added at the front
      {"r=client-nonce X,s=c2FsdA==,i=4096", auth_parameters},  // not printable
      {"r=client-nonce\x7f,s=c2FsdA==,i=4096", auth_parameters},
      {"r=client-nonce\xc3\xa9,s=c2FsdA==,i=4096", auth_parameters},
      {"r=client-nonceX,s=,i=4096", auth_parameters},           // no salt
      {"r=client-nonceX,s=====,i=4096", auth_parameters},       //
      {"r=client-nonceX,s=c2FsdA,i=4096", auth_parameters},     // padding missing
      {"r=client-nonceX,s=c2FsdA=,i=4096", auth_parameters},    //
      {"r=client-nonceX,s=c2FsdA===,i=4096", auth_parameters},  // too much padding
      {"r=client-nonceX,s=c2FsA===,i=4096", auth_parameters},   //
      {"r=client-nonceX,s=c2FsdB==,i=4096", auth_parameters},   // bits in the padding
      {"r=client-nonceX,s=c2 sdA==,i=4096", auth_parameters},   // outside the alphabet
      {"r=client-nonceX,s=c2-sdA==,i=4096", auth_parameters},   // from another alphabet
      {"r=client-nonceX,s=c2F=dA==,i=4096", auth_parameters},   // padding inside
      {"r=client-nonceX,s=c2FsdA==,i=", auth_parameters},
      {"r=client-nonceX,s=c2FsdA==,i=0", auth_parameters},
      {"r=client-nonceX,s=c2FsdA==,i=-1", auth_parameters},
      {"r=client-nonceX,s=c2FsdA==,i=+1", auth_parameters},
      {"r=client-nonceX,s=c2FsdA==,i= 1", auth_parameters},
      {"r=client-nonceX,s=c2FsdA==,i=1 ", auth_parameters},
      {"r=client-nonceX,s=c2FsdA==,i=04096", auth_parameters},
      {"r=client-nonceX,s=c2FsdA==,i=0x10", auth_parameters},
      {"r=client-nonceX,s=c2FsdA==,i=1e3", auth_parameters},
      {"r=client-nonceX,s=c2FsdA==,i=100001", auth_parameters},
      {"r=client-nonceX,s=c2FsdA==,i=2147483647", auth_parameters},
      {"r=client-nonceX,s=c2FsdA==,i=4294967297", auth_parameters},  // 1 in 32 bits
      {"r=client-nonceX,s=c2FsdA==,i=18446744073709551617", auth_parameters},
      {"r=client-nonceX,s=c2FsdA==,i=999999999999999999999999999999999999", auth_parameters},
  };
  for (const refusal& it : refusals) {
    scram_client client = new_client();
    EXPECT_EQ(client.on_server_first(it.message).what, it.why) << it.message;
    EXPECT_EQ(client.hash_some(1).what, unexpected) << "hashing must not begin: " << it.message;
    EXPECT_FALSE(client.hashed());
  }
  ASSERT_EQ(on_first("r=client-nonceX,s=c2FsdA==,i=4096"), none) << "what the table's rows are broken versions of";
}

TEST(ScramClient, RefusesIterationsBeyondTheLimitsAndNoOthers) {
  const auto answer = [](std::string_view iterations) {
    scram_client client{"pencil", std::string{client_nonce}, {}, {.min_iterations = 100, .max_iterations = 5000}};
    return client.on_server_first("r=client-nonceX,s=c2FsdA==,i=" + std::string{iterations}).what;
  };
  EXPECT_EQ(answer("1"), auth_weak);
  EXPECT_EQ(answer("99"), auth_weak);
  EXPECT_EQ(answer("100"), none);
  EXPECT_EQ(answer("5000"), none);
  EXPECT_EQ(answer("5001"), auth_parameters);
  EXPECT_EQ(on_first("r=client-nonceX,s=c2FsdA==,i=100000"), none);
}

TEST(ScramClient, TakesNoncesAndSaltsOfAnyLength) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{100}, std::size_t{1900}, std::size_t{100'000}}) {
    const scram_server server{.salt = std::string(size, 's'), .iterations = 1, .nonce = std::string(size, 'n')};
    auto [client, answer] = waiting_client(server);
    EXPECT_EQ(client.on_server_final(answer), fault{}) << size;
  }
}

/// A man in the middle changes the server's first message. If the client does not notice at once, the server's final
/// signature does not match, because it covers the message that the server really sent.
TEST(ScramClient, DetectsEveryCutAndEveryFlippedBitOfServerFirst) {
  const scram_server server{.iterations = 512};
  const std::string sent = server.first(client_nonce);
  const auto is_detected = [&](const std::string& received) {
    scram_client client = new_client();
    if (client.on_server_first(received) || hash(client)) return true;
    const final_message answer = final_of(client);
    const auto expected = server.expect("n=,r=client-nonce", sent, answer.without_proof);
    return answer.proof != expected.proof && client.on_server_final(expected.server_final).what == auth_proof &&
           !client.server_proved();
  };
  for (std::size_t cut = 0; cut < sent.size(); ++cut) EXPECT_TRUE(is_detected(sent.substr(0, cut))) << cut;
  for (std::size_t at = 0; at < sent.size(); ++at)
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string flipped = sent;
      flipped[at] = static_cast<char>(static_cast<unsigned char>(flipped[at]) ^ (1U << bit));
      EXPECT_TRUE(is_detected(flipped)) << flipped;
    }
  EXPECT_FALSE(is_detected(sent));
}

TEST(ScramClient, RefusesEveryCutAndEveryFlippedBitOfServerFinal) {
  const std::string sent = waiting_client().second;
  const auto is_refused = [](const std::string& received) {
    scram_client client = waiting_client().first;
    return client.on_server_final(received).what != none && !client.server_proved();
  };
  for (std::size_t cut = 0; cut < sent.size(); ++cut) EXPECT_TRUE(is_refused(sent.substr(0, cut))) << cut;
  for (std::size_t at = 0; at < sent.size(); ++at)
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string flipped = sent;
      flipped[at] = static_cast<char>(static_cast<unsigned char>(flipped[at]) ^ (1U << bit));
      EXPECT_TRUE(is_refused(flipped)) << flipped;
    }
  EXPECT_FALSE(is_refused(sent));
}

TEST(ScramClient, SaysWhyItRefusesAServerFinalMessage) {
  struct refusal {
    std::string message;
    fault::kind why;
  };
  const std::string right = waiting_client().second;
  const refusal refusals[] = {
      {"e=invalid-proof", auth_refused},
      {"e=", auth_refused},
      {"v=", malformed},
      {"v=" + base64(std::string(31, 'x')), malformed},
      {"v=" + base64(std::string(33, 'x')), malformed},
      {"v=" + base64(std::string(1400, 'x')), malformed},
      {"v=" + base64(std::string(32, 'x')), auth_proof},
      {"v=" + base64(std::string(32, '\0')), auth_proof},
      {right + ",x=y", malformed},
      {right + ",", malformed},
      {"m=ext," + right, malformed},
      {'x' + right, malformed},
  };
  for (const refusal& it : refusals) {
    scram_client client = waiting_client().first;
    EXPECT_EQ(client.on_server_final(it.message).what, it.why) << it.message;
    EXPECT_EQ(client.on_server_final(right).what, unexpected) << "no second try: " << it.message;
    EXPECT_FALSE(client.server_proved());
  }
}

TEST(ScramClient, RefusesAServerThatKnowsAnotherPassword) {
  const scram_server server{.password = "pencils", .iterations = 1};
  scram_client client = new_client();
  ASSERT_EQ(client.on_server_first(server.first(client_nonce)), fault{});
  ASSERT_EQ(hash(client), fault{});
  const final_message sent = final_of(client);
  const auto expected = server.expect("n=,r=client-nonce", server.first(client_nonce), sent.without_proof);
  EXPECT_NE(sent.proof, expected.proof);
  EXPECT_EQ(client.on_server_final(expected.server_final).what, auth_proof);
}

TEST(ScramClient, RefusesMessagesOutOfOrder) {
  const scram_server server{.iterations = 1};
  std::string message;

  scram_client early = new_client();
  EXPECT_EQ(early.on_server_final("v=" + base64(std::string(32, '\0'))).what, unexpected)
      << "a signature of zeros before there is anything to sign";
  EXPECT_FALSE(early.server_proved());

  scram_client unhashed = new_client();
  ASSERT_EQ(unhashed.on_server_first(server.first(client_nonce)), fault{});
  EXPECT_EQ(unhashed.client_final(message).what, unexpected);

  scram_client twice = new_client();
  ASSERT_EQ(twice.on_server_first(server.first(client_nonce)), fault{});
  EXPECT_EQ(twice.on_server_first(server.first(client_nonce)).what, unexpected);

  auto [done, answer] = waiting_client();
  ASSERT_EQ(done.on_server_final(answer), fault{});
  EXPECT_EQ(done.on_server_final(answer).what, unexpected);
  EXPECT_FALSE(done.server_proved());
}

/// For as long as it lives, libcrypto only offers algorithms of a FIPS provider, and there is none.
struct failing_libcrypto {
  failing_libcrypto() { EXPECT_EQ(EVP_set_default_properties(nullptr, "fips=yes"), 1); }
  failing_libcrypto(const failing_libcrypto&) = delete;
  failing_libcrypto& operator=(const failing_libcrypto&) = delete;
  ~failing_libcrypto() { EXPECT_EQ(EVP_set_default_properties(nullptr, ""), 1); }
};

TEST(ScramClient, MakesNoKeyAndNoProofWhenLibcryptoFails) {
  const scram_server server{.iterations = 2};

  for (const bool at_the_start : {true, false}) {
    std::optional<failing_libcrypto> failing;
    if (at_the_start) failing.emplace();
    scram_client client = new_client();
    ASSERT_EQ(client.on_server_first(server.first(client_nonce)), fault{});
    if (!at_the_start) {
      ASSERT_EQ(client.hash_some(1), fault{});
      failing.emplace();
    }
    EXPECT_EQ(client.hash_some(2).what, unsupported);
    EXPECT_FALSE(client.hashed());
  }

  scram_client client = new_client();
  ASSERT_EQ(client.on_server_first(server.first(client_nonce)), fault{});
  ASSERT_EQ(hash(client), fault{});
  std::string message;
  {
    const failing_libcrypto failing;
    EXPECT_EQ(client.client_final(message).what, unsupported);
  }
  EXPECT_EQ(message, "");
  EXPECT_EQ(client.client_final(message).what, unexpected) << "a fault ends the exchange";
}

TEST(ScramKeys, SpareTheNextExchangeItsHashing) {
  const scram_server server{.iterations = 2};
  scram_client first = new_client();
  ASSERT_EQ(first.on_server_first(server.first(client_nonce)), fault{});
  ASSERT_EQ(hash(first), fault{});
  const scram_keys keys = first.keys();

  scram_client second{"not even looked at", "another-nonce", {}, {.min_iterations = 1}};
  ASSERT_EQ(second.on_server_first(server.first("another-nonce")), fault{});
  ASSERT_TRUE(second.reuse(keys));
  EXPECT_TRUE(second.hashed());
  const final_message sent = final_of(second);
  const auto expected = server.expect("n=,r=another-nonce", server.first("another-nonce"), sent.without_proof);
  EXPECT_EQ(sent.proof, expected.proof);
  EXPECT_EQ(second.on_server_final(expected.server_final), fault{});
}

TEST(ScramKeys, GivenInPlaceOfAPasswordNeedNoSalt) {
  const scram_server server{.iterations = 2};
  scram_client first = new_client();
  ASSERT_EQ(first.on_server_first(server.first(client_nonce)), fault{});
  ASSERT_EQ(hash(first), fault{});

  scram_client second{"", "another-nonce", {}, {.min_iterations = 1}};
  ASSERT_EQ(second.on_server_first(server.first("another-nonce")), fault{});
  second.use(first.keys().client_key, first.keys().server_key);
  EXPECT_TRUE(second.hashed());
  const final_message sent = final_of(second);
  const auto expected = server.expect("n=,r=another-nonce", server.first("another-nonce"), sent.without_proof);
  EXPECT_EQ(sent.proof, expected.proof);
  EXPECT_EQ(second.on_server_final(expected.server_final), fault{});
}

TEST(ScramKeys, AreOfNoUseWhenTheServerHasOthers) {
  const scram_server server{.iterations = 2};
  scram_client first = new_client();
  ASSERT_EQ(first.on_server_first(server.first(client_nonce)), fault{});
  ASSERT_EQ(hash(first), fault{});

  for (const scram_server& changed :
       {scram_server{.iterations = 3}, scram_server{.salt = "another salt", .iterations = 2}}) {
    scram_client second = new_client();
    EXPECT_FALSE(second.reuse(first.keys())) << "before the server has said anything";
    ASSERT_EQ(second.on_server_first(changed.first(client_nonce)), fault{});
    EXPECT_FALSE(second.reuse(first.keys()));
    ASSERT_EQ(hash(second), fault{});
    EXPECT_EQ(as_text(second.keys().client_key), changed.client_key());
  }
}

TEST(MakeNonce, IsPrintableAndNeverTheSame) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const auto nonce = make_nonce();
    ASSERT_TRUE(nonce);
    EXPECT_EQ(nonce->size(), 24U);
    EXPECT_EQ(nonce->find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"),
              std::string::npos);
    EXPECT_TRUE(seen.insert(*nonce).second);
  }
}

}  // namespace
}  // namespace scram_test
