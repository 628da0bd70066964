#include "drive/dial.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>

#include <asio/ip/address.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <sluice/wire/asio_errors.hpp>

#include "drive/coroutine_driver.hpp"
#include "drive/name_lookup.hpp"
#include "transport/deadline.hpp"

namespace sluice::wire {

namespace {

[[noreturn]] void fail(const link::context& where, errc code, std::string_view what, bool retryable) {
  throw error{error_info{.code = code, .message = where.after(what), .server = {}, .retryable = retryable}};
}

std::string advice(const asio_code& error, const endpoint& to) {
  std::string text = "no connection to " + to_string(to) + ": " + error.message();
  if (error.value() == ECONNREFUSED || error.value() == ENOENT) text += "; is a server running there?";
  return text;
}

/// Opens a socket that is closed in programs which this process starts: they would keep the session alive.
void open(socket& closed, const endpoint::protocol_type& how, asio_code& error) {
#ifdef SOCK_CLOEXEC
  const int made = ::socket(how.family(), how.type() | SOCK_CLOEXEC, how.protocol());
  if (made < 0)
    error.assign(errno, asio::error::get_system_category());
  else if (closed.assign(how, made, error); error)
    ::close(made);
#else
  closed.open(how, error);
  if (!error) (void)::fcntl(closed.native_handle(), F_SETFD, FD_CLOEXEC);
#endif
}

/// Options that the system does not support are left as they are.
void prepare(socket& connected, const tcp_options& tcp) {
  const int family = connected.local_endpoint().protocol().family();
  if (family != AF_INET && family != AF_INET6) return;
  const auto set = [&](int level, int name, std::int64_t value) {
    const int number = static_cast<int>(std::min<std::int64_t>(value, std::numeric_limits<int>::max()));
    (void)::setsockopt(connected.native_handle(), level, name, &number, sizeof number);
  };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(SOL_SOCKET, SO_KEEPALIVE, tcp.keepalives ? 1 : 0);
#ifdef TCP_KEEPIDLE
  if (tcp.idle.count() > 0) set(IPPROTO_TCP, TCP_KEEPIDLE, tcp.idle.count());
#endif
  if (tcp.interval.count() > 0) set(IPPROTO_TCP, TCP_KEEPINTVL, tcp.interval.count());
  if (tcp.count > 0) set(IPPROTO_TCP, TCP_KEEPCNT, tcp.count);
#ifdef TCP_USER_TIMEOUT
  if (tcp.user_timeout.count() > 0) set(IPPROTO_TCP, TCP_USER_TIMEOUT, tcp.user_timeout.count());
#endif
}

}  // namespace

asio::awaitable<std::vector<endpoint>> resolve(const conninfo::host& host, clock::time_point deadline_at,
                                               const link::context& where) {
  std::vector<endpoint> found;
  if (host.is_unix_socket()) {
    const std::string path = host.socket_path();
    if (path.size() >= sizeof(sockaddr_un{}.sun_path))
      fail(where, errc::bad_conninfo, "the path of the Unix socket is too long: " + path, false);
    asio::local::stream_protocol::endpoint local{path[0] == '@' ? '\0' + path.substr(1) : path};
    found.emplace_back(local);
    co_return found;
  }
  const std::string& name = host.address.empty() ? host.name : host.address;
  asio_code not_numeric;
  const asio::ip::address numeric = asio::ip::make_address(name, not_numeric);
  if (!not_numeric) {
    found.emplace_back(asio::ip::tcp::endpoint{numeric, host.port});
    co_return found;
  }

  const asio::any_io_executor on = co_await asio::this_coro::executor;
  std::optional<name_lookup> started;
  try {
    started.emplace(on, name, host.port);
  } catch (const std::system_error& no_thread) {
    fail(where, errc::name_not_found, "the name " + name + " cannot be resolved: " + no_thread.code().message(), true);
  }
  name_lookup& lookup = *started;
  while (!lookup.is_done() && clock::now() < deadline_at) {
    asio::awaitable<void> answer = lookup.done_or(deadline_at);
    const bool goes_on = co_await uncancelled(std::move(answer));
    if (!goes_on) fail(where, errc::cancelled, "cancelled", false);
  }
  if (!lookup.is_done()) fail(where, errc::deadline_exceeded, "the name " + name + " was not resolved in time", true);
  if (const std::string why = lookup.failure(); !why.empty())
    fail(where, errc::name_not_found, "the name " + name + " cannot be resolved: " + why, true);
  co_return lookup.endpoints();
}

asio::awaitable<socket> dial(asio::any_io_executor on, endpoint to, clock::time_point deadline_at,
                             const link::context& where, tcp_options tcp) {
  socket connecting{on};
  asio_code error;
  open(connecting, to.protocol(), error);
  if (error) fail(where, errc::connect_failed, advice(error, to), true);
  deadline limit{on, [&connecting] {
                   asio_code ignored;
                   connecting.cancel(ignored);
                 }};
  limit.set(deadline_at);
  limit.arm();
  asio::awaitable<void> connected = connecting.async_connect(to, asio::redirect_error(asio::use_awaitable, error));
  const bool goes_on = co_await uncancelled(std::move(connected));
  if (!goes_on) fail(where, errc::cancelled, "cancelled", false);
  // Asio 1.26 and 1.30 take a Unix socket for connected when its server's queue is full.
  if (!error && to.protocol().family() == AF_UNIX) (void)connecting.remote_endpoint(error);
  if (error == asio::error::operation_aborted)
    fail(where, errc::deadline_exceeded, "no answer from " + to_string(to) + " in time", true);
  if (error) fail(where, errc::connect_failed, advice(error, to), true);
  prepare(connecting, tcp);
  co_return std::move(connecting);
}

std::string to_string(const endpoint& of) {
  if (of.protocol().family() == AF_UNIX) {
    const auto* local = reinterpret_cast<const sockaddr_un*>(of.data());
    const std::size_t size = of.size() - offsetof(sockaddr_un, sun_path);
    std::string path{local->sun_path, size};
    if (!path.empty() && path[0] == '\0')
      path[0] = '@';  // in the abstract namespace
    else
      path.resize(::strnlen(path.data(), path.size()));
    return path;
  }
  asio::ip::tcp::endpoint tcp;
  std::memcpy(tcp.data(), of.data(), of.size());
  const std::string address = tcp.address().to_string();
  return (tcp.address().is_v6() ? '[' + address + ']' : address) + ':' + std::to_string(tcp.port());
}

}  // namespace sluice::wire
