#include "messages/error_fields.hpp"

#include <charconv>

#include "messages/body_reader.hpp"

namespace sluice::proto {

namespace {

std::optional<std::uint32_t> number(std::string_view digits) noexcept {
  std::uint32_t value{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

void set(error_fields& fields, char code, std::string_view text) noexcept {
  switch (code) {
    case 'S': fields.localized_severity = text; break;
    case 'V': fields.severity = text; break;
    case 'C': fields.sqlstate = text; break;
    case 'M': fields.message = text; break;
    case 'D': fields.detail = text; break;
    case 'H': fields.hint = text; break;
    case 'P': fields.position = number(text); break;
    case 'p': fields.internal_position = number(text); break;
    case 'q': fields.internal_query = text; break;
    case 'W': fields.where = text; break;
    case 's': fields.schema = text; break;
    case 't': fields.table = text; break;
    case 'c': fields.column = text; break;
    case 'd': fields.data_type = text; break;
    case 'n': fields.constraint = text; break;
    case 'F': fields.file = text; break;
    case 'L': fields.line = text; break;
    case 'R': fields.routine = text; break;
    default: break;  // the protocol says to ignore unknown fields silently
  }
}

}  // namespace

std::optional<error_fields> decode_error_fields(std::span<const std::byte> body) noexcept {
  body_reader in{body};
  error_fields fields;
  for (;;) {
    const char code = static_cast<char>(in.u8());
    if (code == '\0') break;  // the end of the list, or of a body that is too short
    set(fields, code, in.text());
  }
  return in.exhausted() ? std::optional{fields} : std::nullopt;
}

}  // namespace sluice::proto
