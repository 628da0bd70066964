#include "replay_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace sluice::bench {

namespace {

int checked(int result, const char* what) {
  if (result < 0) throw std::system_error{errno, std::generic_category(), what};
  return result;
}

int listening(const sockaddr* address, socklen_t size) {
  const int descriptor = checked(::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  const int on = 1;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  checked(::bind(descriptor, address, size), "bind");
  checked(::listen(descriptor, 128), "listen");
  return descriptor;
}

int listening_on_loopback(std::uint16_t& port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  const int descriptor = listening(reinterpret_cast<const sockaddr*>(&address), sizeof address);
  socklen_t size = sizeof address;
  checked(::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  port = ntohs(address.sin_port);
  return descriptor;
}

int listening_on_path(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    throw std::system_error{ENAMETOOLONG, std::generic_category(), "the Unix socket's path"};
  std::memcpy(address.sun_path, path.data(), path.size());
  ::unlink(path.c_str());
  return listening(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

}  // namespace

replay_server::replay_server(replay_options options) : options_{std::move(options)} {
  tcp_ = listening_on_loopback(options_.port);
  if (!options_.socket_folder.empty()) {
    socket_path_ = options_.socket_folder + "/.s.PGSQL." + std::to_string(options_.port);
    unix_ = listening_on_path(socket_path_);
  }
  checked(::pipe(wake_), "pipe");
  acceptor_ = std::jthread{[this] { accept_until_stopped(); }};
}

replay_server::~replay_server() {
  ::close(wake_[1]);
  acceptor_.join();
  for (served& each : sessions_) each.session.hang_up();
  sessions_.clear();
  for (const int descriptor : {tcp_, unix_, wake_[0]})
    if (descriptor >= 0) ::close(descriptor);
  if (!socket_path_.empty()) ::unlink(socket_path_.c_str());
}

void replay_server::accept_until_stopped() {
  pollfd watched[] = {{wake_[0], POLLIN, 0}, {tcp_, POLLIN, 0}, {unix_, POLLIN, 0}};  // poll ignores -1
  for (;;) {
    if (::poll(watched, std::size(watched), -1) < 0) continue;
    if (watched[0].revents != 0) return;
    for (const pollfd& each : {watched[1], watched[2]}) {
      if (each.revents == 0) continue;
      const int descriptor = ::accept4(each.fd, nullptr, nullptr, SOCK_CLOEXEC);
      if (descriptor >= 0) serve(descriptor);
    }
  }
}

void replay_server::serve(int descriptor) {
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const std::scoped_lock lock{mutex_};
  sessions_.remove_if([](const served& each) { return each.session.over(); });
  sessions_.emplace_back(descriptor, next_process_++, options_.fallback,
                         [this](std::uint32_t process, std::uint32_t key) { cancel(process, key); });
}

void replay_server::cancel(std::uint32_t process, std::uint32_t key) {
  const std::scoped_lock lock{mutex_};
  for (served& each : sessions_)
    if (each.session.is_known_as(process, key)) each.session.cancel();
}

}  // namespace sluice::bench
