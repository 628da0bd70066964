// The upper limit for any client: a bare loop over recv with 64 KiB reads, or over SSL_read if the connection uses TLS.
//
// --mode drain (default) does not look at the rows. It finds the end in the last six bytes read: 'Z', a length of 5, a
// status. No prefix of a result with one json column ends with these bytes: zero bytes occur only in headers, a
// document does not end in 'Z', and the low byte of a DataRow's length is followed by its column count, 00 01. The
// number of rows comes from the command tag. The document bytes are all bytes without the surrounding messages and
// without 11 bytes per row.
// --mode walk also steps from header to header, and counts rows and bytes.
//
// libpq makes the connection, so that every server and every login works; after that, only its socket is used.
#include <fcntl.h>
#include <libpq-fe.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include "counting.hpp"

namespace {

using sluice::bench::tally;

constexpr std::size_t header_size{5};
constexpr std::size_t row_overhead{header_size + 2 + 4};

std::size_t message_size(const char* header) {
  std::size_t length = 0;
  for (int i = 1; i < 5; ++i) length = length << 8U | static_cast<unsigned char>(header[i]);
  return 1 + length;
}

class socket_reader {
 public:
  socket_reader(int descriptor, SSL* tls) : descriptor_{descriptor}, tls_{tls} {}

  /// Reads once, to after the `used` bytes at the front of the buffer.
  std::size_t read(std::size_t used) {
    for (;;) {
      if (tls_ != nullptr) {
        const int got = SSL_read(tls_, buffer_.data() + used, static_cast<int>(buffer_.size() - used));
        if (got > 0) return static_cast<std::size_t>(got);
        throw std::runtime_error{"TLS has ended"};
      }
      const ssize_t got = ::recv(descriptor_, buffer_.data() + used, buffer_.size() - used, 0);
      if (got > 0) return static_cast<std::size_t>(got);
      if (got == 0) throw std::runtime_error{"the server has hung up"};
      if (errno != EINTR) throw std::system_error{errno, std::generic_category(), "recv"};
    }
  }
  [[nodiscard]] std::string_view bytes(std::size_t size) const { return {buffer_.data(), size}; }
  void keep(std::string_view tail) { std::memmove(buffer_.data(), tail.data(), tail.size()); }

 private:
  int descriptor_;
  SSL* tls_;  // null: not in TLS
  std::array<char, 65536> buffer_{};
};

/// The size of the messages before the first row: ParseComplete, BindComplete, RowDescription.
std::size_t size_before_rows(std::string_view bytes) {
  std::size_t at = 0;
  while (at + header_size <= bytes.size() && bytes[at] != 'D' && bytes[at] != 'C')
    at += message_size(bytes.data() + at);
  return at;
}

std::uint64_t rows_of_tag(std::string_view tail) {
  const std::size_t at = tail.rfind("SELECT ");
  if (at == tail.npos) throw std::runtime_error{"the query failed"};
  return std::stoull(std::string{tail.substr(at + 7)});
}

void drain(socket_reader& from, tally& counted) {
  constexpr std::size_t tail_size{64};  // CommandComplete and ReadyForQuery together are shorter
  std::uint64_t total = 0;
  std::size_t kept = 0;
  std::size_t before = 0;
  for (;;) {
    const std::size_t used = kept + from.read(kept);
    const std::string_view bytes = from.bytes(used);
    if (total == 0) {
      counted.first_row_now();
      before = size_before_rows(bytes);
    }
    total += used - kept;
    const std::string_view tail = bytes.substr(used - std::min(used, tail_size));
    if (used >= 6 && bytes.substr(used - 6, 5) == std::string_view{"Z\0\0\0\5", 5}) {
      const std::uint64_t rows = rows_of_tag(tail);
      const std::size_t after = header_size + sizeof "SELECT " + std::to_string(rows).size() + header_size + 1;
      return counted.totals(rows, total - before - after - rows * row_overhead);
    }
    kept = tail.size();
    from.keep(tail);
  }
}

void walk(socket_reader& from, tally& counted) {
  std::size_t kept = 0;
  std::size_t skip = 0;  // of a message that is larger than the buffer
  for (;;) {
    const std::size_t used = kept + from.read(kept);
    const std::string_view bytes = from.bytes(used);
    std::size_t at = std::min(skip, used);
    skip -= at;
    while (at + header_size <= used) {
      const std::size_t size = message_size(bytes.data() + at);
      switch (bytes[at]) {
        case 'D': counted.row(size - row_overhead); break;
        case 'E': throw std::runtime_error{"the query failed"};
        case 'Z': return;
        default: break;
      }
      at += size;
    }
    if (at > used) {
      skip = at - used;
      at = used;
    }
    from.keep(bytes.substr(at));
    kept = used - at;
  }
}

std::string query_flight(std::string_view sql) {
  using namespace std::string_literals;
  std::string bytes;
  const auto add = [&bytes](char type, std::string_view body) {
    const auto length = static_cast<std::uint32_t>(body.size() + 4);
    bytes += type;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(length >> shift & 0xffU);
    bytes += body;
  };
  std::string statement(1, '\0');
  statement.append(sql).append(3, '\0');
  add('P', statement);
  add('B', "\0\0\0\0\0\0\0\0"s);
  add('D', "P\0"s);
  add('E', "\0\0\0\0\0"s);
  add('S', {});
  return bytes;
}

void count(const sluice::bench::counting_options& options) {
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection{PQconnectdb(options.dsn.c_str()), PQfinish};
  if (PQstatus(connection.get()) != CONNECTION_OK) throw std::runtime_error{PQerrorMessage(connection.get())};
  auto* const tls = static_cast<SSL*>(PQsslStruct(connection.get(), "OpenSSL"));
  const int descriptor = PQsocket(connection.get());
  ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) & ~O_NONBLOCK);
  socket_reader from{descriptor, tls};

  const std::string flight = query_flight(options.query());
  tally counted;
  const ssize_t sent = tls != nullptr ? SSL_write(tls, flight.data(), static_cast<int>(flight.size()))
                                      : ::send(descriptor, flight.data(), flight.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(flight.size())) throw std::system_error{errno, std::generic_category(), "send"};
  if (options.mode == "walk") {
    walk(from, counted);
    counted.print("recv, walk");
  } else {
    drain(from, counted);
    counted.print(tls != nullptr ? "SSL_read" : "recv");
  }
}

}  // namespace

int main(int argc, char** argv) { return sluice::bench::counting_main(argc, argv, count); }
