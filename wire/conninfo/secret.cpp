#include <sluice/wire/secret.hpp>

#include <openssl/crypto.h>

#include <algorithm>
#include <utility>

namespace sluice {

secret::secret(std::string_view text)
    : bytes_{text.empty() ? nullptr : std::make_unique_for_overwrite<char[]>(text.size())}, size_{text.size()} {
  std::copy(text.begin(), text.end(), bytes_.get());
}

secret::secret(secret&& other) noexcept : bytes_{std::move(other.bytes_)}, size_{std::exchange(other.size_, 0)} {}

secret& secret::operator=(secret other) noexcept {
  bytes_.swap(other.bytes_);
  std::swap(size_, other.size_);
  return *this;
}

secret::~secret() {
  if (bytes_ != nullptr) OPENSSL_cleanse(bytes_.get(), size_);
}

}  // namespace sluice
