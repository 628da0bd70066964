#include "messages/frontend.hpp"

#include <algorithm>

#include <sluice/proto/byte_order.hpp>
#include <sluice/proto/field_view.hpp>

#include "messages/message_writer.hpp"

namespace sluice::proto {

namespace {

constexpr std::size_t max_startup_packet = 10'000;

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A message that is always the same.
/// @param message  a literal
template <std::size_t Size>
fault encode_fixed(const char (&message)[Size], output& out) {
  const auto* const bytes = reinterpret_cast<const std::byte*>(message);
  out.insert(out.end(), bytes, bytes + Size - 1);
  return {};
}

/// Format codes: none if all are text, one if all are binary, otherwise one for each.
void write_formats(message_writer& to, std::span<const parameter> parameters) {
  const auto binary = std::count_if(parameters.begin(), parameters.end(), [](const parameter& p) { return p.binary; });
  if (binary == 0) {
    to.u16(0);
  } else if (static_cast<std::size_t>(binary) == parameters.size()) {
    to.u16(1).u16(1);
  } else {
    to.u16(parameters.size());
    for (const parameter& p : parameters) to.u16(p.binary ? 1 : 0);
  }
}

/// The size of the values in a Bind, including their length fields. Counting stops once it is too large, so the sum
/// cannot wrap.
std::size_t size_of(std::span<const parameter> parameters) {
  constexpr std::size_t too_much = message_writer::max_message + 1;
  std::size_t size = 0;
  for (const parameter& p : parameters)
    size = std::min(too_much, size + sizeof(std::uint32_t) + (p.value ? std::min(too_much, p.value->size()) : 0));
  return size;
}

}  // namespace

fault encode(const ssl_request&, output& out) { return message_writer{'\0', out}.u32(ssl_request::code).finish(); }

fault encode(const gss_request&, output& out) { return message_writer{'\0', out}.u32(gss_request::code).finish(); }

fault encode(const startup_message& message, output& out) {
  message_writer to{'\0', out, max_startup_packet};
  to.u16(message.major).u16(message.minor);
  for (const startup_parameter& p : message.parameters) {
    if (p.name.empty()) to.refuse("a start-up parameter without a name, which would end the list");
    to.text(p.name).text(p.value);
  }
  return to.byte('\0').finish();
}

fault encode(const cancel_request& message, output& out) {
  return message_writer{'\0', out}.u32(cancel_request::code).u32(message.pid).bytes(text_of(message.key)).finish();
}

fault encode(const password_message& message, output& out) {
  return message_writer{'p', out}.text(message.text).finish();
}

fault encode(const sasl_initial_response& message, output& out) {
  return message_writer{'p', out}.text(message.mechanism).sized(message.data).finish();
}

fault encode(const sasl_response& message, output& out) {
  return message_writer{'p', out}.bytes(message.data).finish();
}

fault encode(const gss_response& message, output& out) {
  return message_writer{'p', out}.bytes(text_of(message.token)).finish();
}

fault encode(const query& message, output& out) { return message_writer{'Q', out}.text(message.sql).finish(); }

fault encode(const parse& message, output& out) {
  message_writer to{'P', out};
  to.text(message.statement).text(message.sql).u16(message.parameter_types.size());
  if (message.parameter_types.size() <= 0xffff)
    for (const std::uint32_t type : message.parameter_types) to.u32(type);
  return to.finish();
}

fault encode(const bind& message, output& out) {
  message_writer to{'B', out};
  to.text(message.portal).text(message.statement);
  if (message.parameters.size() > 0xffff) return to.u16(message.parameters.size()).finish();
  write_formats(to, message.parameters);
  to.u16(message.parameters.size()).room(size_of(message.parameters));
  for (const parameter& p : message.parameters) {
    if (p.value)
      to.sized(*p.value);
    else
      to.u32(null_length);
  }
  to.u16(message.result_formats.size());
  for (const value_format each : message.result_formats) to.u16(static_cast<std::size_t>(each));
  return to.finish();
}

fault set_result_formats(output& bind, std::span<const value_format> formats) {
  constexpr std::size_t none = 2;  // the count, which stands last
  const std::size_t size = bind.size() + formats.size() * sizeof(std::uint16_t);
  if (size - 1 > message_writer::max_message || formats.size() > 0xffff)
    return {fault::kind::unencodable, 'B', "a message longer than the server accepts"};
  const std::size_t count_at = bind.size() - none;
  bind.resize(size);
  std::byte* at = bind.data() + count_at;
  store_big(at, static_cast<std::uint16_t>(formats.size()));
  for (const value_format each : formats) store_big(at += sizeof(std::uint16_t), static_cast<std::uint16_t>(each));
  store_big(bind.data() + 1, static_cast<std::uint32_t>(size - 1));
  return {};
}

fault encode(const describe& message, output& out) {
  return message_writer{'D', out}.byte(static_cast<char>(message.what)).text(message.name).finish();
}

fault encode(const execute& message, output& out) {
  if (message.portal.empty() && message.max_rows == 0) return encode_fixed("E\0\0\0\11\0\0\0\0\0", out);
  return message_writer{'E', out}.text(message.portal).u32(message.max_rows).finish();
}

fault encode(const close& message, output& out) {
  return message_writer{'C', out}.byte(static_cast<char>(message.what)).text(message.name).finish();
}

fault encode(const sync&, output& out) { return encode_fixed("S\0\0\0\4", out); }
fault encode(const flush&, output& out) { return encode_fixed("H\0\0\0\4", out); }
fault encode(const terminate&, output& out) { return encode_fixed("X\0\0\0\4", out); }
fault encode(const copy_data& message, output& out) {
  return message_writer{'d', out}.bytes(text_of(message.data)).finish();
}
fault encode(const copy_done&, output& out) { return encode_fixed("c\0\0\0\4", out); }
fault encode(const copy_fail& message, output& out) { return message_writer{'f', out}.text(message.reason).finish(); }

}  // namespace sluice::proto
