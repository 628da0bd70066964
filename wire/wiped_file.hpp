#pragma once
// A small file that may hold passwords, read in one piece, so that nothing of it stays behind in buffers.

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::wire {

/// A file's bytes, overwritten when they are no longer needed.
class wiped_file {
 public:
  explicit wiped_file(const std::string& path) {
    constexpr std::size_t most = 1U << 20U;
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    open_ = true;
    struct stat about{};
    if (::fstat(file, &about) == 0 && about.st_size > 0)
      bytes_.resize(std::min(static_cast<std::size_t>(about.st_size), most));
    std::size_t filled = 0;
    for (ssize_t count = 1; count > 0 && filled < bytes_.size(); filled += static_cast<std::size_t>(count)) {
      count = ::read(file, bytes_.data() + filled, bytes_.size() - filled);
      if (count < 0) break;
    }
    bytes_.resize(filled);
    (void)::close(file);
  }
  ~wiped_file() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }
  wiped_file(const wiped_file&) = delete;
  wiped_file& operator=(const wiped_file&) = delete;

  [[nodiscard]] bool was_opened() const noexcept { return open_; }
  /// The next line without its end, or nothing after the last.
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
  std::vector<char> bytes_;
  std::size_t at_{0};
  bool open_{false};
};

}  // namespace sluice::wire
