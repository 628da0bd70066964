#pragma once
/// @file
/// A connection to a server, and what its queries share. Each part keeps its own invariants. Once the session is made,
/// others assign only the handlers, the pool's notes and the `memory` of those who read.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sluice/proto/frame.hpp>
#include <sluice/wire/conninfo.hpp>
#include <sluice/wire/events.hpp>
#include "engine/connection_engine.hpp"
#include "engine/departures.hpp"
#include "transport/gss_target.hpp"
#include "transport/link.hpp"

namespace sluice::wire {

class tls_context;

/// Which server it is, and how it was reached.
struct server_facts {
  std::string database{};
  conninfo::host host{};                          ///< the host that the name in the connection string resolved to
  std::shared_ptr<const tls_context> security{};  ///< null: no TLS. CancelRequest needs the same
  std::optional<gss_target> gss{};                ///< nothing: no GSSAPI encryption. CancelRequest needs the same
  std::optional<std::uint32_t> peer{};            ///< the server's user, on a Unix socket; CancelRequest needs the same
  clock::duration round_trip{};                   ///< takes no longer than this, as the login has shown
  std::uint32_t backend_pid{};                    ///< 0 if the server sent no key: then it cannot be cancelled
  std::vector<std::byte> cancel_key{};
  std::map<std::string, std::string, std::less<>> parameters{};  ///< from ParameterStatus; bounded

  /// The value of a parameter; empty if the server has never reported it.
  [[nodiscard]] std::string_view parameter(std::string_view name) const {
    const auto found = parameters.find(name);
    return found == parameters.end() ? std::string_view{} : std::string_view{found->second};
  }
};

/// What a pool notes about a connection.
struct loan {
  clock::time_point expires{clock::time_point::max()};  ///< it is no longer lent after this
  clock::time_point idle_since{};
  clock::time_point lent_since{};
  bool was_lent{false};
};

/// What those who read a connection's queries remember about its database.
struct reader_memory {
  virtual ~reader_memory() = default;
};

class session {
 public:
  session(socket connected, const proto::limits& limits, std::size_t buffer_bytes, std::size_t first_bytes)
      : io{std::move(connected), limits, buffer_bytes, first_bytes},
        engine{io.out, io.limits},
        leaving{io.get_executor()} {}
  session(socket connected, const proto::limits& limits, std::size_t buffer_bytes)
      : session{std::move(connected), limits, buffer_bytes, buffer_bytes} {}

  link io;
  connection_engine engine;
  departures leaving;
  server_facts server{};
  loan lent{};
  std::unique_ptr<reader_memory> memory{};

  clock::duration patience{};  ///< how long leaving a query may take
  observer* watch{};
  double warn_at{1.0};  ///< share of a limit from which it is warned
  notice_handler on_notice{};
  notification_handler on_notification{};

  enum class state : std::uint8_t {
    idle,     ///< ReadyForQuery was received, nothing was sent since
    busy,     ///< a query, or the login, is under way
    leaving,  ///< an abandoned query is being brought to its end
    broken,   ///< permanently
  };
  [[nodiscard]] state is() const noexcept {
    if (phase_ == phase::broken) return state::broken;
    if (leaving.are_any()) return state::leaving;
    return phase_ == phase::ready && engine.queue.empty() ? state::idle : state::busy;
  }
  [[nodiscard]] bool is_broken() const noexcept { return phase_ == phase::broken; }
  /// Whether it is idle, no paged query is between two pages, and no transaction or batch is using it.
  [[nodiscard]] bool is_unused() const noexcept {
    return is() == state::idle && !engine.scope.has_portals() && engine.blocks.empty() && uses_ == 0;
  }
  /// Something is going to send more queries, and the session is nobody else's until this is gone.
  class use {
   public:
    explicit use(std::shared_ptr<session> of) noexcept : of_{std::move(of)} { ++of_->uses_; }
    ~use() {
      --of_->uses_;
      of_->leaving.tell();  // a pool may be waiting for it
    }
    use(const use&) = delete;
    use& operator=(const use&) = delete;

   private:
    std::shared_ptr<session> of_;
  };
  /// The first ReadyForQuery has arrived.
  void logged_in() noexcept { phase_ = phase::ready; }

  /// Such as "TLSv1.3"; empty if the session does not use TLS.
  [[nodiscard]] std::string_view tls_version() const noexcept;
  /// Handles a NoticeResponse, ParameterStatus or NotificationResponse, which may arrive at any time.
  /// @par Errors  throws error: protocol_violation when it is malformed, or client_encoding stops being UTF8
  void aside(const proto::frame& message);
  /// Processes what one read of an idle session brings: messages that may arrive at any time. Does not wait.
  /// @return `end` if the server has ended the session, or sent a message that is not allowed then
  /// @par Errors  throws error: as `aside`, and for protocol violations
  [[nodiscard]] link::moved hear();
  /// Checks, without waiting, whether the server has ended an idle session, and processes the messages that arrived
  /// meanwhile. A partially received message stays for the next read. The check is bounded: a session on which the
  /// server keeps sending without end does not count as alive.
  [[nodiscard]] bool is_alive() noexcept;
  /// Drops the connection permanently.
  void discard() noexcept;
  /// Ends the session politely if it is idle (Terminate), and closes it. Does not wait.
  void close() noexcept;

 private:
  [[nodiscard]] std::size_t take_asides();

  enum class phase : std::uint8_t { logging_in, ready, broken };
  phase phase_{phase::logging_in};
  std::uint32_t uses_{0};
};

/// The fields of an ErrorResponse or NoticeResponse, owned.
/// @par Errors  throws error: protocol_violation
[[nodiscard]] server_message read_server_message(const link& from, const proto::frame& message);

}  // namespace sluice::wire
