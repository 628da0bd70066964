#pragma once
// What the hostile server does on one connection, as a chain of small steps:
//
//     script{}.lets_in().hears().says(rows(2)).resets()
#include <sys/socket.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "backend.hpp"
#include "listener.hpp"

namespace sluice::test {

class script {
 public:
  using step = std::function<void(server_end&)>;

  /// Reads the start-up packet and accepts the client without authentication.
  script& lets_in() {
    return then([](server_end& client) { client.let_in(); });
  }
  /// Waits until the client sends something.
  script& hears() {
    return then([](server_end& client) { (void)client.receive(); });
  }
  /// Waits until the client sends something, and sends what `how` returns for it.
  script& answers(std::function<std::string(const std::string&)> how) {
    return then([how = std::move(how)](server_end& client) { client.send(how(client.receive())); });
  }
  script& says(std::string bytes) {
    return then([bytes = std::move(bytes)](server_end& client) { client.send(bytes); });
  }
  script& says(const backend& messages) { return says(messages.bytes); }
  /// Sends the messages again and again until the client has closed the connection.
  script& repeats(const backend& messages) {
    return then([bytes = messages.bytes](server_end& client) {
      while (client.try_send(bytes)) {
      }
    });
  }
  /// Sends a byte at a time, with a pause after each, until all are sent or the client has closed the connection.
  script& drips(std::string bytes, std::chrono::milliseconds rest = std::chrono::milliseconds{5}) {
    return then([bytes = std::move(bytes), rest](server_end& client) {
      for (const char byte : bytes) {
        if (!client.try_send({&byte, 1})) return;
        std::this_thread::sleep_for(rest);
      }
    });
  }
  /// Sends nothing more, and waits until the client has closed the connection.
  script& falls_silent() {
    return then([](server_end& client) { client.receive_all(); });
  }
  /// Neither reads nor sends for this time.
  script& sleeps(std::chrono::milliseconds time) {
    return then([time](server_end&) { std::this_thread::sleep_for(time); });
  }
  /// Closes the connection (FIN). Reads what the client has sent first: unread bytes would turn the FIN into a reset.
  script& hangs_up() {
    return then([](server_end& client) {
      client.finish();
      client.receive_all();
    });
  }
  /// Resets the connection (RST).
  script& resets() {
    return then([](server_end& client) { client.reset(); });
  }

  [[nodiscard]] listener::conversation play() const {
    return [steps = steps_](server_end client) {
      for (const step& next : steps) next(client);
    };
  }

 private:
  script& then(step next) {
    steps_.push_back(std::move(next));
    return *this;
  }

  std::vector<step> steps_;
};

/// The beginning of every valid answer to a query: the replies to Parse, Bind and Describe.
inline backend answer() { return backend{}.parse_complete().bind_complete().row_description(); }
/// The same, followed by `count` rows of `{}`.
inline backend rows(int count) {
  backend all = answer();
  for (int i = 0; i < count; ++i) all.data_row("{}");
  return all;
}

}  // namespace sluice::test
