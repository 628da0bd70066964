#pragma once
// A small file that may contain passwords, read in one piece so that nothing of it stays behind in buffers.

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::wire {

/// A file's contents, overwritten when no longer needed. Either all of the file or nothing.
class wiped_file {
 public:
  enum class state : std::uint8_t { missing, whole, too_long, unreadable };

  explicit wiped_file(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    try {
      is_ = read_all(file);
    } catch (...) {
      (void)::close(file);
      throw;
    }
    (void)::close(file);
  }
  ~wiped_file() { wipe(bytes_); }
  wiped_file(const wiped_file&) = delete;
  wiped_file& operator=(const wiped_file&) = delete;

  [[nodiscard]] bool was_opened() const noexcept { return is_ != state::missing; }
  /// Why the contents of the opened file are not available; empty if they are.
  [[nodiscard]] std::string_view problem() const noexcept {
    if (is_ == state::too_long) return "is longer than 1 MiB";
    if (is_ == state::unreadable) return "cannot be read to its end";
    return {};
  }
  /// The next line without its line ending, or nothing after the last.
  std::optional<std::string_view> line() {
    if (at_ == bytes_.size()) return std::nullopt;
    std::string_view rest{bytes_.data() + at_, bytes_.size() - at_};
    const std::size_t size = std::min(rest.find('\n'), rest.size());
    at_ = std::min(at_ + size + 1, bytes_.size());
    rest = rest.substr(0, size);
    while (rest.ends_with('\r')) rest.remove_suffix(1);
    return rest;
  }

 private:
  static void wipe(std::vector<char>& bytes) noexcept { OPENSSL_cleanse(bytes.data(), bytes.size()); }

  /// The size that the system reports may be wrong, as for a pipe.
  state read_all(int file) {
    constexpr std::size_t most = 1U << 20U;
    struct stat about{};
    const bool has_size = ::fstat(file, &about) == 0 && about.st_size > 0;
    std::vector<char> read(has_size ? std::min(static_cast<std::size_t>(about.st_size), most) + 1 : std::size_t{4096});
    std::size_t filled = 0;
    for (;;) {
      const ssize_t count = ::read(file, read.data() + filled, read.size() - filled);
      if (count < 0 && errno == EINTR) continue;
      if (count > 0) filled += static_cast<std::size_t>(count);
      if (count == 0) {
        read.resize(filled);
        bytes_.swap(read);
        return state::whole;
      }
      if (count < 0 || filled > most) {
        wipe(read);
        return count < 0 ? state::unreadable : state::too_long;
      }
      if (filled < read.size()) continue;
      std::vector<char> larger(std::min(read.size() * 2, most + 1));
      std::ranges::copy(read, larger.begin());
      wipe(read);
      read.swap(larger);
    }
  }

  std::vector<char> bytes_;
  std::size_t at_{0};
  state is_{state::missing};
};

}  // namespace sluice::wire
