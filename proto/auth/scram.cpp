#include "auth/scram.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cassert>
#include <span>
#include <utility>

#include "auth/saslprep.hpp"

#include "auth/base64.hpp"

namespace sluice::proto {

namespace {

using digest = scram_keys::digest;

constexpr std::string_view no_sha256{"libcrypto does not compute SHA-256"};

std::span<const std::byte> as_bytes(std::string_view text) { return std::as_bytes(std::span{text}); }

void wipe(std::span<std::byte> bytes) noexcept { OPENSSL_cleanse(bytes.data(), bytes.size()); }

void exclusive_or(digest& into, const digest& other) noexcept {
  for (std::size_t i = 0; i < into.size(); ++i) into[i] ^= other[i];
}

struct context_deleter {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }  // wipes its contents
};
using context = std::unique_ptr<EVP_MD_CTX, context_deleter>;

bool sha256(std::span<const std::byte> data, digest& out) noexcept {
  return EVP_Digest(data.data(), data.size(), reinterpret_cast<unsigned char*>(out.data()), nullptr, EVP_sha256(),
                    nullptr) == 1;
}

/// HMAC-SHA-256 with one key, RFC 2104. The two states that depend only on the key are computed once and copied. This
/// halves the work per message, which PBKDF2 repeats.
class hmac {
 public:
  bool set_key(std::span<const std::byte> key) noexcept {
    std::array<std::byte, 64> block{};
    digest short_key{};
    if (key.size() > block.size()) {
      if (!sha256(key, short_key)) return false;
      key = short_key;
    }
    std::copy(key.begin(), key.end(), block.begin());
    for (std::byte& b : block) b ^= std::byte{0x36};
    bool ok = start(inner_.get(), block);
    for (std::byte& b : block) b ^= std::byte{0x36 ^ 0x5c};
    ok = start(outer_.get(), block) && ok;
    wipe(block);
    wipe(short_key);
    return ok;
  }

  bool operator()(std::span<const std::byte> data, digest& out) noexcept {
    return EVP_MD_CTX_copy_ex(work_.get(), inner_.get()) == 1 && add(data) && finish(out) &&
           EVP_MD_CTX_copy_ex(work_.get(), outer_.get()) == 1 && add(out) && finish(out);
  }

 private:
  static bool start(EVP_MD_CTX* state, std::span<const std::byte> block) noexcept {
    return state != nullptr && EVP_DigestInit_ex(state, EVP_sha256(), nullptr) == 1 &&
           EVP_DigestUpdate(state, block.data(), block.size()) == 1;
  }
  bool add(std::span<const std::byte> data) noexcept {
    return EVP_DigestUpdate(work_.get(), data.data(), data.size()) == 1;
  }
  bool finish(digest& out) noexcept {
    return EVP_DigestFinal_ex(work_.get(), reinterpret_cast<unsigned char*>(out.data()), nullptr) == 1;
  }

  context inner_{EVP_MD_CTX_new()};
  context outer_{EVP_MD_CTX_new()};
  context work_{EVP_MD_CTX_new()};
};

bool hmac_once(const digest& key, std::string_view data, digest& out) {
  hmac keyed;
  return keyed.set_key(key) && keyed(as_bytes(data), out);
}

std::string_view gs2_header(const channel_binding& binding) noexcept {
  switch (binding.what) {
    case channel_binding::kind::none: return "n,,";
    case channel_binding::kind::not_offered: return "y,,";
    case channel_binding::kind::tls_server_end_point: return "p=tls-server-end-point,,";
  }
  return {};
}

/// The value of the next attribute, which must be `name`. It must end with a comma or, if it is the last one, at the
/// end.
std::optional<std::string_view> take_attribute(std::string_view& rest, char name, bool is_last) {
  if (rest.size() < 2 || rest[0] != name || rest[1] != '=') return {};
  const std::size_t comma = rest.find(',');
  if ((comma == std::string_view::npos) != is_last) return {};
  const std::size_t end = is_last ? rest.size() : comma;
  const std::string_view value = rest.substr(2, end - 2);
  rest.remove_prefix(is_last ? end : end + 1);
  return value;
}

/// A positive number without leading zeros; 2^32 stands for anything larger.
std::optional<std::uint64_t> parse_count(std::string_view text) {
  if (text.empty() || text.front() == '0') return {};
  std::uint64_t count = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return {};
    count = std::min(10 * count + static_cast<std::uint64_t>(c - '0'), std::uint64_t{1} << 32U);
  }
  return count;
}

