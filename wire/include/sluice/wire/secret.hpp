#pragma once
/// @file
/// Text that must not linger in memory once it is no longer needed.

#include <cstddef>
#include <memory>
#include <string_view>

#include <sluice/export.hpp>

namespace sluice {

/// A password or a token. Its bytes are overwritten when it is destroyed or assigned a new value. It has no `<<`.
class SLUICE_API secret {
 public:
  secret() noexcept = default;
  /// Copies the text. Overwriting the original is up to the caller.
  secret(std::string_view text);  // NOLINT(google-explicit-constructor): text is accepted where a password is expected
  secret(const char* text) : secret{std::string_view{text}} {}  // NOLINT(google-explicit-constructor)
  secret(const secret& other) : secret{other.view()} {}
  secret(secret&& other) noexcept;
  secret& operator=(secret other) noexcept;
  ~secret();

  /// The text.
  /// @par Lifetime  until this object changes or is destroyed
  [[nodiscard]] std::string_view view() const& noexcept { return {bytes_.get(), size_}; }
  std::string_view view() const&& = delete;
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  friend bool operator==(const secret& a, const secret& b) noexcept { return a.view() == b.view(); }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_{0};
};

}  // namespace sluice
