#include "engine/statement_names.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <new>
#include <string_view>
#include <utility>

#include <openssl/evp.h>

namespace sluice::wire {

namespace {

/// A longer text is not copied: its digest takes little time beside its way to the server.
constexpr std::size_t longest_text = 4U << 10U;

/// How its result is read: the columns that are remembered for it depend on that.
char kind_of(const statement& what) noexcept { return what.decides ? 'd' : what.by_columns ? 'c' : 't'; }

}  // namespace

std::string statement_names::name_of(const statement& what) {
  std::string all(1, kind_of(what));
  for (const std::uint32_t type : what.types) all.append(std::to_string(type)).append(1, ',');
  all.append(1, ':').append(what.text);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  if (EVP_Digest(all.data(), all.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) throw std::bad_alloc{};
  constexpr std::size_t digest_bytes = 16;
  constexpr std::string_view digits{"0123456789abcdef"};
  std::string name{"sluice_"};
  for (std::size_t i = 0; i < digest_bytes; ++i) {
    name += digits[digest[i] >> 4U];
    name += digits[digest[i] & 15U];
  }
  return name;
}

bool statement_names::named::is(const statement& what) const noexcept {
  return kind == kind_of(what) && text == what.text && std::ranges::equal(types, what.types);
}

const std::string& statement_names::of(const statement& what) {
  if (last_ != nullptr && last_->is(what)) return last_->name;
  const std::size_t hash = std::hash<std::string_view>{}(what.text);
  auto found = by_hash_.find(hash);
  if (found == by_hash_.end() || !found->second.is(what)) {
    named now{.kind = '\0', .types = {}, .text = {}, .name = name_of(what)};
    if (what.text.size() <= longest_text) {
      now.kind = kind_of(what);
      now.types.assign(what.types.begin(), what.types.end());
      now.text = what.text;
    }
    last_ = nullptr;
    if (by_hash_.size() >= most_) by_hash_.clear();
    found = by_hash_.insert_or_assign(hash, std::move(now)).first;
  }
  last_ = &found->second;
  return last_->name;
}

}  // namespace sluice::wire
