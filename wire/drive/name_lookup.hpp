#pragma once
// The addresses of a host name. getaddrinfo blocks and cannot be interrupted, so it runs in a thread of its own, which
// is abandoned when nobody waits for it any more. Asio's resolver is no alternative: the destructor of an io_context
// waits for its thread, so a blocking call would return only when the name server answers, however short its deadline.
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include "drive/dial.hpp"

namespace sluice::wire {

class name_lookup {
 public:
  /// Starts it.
  /// @par Errors  throws std::system_error if no thread can be started
  name_lookup(const asio::any_io_executor& on, const std::string& name, std::uint16_t port);
  ~name_lookup();
  name_lookup(const name_lookup&) = delete;
  name_lookup& operator=(const name_lookup&) = delete;

  /// Waits until it is done, or until `latest`; may return earlier.
  [[nodiscard]] asio::awaitable<void> done_or(std::chrono::steady_clock::time_point latest);
  [[nodiscard]] bool is_done() const;
  /// Why there are no addresses, in the system's words; empty if there are some.
  /// @pre it is done
  [[nodiscard]] std::string failure() const;
  /// @pre it is done
  [[nodiscard]] std::vector<endpoint> endpoints() const;

 private:
  class state;

  std::shared_ptr<state> state_;  // shared with the thread
};

}  // namespace sluice::wire
