#pragma once
// A KDC that does not answer, for the hosts in silent.test: see ci/with-kerberos.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>

#include "cluster.hpp"

namespace sluice::test {

/// Accepts connections, and says nothing.
class silent_kdc {
 public:
  silent_kdc() : descriptor_{::socket(AF_INET, SOCK_STREAM, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(cluster_value("SLUICE_TEST_SILENT_KDC_PORT"))));
    const int again = 1;
    ::setsockopt(descriptor_, SOL_SOCKET, SO_REUSEADDR, &again, sizeof again);
    if (::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(descriptor_, 16) != 0)
      throw std::system_error{errno, std::system_category(), "the port of the silent KDC"};
  }
  ~silent_kdc() { ::close(descriptor_); }
  silent_kdc(const silent_kdc&) = delete;
  silent_kdc& operator=(const silent_kdc&) = delete;

  /// Whether somebody has connected.
  [[nodiscard]] bool is_asked() const {
    pollfd watched{descriptor_, POLLIN, 0};
    return ::poll(&watched, 1, 0) > 0;
  }

 private:
  int descriptor_;
};

}  // namespace sluice::test
