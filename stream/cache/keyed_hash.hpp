#pragma once
// A hash of bytes with a secret key, so that nobody outside can choose values that collide.
#include <array>
#include <cstdint>
#include <cstring>
#include <random>
#include <string_view>

namespace sluice::detail {

class keyed_hash {
 public:
  keyed_hash() {
    std::random_device random;
    for (std::uint64_t& word : secret_) word = (std::uint64_t{random()} << 32U) | random();
  }

  [[nodiscard]] std::uint64_t operator()(std::string_view bytes) const noexcept {
    std::uint64_t state = secret_[0] ^ bytes.size();
    while (bytes.size() > pair_size) {
      state = mix(bytes.substr(0, pair_size), state);
      bytes.remove_prefix(pair_size);
    }
    return folded(mix(bytes, state) ^ secret_[2], secret_[1]);
  }

 private:
  __extension__ using wide = unsigned __int128;
  static constexpr std::size_t pair_size = 16;

  [[nodiscard]] std::uint64_t mix(std::string_view piece, std::uint64_t state) const noexcept {
    std::array<std::uint64_t, 2> words{};
    if (!piece.empty()) std::memcpy(words.data(), piece.data(), piece.size());
    return folded(words[0] ^ secret_[1], words[1] ^ state);
  }
  /// Both halves of the product: each bit of it depends on every bit of the factors.
  [[nodiscard]] static std::uint64_t folded(std::uint64_t a, std::uint64_t b) noexcept {
    const wide product = wide{a} * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
  }

  std::array<std::uint64_t, 3> secret_{};
};

}  // namespace sluice::detail
