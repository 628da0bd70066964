#include "output.hpp"

#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>

namespace sluice::tool {

void output::flush() {
  for (const asio::const_buffer& piece : writer_.text()) {
    std::string_view bytes{static_cast<const char*>(piece.data()), piece.size()};
    while (!bytes.empty()) {
      const ssize_t count = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
      if (count >= 0)
        bytes.remove_prefix(static_cast<std::size_t>(count));
      else if (errno == EPIPE)
        throw reader_gone{};
      else if (errno == EINTR)
        throw output_interrupted{};
      else
        throw std::system_error{errno, std::generic_category(), "standard output"};
    }
  }
}

void output::finish() {
  writer_.finish();
  flush();
}

}  // namespace sluice::tool
