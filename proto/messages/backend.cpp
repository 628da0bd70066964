#include "messages/backend.hpp"

#include <algorithm>
#include <charconv>

#include <sluice/proto/field_view.hpp>

namespace sluice::proto {

namespace {

constexpr std::size_t shortest_key = 4;
constexpr std::size_t longest_key = 256;

/// Returns the message if all its fields were present and nothing is left over.
template <class Message>
std::optional<Message> whole(const body_reader& in, const Message& message) noexcept {
  return in.exhausted() ? std::optional{message} : std::nullopt;
}

/// A count, followed by that many fields.
template <class Field>
packed_list<Field> counted(body_reader& in) noexcept {
  const std::size_t count = in.u16();
  return packed_list<Field>::take(in, count);
}

/// SASL mechanisms: names, terminated by an empty one.
packed_list<text_field> mechanisms(body_reader& in) noexcept {
  std::size_t count = 0;
  for (body_reader look = in; look.ok() && !look.text().empty();) ++count;
  const auto list = packed_list<text_field>::take(in, count);
  if (!in.text().empty()) (void)in.bytes(in.remaining() + 1);
  return list;
}

}  // namespace

std::optional<std::span<const std::byte>> value_field::read(body_reader& in) noexcept {
  const std::uint32_t length = in.u32();
  if (length == null_length) return std::nullopt;
  return in.bytes(length);
}

column column::read(body_reader& in) noexcept {
  column read;
  read.name = in.text();
  read.table = in.u32();
  read.attribute = in.i16();
  read.type = in.u32();
  read.type_size = in.i16();
  read.modifier = in.i32();
  read.format = in.i16();
  if (read.format != 0 && read.format != 1) (void)in.bytes(in.remaining() + 1);
  return read;
}

std::optional<std::uint64_t> command_complete::rows() const noexcept {
  const std::string_view digits = tag.substr(tag.find_last_of(' ') + 1);
  std::uint64_t count{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return count;
}

std::optional<authentication> decode_authentication(std::span<const std::byte> body) noexcept {
  body_reader in{body};
  authentication request{.what = static_cast<authentication::kind>(in.u32())};
  switch (request.what) {
    using enum authentication::kind;
    case md5_password: {
      const auto salt = in.bytes(request.salt.size());
      std::copy(salt.begin(), salt.end(), request.salt.begin());
      break;
    }
    case sasl: request.mechanisms = mechanisms(in); break;
    case sasl_continue:
    case sasl_final:
    case gss_continue: request.data = in.rest(); break;
    default: break;
  }
  return whole(in, request);
}

std::optional<backend_key_data> decode_backend_key_data(std::span<const std::byte> body) noexcept {
  body_reader in{body};
  backend_key_data key;
  key.pid = in.u32();
  key.key = in.rest();
  if (key.key.size() < shortest_key || key.key.size() > longest_key) return std::nullopt;
  return whole(in, key);
}

std::optional<negotiate_protocol_version> decode_negotiate_protocol_version(std::span<const std::byte> body) noexcept {
  body_reader in{body};
  negotiate_protocol_version offer;
  const std::uint16_t major = in.u16();
  if (major != 0 && major != 3) return std::nullopt;  // servers send the minor version, or the whole version
  offer.newest_minor = in.u16();
  const std::uint32_t count = in.u32();
  if (count > in.remaining()) return std::nullopt;  // each name takes at least its zero byte
  offer.unknown_options = packed_list<text_field>::take(in, count);
  return whole(in, offer);
}

std::optional<parameter_status> decode_parameter_status(std::span<const std::byte> body) noexcept {
  body_reader in{body};
  parameter_status status;
  status.name = in.text();
  status.value = in.text();
  return whole(in, status);
}

std::optional<ready_for_query> decode_ready_for_query(std::span<const std::byte> body) noexcept {
  body_reader in{body};
  const ready_for_query ready{static_cast<char>(in.u8())};
  if (ready.status != 'I' && ready.status != 'T' && ready.status != 'E') return std::nullopt;
  return whole(in, ready);
}

std::optional<row_description> decode_row_description(std::span<const std::byte> body) noexcept {
  body_reader in{body};
  const auto columns = counted<column>(in);
  return whole(in, columns);
}

std::optional<parameter_description> decode_parameter_description(std::span<const std::byte> body) noexcept {
  body_reader in{body};
  const auto types = counted<oid_field>(in);
  return whole(in, types);
}

std::optional<data_row> decode_data_row(std::span<const std::byte> body) noexcept {
  body_reader in{body};
  const auto values = counted<value_field>(in);
  return whole(in, values);
}

std::optional<command_complete> decode_command_complete(std::span<const std::byte> body) noexcept {
  body_reader in{body};
  const command_complete done{in.text()};
  return whole(in, done);
}

std::optional<copy_response> decode_copy_response(std::span<const std::byte> body) noexcept {
  body_reader in{body};
  const std::uint8_t format = in.u8();
  const auto formats = counted<format_field>(in);
  const bool known = format <= 1 && std::all_of(formats.begin(), formats.end(), [](std::uint16_t f) { return f <= 1; });
  return known ? whole(in, copy_response{.binary = format == 1, .formats = formats}) : std::nullopt;
}

std::optional<notification_response> decode_notification_response(std::span<const std::byte> body) noexcept {
  body_reader in{body};
  notification_response said;
  said.pid = in.u32();
  said.channel = in.text();
  said.payload = in.text();
  return whole(in, said);
}

}  // namespace sluice::proto
