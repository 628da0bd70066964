#pragma once
/// @file
/// A server that answers any query with canned rows at memory speed, so that the measurement shows the client.
///
/// It implements the part of the protocol that clients need to read results: TLS on request, start-up without a
/// password, simple and extended queries, COPY TO STDOUT (text and binary), cursors, CancelRequest. Each row has one
/// column `data` of type json. A relation named `replay_ROWS_BYTES` gives the number and the size of the rows: `select
/// data from replay_5000000_120`. The server shares no code with the library, so that a mistake in one cannot hide in
/// the other.
/// @see PostgreSQL documentation, chapter "Frontend/Backend Protocol"

#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "canned_rows.hpp"
#include "replay_session.hpp"

namespace sluice::bench {

/// Where to listen, and the default answer.
struct replay_options {
  std::uint16_t port{0};          ///< on 127.0.0.1; 0: a free one
  std::string socket_folder{};    ///< also listen on the Unix socket `.s.PGSQL.PORT` in this folder; empty: TCP only
  row_shape fallback{1000, 120};  ///< for queries that name no replay relation
};

/// Listens from construction to destruction, with one thread for each connection.
/// @par Errors  the constructor throws std::system_error when it cannot listen
class replay_server {
 public:
  explicit replay_server(replay_options options = {});
  ~replay_server();
  replay_server(const replay_server&) = delete;
  replay_server& operator=(const replay_server&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return options_.port; }

 private:
  struct served {
    template <class... Arguments>
    explicit served(Arguments&&... arguments) : session{std::forward<Arguments>(arguments)...} {}
    replay_session session;
    std::jthread thread{[this] { session.run(); }};
  };

  void accept_until_stopped();
  void serve(int descriptor);
  void cancel(std::uint32_t process, std::uint32_t key);

  replay_options options_;
  std::string socket_path_;
  int tcp_{-1};
  int unix_{-1};
  int wake_[2]{-1, -1};
  std::mutex mutex_;
  std::list<served> sessions_;
  std::uint32_t next_process_{1};
  std::jthread acceptor_;
};

}  // namespace sluice::bench
