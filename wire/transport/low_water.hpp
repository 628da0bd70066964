#pragma once
// The bytes that have to arrive over TCP before a wait ends; see docs/decisions/a-moment-for-the-server.md.
#include <chrono>

#include <sys/socket.h>

namespace sluice::wire {

/// SO_RCVLOWAT of one socket. While rows flow, waking up for each segment costs both sides more than the rows do. The
/// end of a stream always ends a wait.
class low_water {
 public:
  /// The longest that bytes may lie unread because of it: whoever waits lowers it then.
  static constexpr std::chrono::milliseconds patience{1};

  /// @param socket  open as long as this is used
  /// @param family  AF_INET, for example: sockets other than TCP's ignore it
  low_water(int socket, int family) noexcept : socket_{socket}, is_tcp_{family == AF_INET || family == AF_INET6} {}

  [[nodiscard]] bool is_possible() const noexcept { return is_tcp_; }
  [[nodiscard]] bool is_raised() const noexcept { return is_raised_; }
  void raise() noexcept {
    if (is_tcp_ && !is_raised_) is_raised_ = set(many);
  }
  /// Also wakes who waits, if anything has arrived.
  void lower() noexcept {
    if (is_raised_) is_raised_ = !set(1);
  }

 private:
  static constexpr int many = 48 << 10;  // of the 64 KiB that one read takes at most

  [[nodiscard]] bool set(int bytes) const noexcept {
    return ::setsockopt(socket_, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes) == 0;
  }

  int socket_;
  bool is_tcp_;
  bool is_raised_{false};
};

}  // namespace sluice::wire
