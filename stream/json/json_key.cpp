#include <sluice/stream/json_key.hpp>

#include <cstdint>

namespace sluice::detail {

namespace {

/// Four hexadecimal digits; anything else gives more than 0xffff. Stops at the first character that is not one, so it
/// never passes the closing quote.
std::uint32_t hex4(const char*& at) noexcept {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i, ++at) {
    const char c = *at;
    if (c >= '0' && c <= '9')
      value = value * 16 + static_cast<std::uint32_t>(c - '0');
    else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
      value = value * 16 + static_cast<std::uint32_t>((c | 0x20) - 'a' + 10);
    else
      return 0x10000;
  }
  return value;
}

/// Removes the UTF-8 form of a character from the front of `name`.
bool take(std::string_view& name, std::uint32_t character) noexcept {
  char utf8[4];
  std::size_t size = 0;
  const auto tail = [&](unsigned shift) { utf8[size++] = static_cast<char>(0x80U | ((character >> shift) & 0x3fU)); };
  if (character < 0x80) {
    utf8[size++] = static_cast<char>(character);
  } else if (character < 0x800) {
    utf8[size++] = static_cast<char>(0xc0U | (character >> 6U));
    tail(0);
  } else if (character < 0x10000) {
    utf8[size++] = static_cast<char>(0xe0U | (character >> 12U));
    tail(6);
    tail(0);
  } else {
    utf8[size++] = static_cast<char>(0xf0U | (character >> 18U));
    tail(12);
    tail(6);
    tail(0);
  }
  if (!name.starts_with(std::string_view{utf8, size})) return false;
  name.remove_prefix(size);
  return true;
}

/// Handles what follows a backslash.
bool take_escape(const char*& at, std::string_view& name) noexcept {
  const char kind = *at++;
  switch (kind) {
    case 'b': return take(name, '\b');
    case 'f': return take(name, '\f');
    case 'n': return take(name, '\n');
    case 'r': return take(name, '\r');
    case 't': return take(name, '\t');
    case '"':
    case '\\':
    case '/': return take(name, static_cast<std::uint32_t>(kind));
    case 'u': break;
    default: return false;
  }
  std::uint32_t character = hex4(at);
  if (character >= 0xd800 && character < 0xdc00) {
    if (at[0] != '\\' || at[1] != 'u') return false;
    at += 2;
    const std::uint32_t low = hex4(at);
    if (low < 0xdc00 || low > 0xdfff) return false;
    character = 0x10000 + ((character - 0xd800) << 10U) + (low - 0xdc00);
  } else if (character > 0xffff || (character >= 0xdc00 && character < 0xe000)) {
    return false;
  }
  return take(name, character);
}

}  // namespace

bool is_json_key(const char* raw, std::string_view name) noexcept {
  while (*raw != '"') {
    if (*raw == '\\') {
      if (!take_escape(++raw, name)) return false;
      continue;
    }
    if (name.empty() || name.front() != *raw) return false;
    name.remove_prefix(1);
    ++raw;
  }
  return name.empty();
}

}  // namespace sluice::detail
