#pragma once
// What the hostile server does on one connection: small steps in their order, spelled as they happen.
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

  /// Takes the start-up packet and lets the client in without asking.
  script& lets_in() {
    return then([](server_end& client) { client.let_in(); });
  }
  /// Waits for the client to say something.
  script& hears() {
    return then([](server_end& client) { (void)client.receive(); });
  }
  /// Waits for the client to say something, and says what `how` makes of it.
  script& answers(std::function<std::string(const std::string&)> how) {
    return then([how = std::move(how)](server_end& client) { client.send(how(client.receive())); });
  }
  script& says(std::string bytes) {
    return then([bytes = std::move(bytes)](server_end& client) { client.send(bytes); });
  }
  script& says(const backend& messages) { return says(messages.bytes); }
  /// Again and again until the client has left.
  script& repeats(const backend& messages) {
    return then([bytes = messages.bytes](server_end& client) {
      while (client.try_send(bytes)) {
      }
    });
  }
  /// A byte at a time, with a rest after each, until the client has left or there are no more.
  script& drips(std::string bytes, std::chrono::milliseconds rest = std::chrono::milliseconds{5}) {
    return then([bytes = std::move(bytes), rest](server_end& client) {
      for (const char byte : bytes) {
        if (!client.try_send({&byte, 1})) return;
        std::this_thread::sleep_for(rest);
      }
    });
  }
  /// Says nothing more, until the client has left.
  script& falls_silent() {
    return then([](server_end& client) { client.receive_all(); });
  }
  /// Reads nothing and says nothing for so long.
  script& sleeps(std::chrono::milliseconds time) {
    return then([time](server_end&) { std::this_thread::sleep_for(time); });
  }
  /// Closes the connection (FIN), after what the client has said is read; what it did not read would make it a reset.
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

/// The beginning of every good answer to a query: Parse, Bind and Describe have gone well.
inline backend answer() { return backend{}.parse_complete().bind_complete().row_description(); }
/// The same, and so many rows of `{}`.
inline backend rows(int count) {
  backend all = answer();
  for (int i = 0; i < count; ++i) all.data_row("{}");
  return all;
}

}  // namespace sluice::test
