#pragma once
/// @file
/// The packets of a session that GSSAPI encrypts: a length, which does not count itself, and that many bytes. Before
/// the context is established they carry its tokens, afterwards what it has wrapped. The bytes themselves are GSSAPI's
/// affair, and are opaque here.
/// @see PostgreSQL documentation, section "GSSAPI Session Encryption"

#include <cstddef>
#include <span>

#include <sluice/proto/fault.hpp>
#include <sluice/proto/frame.hpp>
#include "messages/frontend.hpp"

namespace sluice::proto {

/// The longest packets, with their length fields: of tokens, and of wrapped data.
inline constexpr std::size_t max_gss_token_packet{65'536};
inline constexpr std::size_t max_gss_packet{16'384};
inline constexpr std::size_t gss_header_size{4};

/// The result of `next_gss_packet`.
struct gss_framing {
  framing::kind found{framing::kind::incomplete};
  std::span<const std::byte> content{};  ///< complete: after the length
  std::size_t size{};                    ///< complete: bytes to consume; incomplete: bytes needed in total
  fault why{};                           ///< faulty: the reason
};

/// Finds the first packet in `bytes`.
/// @param most  the longest packet that is accepted, with its length field; checked before the content has arrived
/// @par Lifetime  `content` points into `bytes`
/// @par Errors    `bad_length` for an empty packet, or a longer one
[[nodiscard]] gss_framing next_gss_packet(std::span<const std::byte> bytes, std::size_t most) noexcept;

/// Appends a packet.
/// @return a fault, with `out` unchanged, if it is empty or longer than `most`
/// @par Exception safety  strong: only growing `out` can throw
fault append_gss_packet(std::span<const std::byte> content, std::size_t most, output& out);

}  // namespace sluice::proto
