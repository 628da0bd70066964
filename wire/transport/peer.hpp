#pragma once
// Identifies the process at the other end of a Unix socket.

#include <cstdint>
#include <optional>

#include "transport/link.hpp"

namespace sluice::wire {

// The user ID of the process that listens there; nothing for TCP, or if the system does not tell.
[[nodiscard]] std::optional<std::uint32_t> peer_user(socket& connected) noexcept;

// Whether that is root or the user of this process.
[[nodiscard]] bool is_trusted(std::optional<std::uint32_t> peer) noexcept;

}  // namespace sluice::wire
