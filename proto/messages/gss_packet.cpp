#include "messages/gss_packet.hpp"

#include <array>
#include <cstdint>

#include <sluice/proto/byte_order.hpp>

namespace sluice::proto {

gss_framing next_gss_packet(std::span<const std::byte> bytes, std::size_t most) noexcept {
  if (bytes.size() < gss_header_size) return {.size = gss_header_size};
  const std::size_t length = load_big<std::uint32_t>(bytes.data());
  if (length == 0)
    return {.found = framing::kind::faulty, .why = {fault::kind::bad_length, '\0', "a packet of GSSAPI is empty"}};
  if (length > most - gss_header_size)
    return {.found = framing::kind::faulty,
            .why = {fault::kind::bad_length, '\0', "a packet of GSSAPI is longer than any may be", most}};
  const std::size_t size = gss_header_size + length;
  if (bytes.size() < size) return {.size = size};
  return {.found = framing::kind::complete, .content = bytes.subspan(gss_header_size, length), .size = size};
}

fault append_gss_packet(std::span<const std::byte> content, std::size_t most, output& out) {
  if (content.empty() || content.size() > most - gss_header_size)
    return {fault::kind::unencodable, '\0', "what GSSAPI made does not fit into a packet", most};
  std::array<std::byte, gss_header_size> length{};
  store_big(length.data(), static_cast<std::uint32_t>(content.size()));
  out.reserve(out.size() + length.size() + content.size());
  out.insert(out.end(), length.begin(), length.end());
  out.insert(out.end(), content.begin(), content.end());
  return {};
}

}  // namespace sluice::proto
