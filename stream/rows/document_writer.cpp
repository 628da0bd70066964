#include <sluice/stream/document_writer.hpp>

#include <poll.h>
#include <simdjson.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <ios>
#include <memory>
#include <ostream>
#include <system_error>

#include <sluice/wire/error.hpp>

namespace sluice {

namespace {

// Below this size a copy is cheaper than a separate iovec: see benches/micro/writing.cpp.
constexpr std::size_t large_document = 2U << 10U;
// Memory beyond this is released: one huge document should not be held forever.
constexpr std::size_t kept_memory = 1U << 20U;

using sixteen_bytes [[gnu::vector_size(16)]] = unsigned char;

sixteen_bytes load(const void* at) noexcept {
  sixteen_bytes loaded;
  std::memcpy(&loaded, at, sizeof loaded);
  return loaded;
}
sixteen_bytes load_aligned(const char* at) noexcept { return load(std::assume_aligned<sizeof(sixteen_bytes)>(at)); }
sixteen_bytes least(sixteen_bytes a, sixteen_bytes b) noexcept { return a < b ? a : b; }

/// Whether one of at least sixteen characters is at most `most`: without branches, because hardly any document has one.
bool has_at_most(std::string_view text, unsigned char most) noexcept {
  constexpr std::size_t step = sizeof(sixteen_bytes);
  constexpr std::size_t steps = 16 * step;
  const char* const end = text.data() + text.size();
  sixteen_bytes lowest = least(load(text.data()), load(end - step));
  const char* at = text.data() + (step - reinterpret_cast<std::uintptr_t>(text.data()) % step);
  const auto size = static_cast<std::size_t>(end - at);
  for (std::size_t left = size / steps; left != 0; --left, at += steps)
    for (std::size_t i = 0; i < steps; i += step) lowest = least(lowest, load_aligned(at + i));
  for (std::size_t left = size % steps / step; left != 0; --left, at += step) lowest = least(lowest, load_aligned(at));
  const auto is_low = lowest <= most;
  std::array<std::uint64_t, 2> lanes{};
  std::memcpy(lanes.data(), &is_low, sizeof is_low);
  return (lanes[0] | lanes[1]) != 0;
}

/// Line feed and carriage return are the line breaks that JSON treats as white space.
bool has_line_break(std::string_view text) noexcept {
  if (text.size() >= sizeof(sixteen_bytes) && !has_at_most(text, '\r')) return false;
  return text.find_first_of("\n\r") != text.npos;
}

template <class Write>
std::uint64_t pump(row_range& rows, document_format format, Write&& write) {
  document_writer writer{format};
  for (;;) {
    const chunk batch = rows.next();
    try {
      batch ? writer.add(batch) : writer.finish();
    } catch (const error&) {
      write(writer.text());
      throw;
    }
    write(writer.text());
    if (!batch) return writer.rows();
  }
}

/// Removes written bytes from the front.
std::span<iovec> drop(std::span<iovec> pieces, std::size_t written) noexcept {
  while (!pieces.empty() && written >= pieces.front().iov_len) {
    written -= pieces.front().iov_len;
    pieces = pieces.subspan(1);
  }
  if (!pieces.empty()) {
    pieces.front().iov_base = static_cast<char*>(pieces.front().iov_base) + written;
    pieces.front().iov_len -= written;
  }
  return pieces;
}

void wait_until_writable(int descriptor) {
  pollfd waiting{.fd = descriptor, .events = POLLOUT, .revents = 0};
  if (::poll(&waiting, 1, -1) < 0 && errno != EINTR)
    throw std::system_error{errno, std::generic_category(), "waiting to write"};
}

void write_pieces(int descriptor, std::span<iovec> pieces) {
  while (!pieces.empty()) {
    const ssize_t written = ::writev(descriptor, pieces.data(), static_cast<int>(pieces.size()));
    if (written >= 0)
      pieces = drop(pieces, static_cast<std::size_t>(written));
    else if (errno == EAGAIN || errno == EWOULDBLOCK)
      wait_until_writable(descriptor);
    else if (errno != EINTR)
      throw std::system_error{errno, std::generic_category(), "writing documents"};
  }
}

}  // namespace

document_writer::document_writer(document_format format) : format_{format} {}

void document_writer::add(row document) {
  begin();
  const bool is_null = document.is_null();
  const std::string_view text = is_null && format_ != document_format::raw ? "null" : document.text();
  ++rows_;
  if (format_ == document_format::array) gather(rows_ == 1 ? "[" : ",\n");
  if (format_ == document_format::ndjson && has_line_break(text)) {
    gather_minified(text);
  } else if (text.size() >= large_document) {
    pieces_.push_back({text.data(), text.size()});
  } else {
    gather(text);
  }
  if (format_ != document_format::array) gather("\n");
}

void document_writer::finish() {
  begin();
  if (format_ == document_format::array) gather(rows_ == 0 ? "[]\n" : "]\n");
}

/// The text handed out before has been written.
void document_writer::begin() {
  if (!taken_) return;
  taken_ = false;
  pieces_.clear();
  gathered_.clear();
  if (gathered_.capacity() > kept_memory) gathered_.shrink_to_fit();
}

void document_writer::gather(std::string_view bytes) {
  gathered_.append(bytes);
  note_gathered(bytes.size());
}

void document_writer::note_gathered(std::size_t size) {
  if (!pieces_.empty() && pieces_.back().at == nullptr)
    pieces_.back().size += size;
  else
    pieces_.push_back({nullptr, size});
}

/// Type json preserves its text, including line breaks, but each row must be one line.
void document_writer::gather_minified(std::string_view document) {
  const std::size_t before = gathered_.size();
  gathered_.resize(before + document.size() + simdjson::SIMDJSON_PADDING);
  std::size_t size = 0;
  const auto refused = simdjson::minify(document.data(), document.size(), gathered_.data() + before, size);
  const bool is_good = refused == simdjson::SUCCESS && !has_line_break({gathered_.data() + before, size});
  gathered_.resize(is_good ? before + size : before);
  if (!is_good) {
    const char* const why =
        refused == simdjson::SUCCESS ? "a line break in a string" : simdjson::error_message(refused);
    throw error{errc::bad_json, "row " + std::to_string(rows_) + " is not JSON: " + why};
  }
  note_gathered(size);
}

std::span<const asio::const_buffer> document_writer::text() {
  buffers_.clear();
  if (!taken_) {
    const char* at = gathered_.data();
    for (const piece& each : pieces_) {
      buffers_.emplace_back(each.at == nullptr ? at : each.at, each.size);
      if (each.at == nullptr) at += each.size;
    }
  }
  taken_ = true;
  return buffers_;
}

void write_all(int descriptor, std::span<const asio::const_buffer> text) {
  constexpr std::size_t most_pieces = 512;  // IOV_MAX is 1024 on Linux, and at least 16 everywhere
  std::array<iovec, most_pieces> pieces{};
  while (!text.empty()) {
    const std::size_t count = std::min(text.size(), most_pieces);
    std::ranges::transform(text.first(count), pieces.begin(), [](const asio::const_buffer& each) {
      return iovec{.iov_base = const_cast<void*>(each.data()), .iov_len = each.size()};  // writev does not modify it
    });
    write_pieces(descriptor, std::span{pieces}.first(count));
    text = text.subspan(count);
  }
}

void write_all(std::ostream& to, std::span<const asio::const_buffer> text) {
  for (const asio::const_buffer& each : text)
    if (!to.write(static_cast<const char*>(each.data()), static_cast<std::streamsize>(each.size())))
      throw std::system_error{std::make_error_code(std::io_errc::stream), "writing documents"};
}

std::uint64_t write_documents(row_range& rows, int descriptor, document_format format) {
  return pump(rows, format, [&](auto text) { write_all(descriptor, text); });
}

std::uint64_t write_documents(row_range& rows, std::ostream& to, document_format format) {
  return pump(rows, format, [&](auto text) { write_all(to, text); });
}

}  // namespace sluice