bool is_nonce(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f && c != ','; });
}

}  // namespace

/// PBKDF2 with one block of output, RFC 8018 section 5.2. It can pause between any two rounds.
struct scram_client::hasher {
  hmac password;
  bool ok{};
  std::uint32_t rounds{};  ///< done so far
  digest last{};
  digest sum{};

  hasher() = default;
  hasher(const hasher&) = delete;
  hasher& operator=(const hasher&) = delete;
  ~hasher() {
    wipe(last);
    wipe(sum);
  }

  bool round(std::span<const std::byte> salt) {
    if (rounds == 0) {
      std::vector<std::byte> block(salt.begin(), salt.end());
      block.insert(block.end(), {std::byte{0}, std::byte{0}, std::byte{0}, std::byte{1}});
      if (!password(block, last)) return false;
    } else if (!password(last, last)) {
      return false;
    }
    exclusive_or(sum, last);
    ++rounds;
    return true;
  }
};

scram_keys::~scram_keys() {
  wipe(client_key);
  wipe(server_key);
}

std::optional<std::string> make_nonce() {
  std::array<unsigned char, 18> random{};
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) return {};
  return encode_base64(std::as_bytes(std::span{random}));
}

scram_client::scram_client(std::string_view password, std::string nonce, channel_binding binding,
                           scram_settings settings)
    : binding_{std::move(binding)},
      settings_{settings},
      client_nonce_{std::move(nonce)},
      hasher_{std::make_unique<hasher>()} {
  assert(is_nonce(client_nonce_));
  assert(binding_.data.empty() == (binding_.what != channel_binding::kind::tls_server_end_point));
  std::string prepared = saslprep(password);
  hasher_->ok = hasher_->password.set_key(as_bytes(prepared));
  OPENSSL_cleanse(prepared.data(), prepared.size());
}

scram_client::scram_client(scram_client&&) noexcept = default;
scram_client& scram_client::operator=(scram_client&&) noexcept = default;
scram_client::~scram_client() { wipe(server_signature_); }

fault scram_client::fail(fault::kind what, std::string_view rule) noexcept {
  phase_ = phase::failed;
  return {what, 'R', rule};
}

std::string_view scram_client::mechanism() const noexcept {
  return binding_.what == channel_binding::kind::tls_server_end_point ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-256";
}

std::string scram_client::client_first() const { return std::string{gs2_header(binding_)} + "n=,r=" + client_nonce_; }

fault scram_client::on_server_first(std::string_view message) {
  if (phase_ != phase::first)
    return fail(fault::kind::unexpected, "the SCRAM exchange is past the server's first message");
  if (const fault why = parse_server_first(message)) {
    phase_ = phase::failed;
    return why;
  }
  server_first_ = message;
  phase_ = phase::hashing;
  return {};
}

fault scram_client::parse_server_first(std::string_view message) {
  using enum fault::kind;
  const auto nonce = take_attribute(message, 'r', false);
  const auto salt = take_attribute(message, 's', false);
  const auto iterations = take_attribute(message, 'i', true);
  if (!nonce || !salt || !iterations) return {malformed, 'R', "a SCRAM server-first message is r=...,s=...,i=..."};

  if (!is_nonce(*nonce) || !nonce->starts_with(client_nonce_) || nonce->size() == client_nonce_.size())
    return {auth_parameters, 'R', "the server's SCRAM nonce does not extend the client's"};
  auto decoded_salt = decode_base64(*salt);
  if (!decoded_salt || decoded_salt->empty()) return {auth_parameters, 'R', "the SCRAM salt is not base64, or empty"};

  const auto count = parse_count(*iterations);
  if (!count) return {auth_parameters, 'R', "the SCRAM iteration count is not a positive number"};
  if (*count > settings_.max_iterations)
    return {auth_parameters, 'R', "the SCRAM iteration count is above the limit", settings_.max_iterations};
  if (*count < settings_.min_iterations)
    return {auth_weak, 'R', "the SCRAM iteration count is below the limit", settings_.min_iterations};

  server_nonce_ = *nonce;
  keys_.salt = std::move(*decoded_salt);
  keys_.iterations = static_cast<std::uint32_t>(*count);
  return {};
}

