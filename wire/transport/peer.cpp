#include "transport/peer.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <sluice/wire/asio_errors.hpp>

namespace sluice::wire {

std::optional<std::uint32_t> peer_user(socket& connected) noexcept {
  asio_code ignored;
  if (connected.remote_endpoint(ignored).protocol().family() != AF_UNIX) return std::nullopt;
#ifdef SO_PEERCRED
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(connected.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
  return peer.uid;
#else
  uid_t user{};
  gid_t group{};
  if (::getpeereid(connected.native_handle(), &user, &group) != 0) return std::nullopt;
  return user;
#endif
}

bool is_trusted(std::optional<std::uint32_t> peer) noexcept { return peer && (*peer == 0 || *peer == ::geteuid()); }

}  // namespace sluice::wire
