#pragma once
// A session over a real socket pair: the test writes what the server sends, at its own pace.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <memory>
#include <sluice/stream/chunk.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>
#include "engine/query_reader.hpp"

namespace sluice::test {

using wire::query_reader;
using wire::session;

/// A session on one end of a socket pair; the test holds the other.
class session_pair {
 public:
  explicit session_pair(proto::limits limits = {}, std::size_t buffer_bytes = 64) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0) throw std::runtime_error("socketpair");
    server_ = ends[1];
    wire::socket client{context_};
    client.assign(asio::local::stream_protocol{}, ends[0]);
    session_ = std::make_unique<session>(std::move(client), limits, buffer_bytes);
    session_->logged_in();
    session_->io.where.place = "database \"app\" at the test";
  }
  ~session_pair() { hang_up(); }
  session_pair(const session_pair&) = delete;
  session_pair& operator=(const session_pair&) = delete;

  void say(std::string_view bytes) const {
    if (::send(server_, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size()))
      throw std::runtime_error("the test's bytes do not fit into the socket");
  }
  void hang_up() {
    if (server_ >= 0) ::close(std::exchange(server_, -1));
  }
  [[nodiscard]] std::string heard() const {
    std::string bytes(1U << 16U, '\0');
    const ssize_t count = ::recv(server_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
  }
  session& operator*() const { return *session_; }
  session* operator->() const { return session_.get(); }

 private:
  asio::io_context context_{1};
  int server_{-1};
  std::unique_ptr<session> session_;
};

/// Takes the rows that have arrived, as long as more arrive.
/// @return whether the query is over
inline bool take(query_reader& query, std::vector<std::string>& to) {
  for (;;) {
    switch (query.advance()) {
      case query_reader::state::over: return true;
      case query_reader::state::rows:
        for (const row row : chunk{query.rows()}) to.push_back(row.is_null() ? "NULL" : std::string{row.text()});
        break;
      case query_reader::state::hungry: {
        using moved = wire::link::moved;
        const moved result = query.on().io.transfer(query.wanted());
        if (result == moved::end) query.on_end();
        if (result == moved::nothing) return false;
      }
    }
  }
}

}  // namespace sluice::test
