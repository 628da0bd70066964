#pragma once
// The addresses of a host name. getaddrinfo blocks and cannot be interrupted, so it has a thread of its own. Asio's
// resolver is no alternative: the destructor of an io_context waits for its thread, so a blocking call would return
// only when the name server answers, however short its deadline.
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include "drive/dial.hpp"
#include "drive/own_thread.hpp"

namespace sluice::wire {

class name_lookup {
 public:
  /// Starts it.
  /// @par Errors  throws std::system_error if no thread can be started
  name_lookup(const asio::any_io_executor& on, const std::string& name, std::uint16_t port);

  /// Waits until it is done, or until `latest`; may return earlier.
  [[nodiscard]] asio::awaitable<void> done_or(std::chrono::steady_clock::time_point latest) {
    return thread_.done_or(latest);
  }
  [[nodiscard]] bool is_done() const { return thread_.is_done(); }
  /// Why there are no addresses, in the system's words; empty if there are some.
  /// @pre it is done
  [[nodiscard]] const std::string& failure() const noexcept { return found_->failure; }
  /// @pre it is done
  [[nodiscard]] const std::vector<endpoint>& endpoints() const noexcept { return found_->endpoints; }

 private:
  struct answer {
    std::string failure;
    std::vector<endpoint> endpoints;
  };
  static void look_up(const std::string& name, const std::string& port, answer& found);

  std::shared_ptr<answer> found_;  // the thread's until it is done
  own_thread thread_;
};

}  // namespace sluice::wire
