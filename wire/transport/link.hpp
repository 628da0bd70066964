#pragma once
/// @file
/// One byte stream to a server, plain, in TLS or encrypted by GSSAPI, with its buffers, its deadline, and two ways to
/// wait.
///
/// `transfer` moves bytes both ways and never waits. If it moved nothing, `ready` (in a coroutine) or `wait` (in a
/// thread) returns as soon as it can. Every failure is thrown as `sluice::error` with the server's name, the phase and
/// the rows so far, so the layers above need not add anything.
/// @par Thread safety  none: one coroutine or thread at a time; `interrupter::interrupt` may be called from any

#include <chrono>
#include <cstddef>
#include <ctime>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/cancellation_state.hpp>
#include <asio/generic/stream_protocol.hpp>

#include <sluice/proto/limits.hpp>
#include <sluice/wire/asio_errors.hpp>
#include <sluice/wire/error.hpp>
#include <sluice/wire/observer.hpp>
#include "messages/frontend.hpp"
#include "transport/deadline.hpp"
#include "transport/low_water.hpp"
#include "transport/receive_buffer.hpp"
#include "transport/server_moment.hpp"

namespace sluice::wire {

using socket = asio::generic::stream_protocol::socket;  // TCP and Unix sockets can both be moved into it

class message_trace;
class secured_stream;
class tls_stream;

/// Ends a blocking wait from another thread or a signal handler.
class interrupter {
 public:
  interrupter();
  ~interrupter();
  interrupter(const interrupter&) = delete;
  interrupter& operator=(const interrupter&) = delete;

  /// Async-signal-safe; takes effect during the current wait or the next one.
  void interrupt() noexcept;
  /// Whether an interrupt has arrived; resets it.
  bool take() noexcept;
  [[nodiscard]] int descriptor() const noexcept { return read_end_; }

 private:
  int read_end_{-1};
  int write_end_{-1};
};

class link {
 public:
  /// What error messages say about where and when.
  struct context {
    std::string place;                        ///< database "app" at localhost:5432
    std::string_view doing{"connecting to"};  ///< a literal
    std::uint64_t rows{};                     ///< delivered so far by the current query

    /// `what` followed by all of this, as every message ends.
    [[nodiscard]] std::string after(std::string_view what) const;
  };

  /// @param first_bytes  the initial size of the buffer; see `receive_buffer`
  link(socket connected, const proto::limits& bounds, std::size_t buffer_bytes, std::size_t first_bytes);
  link(socket connected, const proto::limits& bounds, std::size_t buffer_bytes)
      : link{std::move(connected), bounds, buffer_bytes, buffer_bytes} {}
  ~link();
  link(const link&) = delete;
  link& operator=(const link&) = delete;

  proto::output out;  ///< data to be sent; `transfer` takes from it
  receive_buffer in;
  proto::limits limits;
  context where;
  std::string last_words;  ///< the server's warning that it is about to end the connection, for the error that follows

  enum class moved : std::uint8_t {
    something,
    nothing,
    end,  ///< the server has closed its side, or the connection is broken: nothing more will arrive
  };
  /// Sends what it can of `out`, and reads what it can into `in`. Invalidates all views into `in`.
  ///
  /// Of an error or a notice longer than `limits.message`, only the first half of that many bytes is kept. The rest is
  /// dropped as it arrives, and a note about it replaces the end.
  /// @param wanted  size of the message that is arriving
  [[nodiscard]] moved transfer(std::size_t wanted);

  /// Sends what can be sent without waiting; a failure shows at the next `transfer`.
  void flush() noexcept;
  /// Whether something is waiting to be sent.
  [[nodiscard]] bool wants_to_send() const noexcept;

  /// Whether the last read has taken all that there was, on a Unix socket: then another one at once would bring
  /// nothing. Over TCP it may save a wait that lasts until more has arrived, and what TLS holds no wait would show.
  [[nodiscard]] bool is_drained() const noexcept {
    return is_drained_ && !wants_to_send() && !is_secured() && !low_water_.is_possible();
  }

  /// Whether a coroutine should let others run before it continues, although it need not wait.
  [[nodiscard]] bool turn_is_over() const noexcept { return turns_ >= longest_turn; }

  /// One wait of a coroutine; several coroutines may wait at a time.
  struct waiting {
    asio_code result{};
    std::uint64_t wakes{0};  // of the link, when it began
  };
  /// Returns when `transfer` may move something; lets others run when the turn is over. Then call `end_wait`, or
  /// `check_wait`.
  /// @param mine  a new one; lives until then
  /// @param now   the time, if it was asked for a moment ago
  [[nodiscard]] asio::awaitable<void> ready(waiting& mine, clock::time_point now = clock::now());
  enum class wait_end : std::uint8_t {
    ready,    ///< or woken up to check again
    late,     ///< the deadline has passed
    cut_off,  ///< the coroutine was cancelled
  };
  [[nodiscard]] wait_end end_wait(const waiting& mine) noexcept;
  /// @param asked  tells whether the coroutine was cancelled, even just as its wait ended: its next wait would report
  ///               that in Asio's words
  /// @par Errors   throws error: deadline_exceeded; cancelled
  void check_wait(const waiting& mine, const asio::cancellation_state& asked);
  /// The same for a thread.
  /// @par Errors  throws error: deadline_exceeded; cancelled when `interrupts` was used
  void wait(interrupter* interrupts, clock::time_point now = clock::now());
  /// Ends the current waits of coroutines as if something had arrived, so that they check again.
  void wake() noexcept;

