#include <sluice/wire/trace_context.hpp>

#include <algorithm>
#include <span>

#include <openssl/rand.h>

#include <sluice/wire/error.hpp>

namespace sluice {

namespace {

constexpr std::size_t length = 55;  // of version 00
constexpr std::uint8_t known_flags = 3;

[[noreturn]] void refuse(const std::string& why) {
  throw error{errc::bad_state, "a traceparent is 00-<32 digits>-<16 digits>-<2 digits>, in lower case: " + why};
}

int digit(char c) noexcept {
  constexpr int ten = 10;
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + ten;
  return -1;
}

/// @param name  for the message; the text itself comes from outside, and may be anything
void read(std::string_view digits, std::span<std::byte> into, const char* name) {
  for (std::size_t at = 0; at < into.size(); ++at) {
    const int high = digit(digits[2 * at]);
    const int low = digit(digits[2 * at + 1]);
    if (high < 0 || low < 0) refuse(std::string{name} + " has a character that is no such digit");
    into[at] = static_cast<std::byte>(high << 4 | low);
  }
}

bool is_zero(std::span<const std::byte> id) noexcept {
  return std::ranges::all_of(id, [](std::byte each) { return each == std::byte{}; });
}

std::string hexadecimal(std::span<const std::byte> bytes) {
  constexpr std::string_view digits{"0123456789abcdef"};
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::byte each : bytes) {
    text += digits[std::to_integer<std::size_t>(each >> 4)];
    text += digits[std::to_integer<std::size_t>(each & std::byte{0xf})];
  }
  return text;
}

/// @return whether there are random bytes, not all zero
bool fill(std::span<std::byte> id) noexcept {
  return RAND_bytes(reinterpret_cast<unsigned char*>(id.data()), static_cast<int>(id.size())) == 1 && !is_zero(id);
}

}  // namespace

trace_context trace_context::parse(std::string_view traceparent) {
  if (traceparent.size() < length)
    refuse("this one has " + std::to_string(traceparent.size()) + " characters instead of " + std::to_string(length));
  constexpr std::size_t trace_at = 3;
  constexpr std::size_t span_at = 36;
  constexpr std::size_t flags_at = 53;
  for (const std::size_t dash : {trace_at - 1, span_at - 1, flags_at - 1})
    if (traceparent[dash] != '-') refuse("there is no dash at position " + std::to_string(dash));
  std::array<std::byte, 1> version{};
  std::array<std::byte, 1> flags{};
  trace_context made;
  read(traceparent, version, "the version");
  read(traceparent.substr(trace_at), made.trace_id, "the trace");
  read(traceparent.substr(span_at), made.span_id, "the span");
  read(traceparent.substr(flags_at), flags, "the flags");
  if (version[0] == std::byte{0xff}) refuse("there is no version ff");
  const bool has_more = traceparent.size() > length;
  if (has_more && version[0] == std::byte{}) refuse("something follows the flags, which version 00 does not allow");
  if (has_more && traceparent[length] != '-') refuse("the flags are longer than two digits");
  if (is_zero(made.trace_id)) refuse("the trace is all zero");
  if (is_zero(made.span_id)) refuse("the span is all zero");
  made.flags = std::to_integer<std::uint8_t>(flags[0]) & known_flags;
  return made;
}

trace_context trace_context::root() noexcept {
  trace_context made{.trace_id = {}, .span_id = {}, .flags = known_flags};
  if (!fill(made.trace_id) || !fill(made.span_id)) return {};
  return made;
}

trace_context trace_context::child() const noexcept {
  trace_context made{*this};
  if (!fill(made.span_id)) return {};
  return made;
}

std::string trace_context::to_string() const {
  constexpr std::string_view digits{"0123"};
  return "00-" + trace_id_text() + '-' + span_id_text() + "-0" + digits[flags & known_flags];
}
std::string trace_context::trace_id_text() const { return hexadecimal(trace_id); }
std::string trace_context::span_id_text() const { return hexadecimal(span_id); }

}  // namespace sluice
