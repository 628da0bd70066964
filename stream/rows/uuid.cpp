#include <sluice/stream/uuid.hpp>

namespace sluice {

namespace {

constexpr std::string_view pattern{"00000000-0000-0000-0000-000000000000"};

int digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<uuid> uuid::parse(std::string_view text) noexcept {
  if (text.size() != pattern.size()) return std::nullopt;
  uuid value;
  std::size_t digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (pattern[i] == '-') {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const int one = digit(text[i]);
    if (one < 0) return std::nullopt;
    std::byte& into = value.bytes[digits++ / 2];
    into = into << 4U | static_cast<std::byte>(one);
  }
  return value;
}

std::string uuid::to_string() const {
  static constexpr std::string_view names{"0123456789abcdef"};
  std::string text{pattern};
  std::size_t digits = 0;
  for (char& c : text) {
    if (c == '-') continue;
    const auto byte = std::to_integer<unsigned>(bytes[digits / 2]);
    c = names[digits++ % 2 == 0 ? byte >> 4U : byte & 15U];
  }
  return text;
}

}  // namespace sluice