bool scram_client::reuse(const scram_keys& keys) {
  if (phase_ != phase::hashing || keys.salt != keys_.salt || keys.iterations != keys_.iterations) return false;
  keys_ = keys;
  hasher_.reset();
  phase_ = phase::hashed;
  return true;
}

void scram_client::use(const scram_keys::digest& client_key, const scram_keys::digest& server_key) {
  assert(phase_ == phase::hashing);
  keys_.client_key = client_key;
  keys_.server_key = server_key;
  hasher_.reset();
  phase_ = phase::hashed;
}

fault scram_client::hash_some(std::uint32_t rounds) {
  if (phase_ != phase::hashing) return fail(fault::kind::unexpected, "there is nothing to hash in this SCRAM exchange");
  assert(rounds > 0);
  if (!hasher_->ok) return fail(fault::kind::unsupported, no_sha256);
  for (; rounds > 0 && hasher_->rounds < keys_.iterations; --rounds)
    if (!hasher_->round(keys_.salt)) return fail(fault::kind::unsupported, no_sha256);
  if (hasher_->rounds < keys_.iterations) return {};

  if (!hmac_once(hasher_->sum, "Client Key", keys_.client_key) ||
      !hmac_once(hasher_->sum, "Server Key", keys_.server_key))
    return fail(fault::kind::unsupported, no_sha256);
  hasher_.reset();
  phase_ = phase::hashed;
  return {};
}

bool scram_client::hashed() const noexcept { return phase_ > phase::hashing && phase_ != phase::failed; }
const scram_keys& scram_client::keys() const noexcept { return keys_; }

fault scram_client::client_final(std::string& message) {
  if (phase_ != phase::hashed) return fail(fault::kind::unexpected, "the SCRAM keys are not there");

  const std::string binding = std::string{gs2_header(binding_)} + binding_.data;
  const std::string without_proof = "c=" + encode_base64(as_bytes(binding)) + ",r=" + server_nonce_;
  const std::string signed_text = "n=,r=" + client_nonce_ + ',' + server_first_ + ',' + without_proof;

  digest stored_key{};
  digest proof{};
  const bool ok = sha256(keys_.client_key, stored_key) && hmac_once(stored_key, signed_text, proof) &&
                  hmac_once(keys_.server_key, signed_text, server_signature_);
  wipe(stored_key);
  if (!ok) return fail(fault::kind::unsupported, no_sha256);
  exclusive_or(proof, keys_.client_key);
  message = without_proof + ",p=" + encode_base64(proof);
  phase_ = phase::answered;
  return {};
}

fault scram_client::on_server_final(std::string_view message) {
  using enum fault::kind;
  if (phase_ != phase::answered)
    return fail(unexpected, "the SCRAM exchange does not expect the server's last message");
  if (message.starts_with("e=")) return fail(auth_refused, "the server ends the SCRAM exchange with an error");
  const auto verifier = take_attribute(message, 'v', true);
  if (!verifier) return fail(malformed, "a SCRAM server-final message is v=...");
  const auto signature = decode_base64(*verifier);
  if (!signature || signature->size() != server_signature_.size())
    return fail(malformed, "the SCRAM server signature is not base64 of 32 bytes");
  if (CRYPTO_memcmp(signature->data(), server_signature_.data(), server_signature_.size()) != 0)
    return fail(auth_proof, "the SCRAM server signature is wrong");
  phase_ = phase::proved;
  return {};
}

bool scram_client::server_proved() const noexcept { return phase_ == phase::proved; }

}  // namespace sluice::proto