  /// From now on waits end at `when`; `clock::time_point::max()` for never.
  /// @param words  the text of the resulting error; a literal
  void set_deadline(clock::time_point when, std::string_view words = "the deadline passed") noexcept {
    deadline_.set(when);
    deadline_words_ = words;
  }
  [[nodiscard]] clock::time_point deadline_at() const noexcept { return deadline_.when(); }
  /// @par Errors  throws error: deadline_exceeded
  void check_deadline() const;

  /// From now on all bytes go through `by`, which uses this link's socket; `handshake` must be completed first.
  void secure(std::unique_ptr<tls_stream> by) noexcept;
  void secure(std::unique_ptr<secured_stream> by) noexcept;
  /// Continues the handshake; never waits.
  /// @return whether it is done
  /// @par Errors  throws error: tls_failed, deadline_exceeded
  [[nodiscard]] bool handshake();
  /// Whether `secure` was called.
  [[nodiscard]] bool is_secured() const noexcept { return secured_ != nullptr; }
  /// The TLS stream passed to `secure`, or null.
  [[nodiscard]] const tls_stream* tls() const noexcept { return tls_; }

  /// From now on each message is reported to `watch`.
  void trace(observer& watch);

  /// Throws the error with this link's place and phase.
  [[noreturn]] void fail(errc code, std::string_view what, bool retryable = false) const;
  [[noreturn]] void fail(const proto::fault& why) const;
  /// The same for a request that is refused before any of it was sent: the connection remains usable if it is open.
  [[noreturn]] void refuse(errc code, std::string_view what) const;
  /// The peer is gone: throws an error with the system's reason, if there is one.
  [[noreturn]] void fail_lost() const;
  /// Makes the error from an ErrorResponse.
  [[nodiscard]] error server_error(server_message said, bool usable) const;

  void close() noexcept;
  [[nodiscard]] bool is_open() const noexcept { return socket_.is_open(); }
  [[nodiscard]] asio::any_io_executor get_executor() { return socket_.get_executor(); }
  [[nodiscard]] asio::generic::stream_protocol::endpoint remote() const { return remote_; }
  [[nodiscard]] int native_handle() { return socket_.native_handle(); }
  /// The number of reads that brought something, and the time spent waiting for the server.
  [[nodiscard]] std::uint64_t reads() const noexcept { return reads_; }
  [[nodiscard]] clock::duration waited() const noexcept { return waited_; }
  /// When the last wait ended. Nothing if that is not known: others ran instead, or two coroutines waited.
  [[nodiscard]] clock::time_point wait_ended() const noexcept { return wait_ended_; }

 private:
  static constexpr int longest_turn = 16;

  enum class io_status : std::uint8_t { done, later, ended };
  struct io_result {
    io_status is;
    std::size_t count;  // bytes moved, when done
  };
  [[nodiscard]] io_result receive(std::span<std::byte> into);
  [[nodiscard]] io_result send(std::span<const std::byte> from) noexcept;
  [[nodiscard]] std::size_t kept_of_report() const noexcept;
  [[nodiscard]] bool is_long_report(std::size_t wanted) const noexcept;
  void cut_report(std::size_t size);
  [[nodiscard]] bool is_ours() const noexcept;
  void end_wait_since(clock::time_point began) noexcept;
  [[nodiscard]] bool set_low_water() noexcept;
  [[nodiscard]] timespec rest_of_wait(clock::duration most) const noexcept;
  [[nodiscard]] asio::awaitable<void> ready_to_send(waiting& mine);

  socket socket_;
  std::unique_ptr<secured_stream> secured_;
  const tls_stream* tls_{nullptr};  // the same, if it is one
  std::unique_ptr<message_trace> trace_;
  asio::generic::stream_protocol::endpoint remote_;
  deadline deadline_;
  std::string_view deadline_words_{"the deadline passed"};
  std::error_code broken_;
  std::size_t sent_{0};
  std::size_t dropped_{0};  // of a long error or notice that is arriving
  clock::time_point wait_began_{};
  clock::time_point wait_ended_{};
  clock::duration waited_{};
  std::uint64_t reads_{0};
  std::uint32_t born_after_;  // number of forks at construction: it must not be used in a child of this process
  int turns_{0};
  bool is_drained_{false};
  row_flow flow_;
  low_water low_water_;
  deadline trickle_;  // until then it may be raised
  std::uint64_t wakes_{0};
};

}  // namespace sluice::wire
