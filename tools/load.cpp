#include "load.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <sluice/stream/copy.hpp>
#include <sluice/stream/json.hpp>

namespace sluice::tool {

namespace {

[[noreturn]] void fail_line(errc code, std::uint64_t number, const std::string& what) {
  throw error{code, "line " + std::to_string(number) + ' ' + what};
}

/// The lines of a descriptor, without their ends.
class line_reader {
 public:
  line_reader(int from, std::size_t longest) : from_{from}, longest_{longest} {}

  /// Valid until the next call; nothing at the end of input.
  [[nodiscard]] std::optional<std::string_view> next() {
    for (;;) {
      const std::string_view known = std::string_view{buffer_}.substr(at_, end_ - at_);
      const std::size_t end = known.find('\n', looked_at_);
      const std::size_t size = std::min(end, known.size());
      if (size > longest_)
        fail_line(errc::row_too_large, number_ + 1, "is longer than " + std::to_string(longest_) + " bytes");
      if (end != known.npos) {
        at_ += size + 1;
        return counted(known.substr(0, size));
      }
      looked_at_ = size;
      if (read_more()) continue;
      at_ = end_;
      if (known.empty()) return std::nullopt;
      return counted(std::string_view{buffer_}.substr(end_ - size, size));
    }
  }
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }

 private:
  std::string_view counted(std::string_view line) noexcept {
    constexpr std::string_view byte_order_mark{"\xef\xbb\xbf"};  // of a file, not of its first document
    if (++number_ == 1 && line.starts_with(byte_order_mark)) line.remove_prefix(byte_order_mark.size());
    looked_at_ = 0;
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }

  [[nodiscard]] bool read_more() {
    constexpr std::size_t piece = std::size_t{64} << 10U;
    buffer_.erase(0, std::exchange(at_, 0));
    end_ = looked_at_;
    buffer_.resize(end_ + piece);
    for (;;) {
      const ssize_t count = ::read(from_, buffer_.data() + end_, piece);
      if (count >= 0) {
        end_ += static_cast<std::size_t>(count);
        return count != 0;
      }
      if (errno != EINTR) throw std::system_error{errno, std::generic_category(), "the input cannot be read"};
      throw error{errc::cancelled, "interrupted"};
    }
  }

  int from_;
  std::size_t longest_;
  std::string buffer_{};
  std::size_t at_{0};         // where the next line begins
  std::size_t end_{0};        // of what was read
  std::size_t looked_at_{0};  // of the next line, without finding its end
  std::uint64_t number_{0};
};

}  // namespace

loaded load(client& db, int input, const load_options& given,
            const std::function<void(std::uint64_t line, const std::string& what)>& report,
            const std::function<void(const loaded&)>& note) {
  loaded done;
  line_reader lines{input, given.longest_line};
  json_validator checked;
  blocking_copy_writer to = db.copy_into(given.relation, {given.column}, given.how);
  const auto flaw_of = [&](std::string_view line) -> std::optional<std::string> {
    if (line.find_first_not_of(" \t") == line.npos) return "is empty";
    if (!given.validates && !given.skips_errors) return std::nullopt;
    return checked.flaw(line);
  };
  while (const std::optional<std::string_view> line = lines.next()) {
    if (const std::optional<std::string> flaw = flaw_of(*line)) {
      if (!given.skips_errors) fail_line(errc::bad_json, lines.number(), *flaw);
      ++done.skipped;
      report(lines.number(), *flaw);
      continue;
    }
    to.write(*line);
    ++done.rows;
    done.bytes += line->size();
    note(done);
  }
  done.rows = to.finish();
  return done;
}

}  // namespace sluice::tool
