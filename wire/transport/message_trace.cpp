#include "transport/message_trace.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include <sluice/proto/byte_order.hpp>
#include <sluice/proto/frame.hpp>
#include "messages/body_reader.hpp"
#include "messages/error_fields.hpp"
#include "messages/frontend.hpp"
#include "transport/printable.hpp"

namespace sluice::wire {

namespace {

constexpr std::size_t most_shown = 512;  // of a message's body

std::string_view frontend_name(char type) noexcept {
  switch (type) {
    case 'P': return "Parse";
    case 'B': return "Bind";
    case 'D': return "Describe";
    case 'E': return "Execute";
    case 'C': return "Close";
    case 'S': return "Sync";
    case 'H': return "Flush";
    case 'Q': return "Query";
    case 'X': return "Terminate";
    case 'f': return "CopyFail";
    case 'p': return "Authentication answer, left out";
    default: return "Unknown";
  }
}

std::string_view backend_name(char type) noexcept {
  switch (type) {
    case 'R': return "Authentication";
    case 'K': return "BackendKeyData";
    case 'v': return "NegotiateProtocolVersion";
    case 'S': return "ParameterStatus";
    case 'Z': return "ReadyForQuery";
    case '1': return "ParseComplete";
    case '2': return "BindComplete";
    case '3': return "CloseComplete";
    case 't': return "ParameterDescription";
    case 'T': return "RowDescription";
    case 'n': return "NoData";
    case 'D': return "DataRow";
    case 's': return "PortalSuspended";
    case 'C': return "CommandComplete";
    case 'I': return "EmptyQueryResponse";
    case 'E': return "ErrorResponse";
    case 'N': return "NoticeResponse";
    case 'A': return "NotificationResponse";
    case 'G': return "CopyInResponse";
    case 'H': return "CopyOutResponse";
    case 'W': return "CopyBothResponse";
    case 'd': return "CopyData";
    case 'c': return "CopyDone";
    default: return "Unknown";
  }
}

/// Appends it on one line, whatever the text contains.
void quote(std::string& line, std::string_view text, char before = ' ') {
  line.append(1, before).append(1, '"').append(printable(text, "\"\\")).append(1, '"');
}

/// A word or a letter that the peer should have composed of plain characters only.
void add(std::string& line, std::string_view word) { line.append(1, ' ').append(printable(word, " \"\\")); }
void add(std::string& line, std::uint8_t letter) {
  const char text = static_cast<char>(letter);
  add(line, {&text, 1});
}

std::string begin_line(char side, std::size_t size, std::string_view name) {
  return std::string(1, side) + ' ' + std::to_string(size) + ' ' + std::string{name};
}

/// A text that may extend beyond the part of the message that was kept.
std::string_view first_text(proto::body_reader& in) {
  const std::span<const std::byte> all = in.rest();
  const auto* const chars = reinterpret_cast<const char*>(all.data());
  return std::string_view{chars, all.size()}.substr(0, std::string_view{chars, all.size()}.find('\0'));
}

}  // namespace

void message_trace::sent(std::span<const std::byte> bytes) noexcept {
  try {
    while (!bytes.empty()) {
      const std::size_t header = is_starting_ ? proto::length_size : proto::header_size;
      bytes = cut(frontend_, bytes, header, [this](std::span<const std::byte> head, std::size_t size) {
        if (is_starting_)
          tell_start(head, size);
        else
          tell_frontend(head, size);
      });
    }
  } catch (...) {  // out of memory: the message is not reported
    frontend_.head.clear();
  }
}

void message_trace::received(std::span<const std::byte> bytes) noexcept {
  try {
    if (!awaited_.empty() && !bytes.empty()) {
      std::string line = begin_line('B', 1, std::exchange(awaited_, {}));
      add(line, std::to_integer<std::uint8_t>(bytes.front()));
      watch_.on_trace(line);
      bytes = bytes.subspan(1);
    }
    while (!bytes.empty())
      bytes = cut(backend_, bytes, proto::header_size,
                  [this](std::span<const std::byte> head, std::size_t size) { tell_backend(head, size); });
  } catch (...) {
    backend_.head.clear();
  }
}

/// Consumes up to the end of one message. Reports it when it exceeds the length that is shown, or ends.
template <class Tell>
std::span<const std::byte> message_trace::cut(direction& way, std::span<const std::byte> bytes, std::size_t header,
                                              const Tell& tell) {
  if (way.to_pass != 0) {
    const std::size_t now = std::min(way.to_pass, bytes.size());
    way.to_pass -= now;
    return bytes.subspan(now);
  }
  const auto take = [&](std::size_t up_to) {
    const std::size_t now = std::min(up_to - way.head.size(), bytes.size());
    way.head.insert(way.head.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(now));
    bytes = bytes.subspan(now);
    return way.head.size() == up_to;
  };
  if (way.head.size() < header && !take(header)) return bytes;
  const auto length = proto::load_big<std::uint32_t>(way.head.data() + header - proto::length_size);
  const std::size_t size = header - proto::length_size + std::max(length, proto::length_size);
  const bool is_secret = header == proto::header_size && way.head.front() == std::byte{'p'};
  const std::size_t shown = std::min(size, header + (is_secret ? 0 : most_shown));
  if (!take(shown)) return bytes;
  way.to_pass = size - shown;
  const std::vector<std::byte> head = std::move(way.head);
  way.head.clear();
  tell(head, size);
  return bytes;
}

void message_trace::tell_start(std::span<const std::byte> head, std::size_t size) {
  proto::body_reader in{head.subspan(proto::length_size)};
  const std::uint32_t code = in.u32();
  if (code == proto::ssl_request::code) {
    awaited_ = "SSLResponse";
    watch_.on_trace(begin_line('F', size, "SSLRequest"));
    return;
  }
  if (code == proto::gss_request::code) {
    awaited_ = "GSSENCResponse";
    watch_.on_trace(begin_line('F', size, "GSSENCRequest"));
    return;
  }
  if (code == proto::cancel_request::code) {
    watch_.on_trace(begin_line('F', size, "CancelRequest"));
    return;
  }
  is_starting_ = false;
  std::string line = begin_line('F', size, "StartupMessage ");
  line += std::to_string(code >> 16U) + '.' + std::to_string(code & 0xffffU);
  while (in.remaining() > 1) {
    const std::string_view name = in.text();
    const std::string_view value = in.text();
    quote(line, name);
    if (name == "user" || name == "database" || name == "application_name") quote(line, value, '=');
  }
  watch_.on_trace(line);
}

void message_trace::tell_frontend(std::span<const std::byte> head, std::size_t size) {
  const char type = std::to_integer<char>(head.front());
  std::string line = begin_line('F', size, frontend_name(type));
  proto::body_reader in{head.subspan(proto::header_size)};
  switch (type) {
    case 'P':
      quote(line, in.text());
      quote(line, first_text(in));
      break;
    case 'B':
      quote(line, in.text());  // the portal
      quote(line, in.text());  // the statement; the values that follow are not shown
      break;
    case 'D':
    case 'C':
      add(line, in.u8());
      quote(line, in.text());
      break;
    case 'E':
      quote(line, in.text());
      line.append(1, ' ').append(std::to_string(in.u32()));
      break;
    case 'Q':
    case 'f': quote(line, first_text(in)); break;
    default: break;
  }
  watch_.on_trace(line);
}

void message_trace::tell_backend(std::span<const std::byte> head, std::size_t size) {
  const char type = std::to_integer<char>(head.front());
  std::string line = begin_line('B', size, backend_name(type));
  const std::span<const std::byte> body = head.subspan(proto::header_size);
  proto::body_reader in{body};
  switch (type) {
    case 'R':
    case 'K': line.append(1, ' ').append(std::to_string(in.u32())); break;  // the method; the pid without its key
    case 'T':
    case 'D':
    case 't': line.append(1, ' ').append(std::to_string(in.u16())); break;  // the number of columns
    case 'S':
      quote(line, in.text());
      quote(line, in.text());
      break;
    case 'C': quote(line, in.text()); break;
    case 'Z': add(line, in.u8()); break;
    case 'A':
      line.append(1, ' ').append(std::to_string(in.u32()));
      quote(line, in.text());
      break;
    case 'E':
    case 'N':
      if (const auto fields = proto::decode_error_fields(body)) {
        add(line, fields->severity);
        add(line, fields->sqlstate);
        quote(line, fields->message);
      }
      break;
    default: break;
  }
  watch_.on_trace(line);
}

}  // namespace sluice::wire
