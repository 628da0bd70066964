#include "sql_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>

#include "values.hpp"

namespace sluice::tool {

namespace {

struct descriptor {
  int number;
  bool is_ours;

  explicit descriptor(const std::string& file)
      : number{file == "-" ? STDIN_FILENO : ::open(file.c_str(), O_RDONLY | O_CLOEXEC)}, is_ours{file != "-"} {}
  ~descriptor() {
    if (is_ours && number >= 0) (void)::close(number);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
};

}  // namespace

std::string read_sql(const std::string& file) {
  const auto fail = [&](const std::string& reason) {
    throw usage_error{"--file: " + (file == "-" ? "standard input" : "'" + file + "'") + ": " + reason};
  };
  const descriptor from{file};
  if (from.number < 0) fail(std::generic_category().message(errno));
  constexpr std::size_t most = std::size_t{1} << 30U;  // no message of the protocol can be longer
  constexpr std::size_t piece = std::size_t{64} << 10U;
  std::string sql;
  for (std::size_t size = 0;;) {
    sql.resize(size + piece);
    const ssize_t count = ::read(from.number, sql.data() + size, piece);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(std::generic_category().message(errno));
    sql.resize(size += static_cast<std::size_t>(count));
    if (count == 0) break;
    if (size > most) fail("longer than 1 GiB");
  }
  constexpr std::string_view byte_order_mark{"\xef\xbb\xbf"};
  if (sql.starts_with(byte_order_mark)) sql.erase(0, byte_order_mark.size());
  if (const std::size_t zero = sql.find('\0'); zero != sql.npos)
    fail("a zero byte at byte " + std::to_string(zero) + ": SQL is text");
  return sql;
}

}  // namespace sluice::tool
