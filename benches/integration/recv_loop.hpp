#pragma once
// The server's share of the time: reads an answer from the socket and discards it.
#include <time.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "bare_session.hpp"

namespace sluice::bench {

/// Looks only at the last bytes of an answer. It sleeps briefly between reads, because waking up for each of the
/// server's writes costs both sides more than the bytes do.
class recv_loop {
 public:
  /// @return the number of bytes received
  std::size_t ask(const std::string& sql) {
    on_.write(bare_session::message("Q", sql + '\0'));
    return read_answer();
  }
  /// The same, with all columns in the binary format.
  std::size_t ask_in_binary(const std::string& sql) {
    using namespace std::string_literals;
    on_.write(bare_session::message("P", "\0"s + sql + "\0\0\0"s) +
              bare_session::message("B", "\0\0\0\0\0\0\0\1\0\1"s) + bare_session::message("E", "\0\0\0\0\0"s) +
              bare_session::message("S", {}));
    return read_answer();
  }

 private:
  std::size_t read_answer() {
    for (std::size_t bytes = 0;;) {
      const timespec moment{.tv_sec = 0, .tv_nsec = 30'000};
      (void)::nanosleep(&moment, nullptr);
      const std::string_view some = on_.read();
      bytes += some.size();
      if (bare_session::is_ready(some)) return bytes;
    }
  }

  bare_session on_;
};

}  // namespace sluice::bench
