#include "output.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include "auth/utf8.hpp"

#include "terminal.hpp"

namespace sluice::tool {

namespace {

/// As messages call it.
std::string& output_name() {
  static std::string name{"standard output"};
  return name;
}

[[noreturn]] void fail() { throw std::system_error{errno, std::generic_category(), output_name()}; }

void wait_until_writable() {
  pollfd waiting{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  if (::poll(&waiting, 1, -1) >= 0) return;
  if (errno == EINTR) throw output_interrupted{};
  fail();
}

void write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (count >= 0)
      bytes.remove_prefix(static_cast<std::size_t>(count));
    else if (errno == EPIPE)
      throw reader_gone{};
    else if (errno == EINTR)
      throw output_interrupted{};
    else if (errno == EAGAIN || errno == EWOULDBLOCK)
      wait_until_writable();
    else
      fail();
  }
}

/// Writes one part at a time, so that memory stays bounded.
void show(std::string_view text) {
  constexpr std::size_t part = 64U << 10U;
  while (!text.empty()) {
    std::size_t size = std::min(part, text.size());
    for (int i = 0; i < 3 && size < text.size() && proto::is_continuation(text[size]); ++i) --size;
    write_all(printable_document(text.substr(0, size)));
    text.remove_prefix(size);
  }
}

}  // namespace

void redirect_output(const std::string& file) {
  output_name() = "'" + file + "'";
  constexpr mode_t for_all = 0666;
  const int to = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, for_all);
  if (to < 0) fail();
  if (::dup2(to, STDOUT_FILENO) < 0) fail();
  (void)::close(to);
}
void close_output() {
  if (::close(STDOUT_FILENO) != 0) fail();
}

void write_output(std::string_view text) { write_all(text); }
void write_bytes(std::span<const asio::const_buffer> bytes) {
  for (const asio::const_buffer& each : bytes) write_all({static_cast<const char*>(each.data()), each.size()});
}

output::output(document_format format)
    : writer_{std::in_place_type<document_writer>, format}, is_terminal_{::isatty(STDOUT_FILENO) == 1} {}
output::output(delimited format, std::string null)
    : writer_{std::in_place_type<delimited_writer>, format, std::move(null)},
      is_terminal_{::isatty(STDOUT_FILENO) == 1} {}

void output::write(const row& each) {
  std::visit([&](auto& writer) { writer.add(each); }, writer_);
}

void output::flush() {
  const auto write = [&](const asio::const_buffer& piece) {
    const std::string_view bytes{static_cast<const char*>(piece.data()), piece.size()};
    is_terminal_ ? show(bytes) : write_all(bytes);
  };
  if (auto* const documents = std::get_if<document_writer>(&writer_))
    std::ranges::for_each(documents->text(), write);
  else
    write(std::get<delimited_writer>(writer_).text());
}

void output::finish(std::span<const result_column> columns) {
  if (auto* const documents = std::get_if<document_writer>(&writer_))
    documents->finish();
  else
    std::get<delimited_writer>(writer_).finish(columns);
  flush();
}

}  // namespace sluice::tool
