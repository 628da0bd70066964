#include "transport/link.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <string>
#include <utility>

#include <asio/experimental/awaitable_operators.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sluice/proto/byte_order.hpp>
#include <sluice/proto/frame.hpp>
#include <sluice/wire/asio_errors.hpp>

#include "transport/message_trace.hpp"
#include "transport/tls.hpp"

namespace sluice::wire {

namespace {

constexpr std::size_t much_at_once{16U << 10U};  // as much as takes the time of another read to process

/// The number of forks between the start of the program and this process.
std::uint32_t forks() noexcept {
  static std::atomic<std::uint32_t> count{0};
  static const int watched = ::pthread_atfork(nullptr, nullptr, [] { ++count; });
  return watched == 0 ? count.load(std::memory_order_relaxed) : 0;
}

/// The server may have ended the connection already: reading from it will tell.
asio::generic::stream_protocol::endpoint remote_of(const socket& connected) noexcept {
  asio_code ignored;
  return connected.remote_endpoint(ignored);
}

}  // namespace

interrupter::interrupter() {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) throw std::system_error{errno, std::generic_category(), "pipe"};
  read_end_ = ends[0];
  write_end_ = ends[1];
  for (const int end : ends) {
    (void)::fcntl(end, F_SETFD, FD_CLOEXEC);
    (void)::fcntl(end, F_SETFL, O_NONBLOCK);
  }
}

interrupter::~interrupter() {
  (void)::close(read_end_);
  (void)::close(write_end_);
}

void interrupter::interrupt() noexcept {
  const int before = errno;  // a signal handler must preserve it
  (void)!::write(write_end_, "", 1);
  errno = before;
}

bool interrupter::take() noexcept {
  std::array<char, 16> drained{};
  bool any = false;
  while (::read(read_end_, drained.data(), drained.size()) > 0) any = true;
  return any;
}

link::link(socket connected, const proto::limits& bounds, std::size_t buffer_bytes, std::size_t first_bytes)
    : in{buffer_bytes, std::max({bounds.row, bounds.message, proto::limits::short_message}) + proto::header_size,
         first_bytes},
      limits{bounds},
      socket_{std::move(connected)},
      remote_{remote_of(socket_)},
      deadline_{socket_.get_executor(),
                [this] {
                  asio_code ignored;
                  socket_.cancel(ignored);
                }},
      born_after_{forks()},
      low_water_{socket_.native_handle(), remote_.protocol().family()},
      trickle_{socket_.get_executor(), [this] { low_water_.lower(); }} {
  socket_.non_blocking(true);
}

link::~link() { close(); }

void link::close() noexcept {
  asio_code ignored;
  deadline_.set(clock::time_point::max());
  trickle_.set(clock::time_point::max());
  if (secured_ != nullptr) {
    if (socket_.is_open() && is_ours()) secured_->close();
    secured_->detach();
  }
  socket_.close(ignored);
}

link::moved link::transfer(std::size_t wanted) {
  if (!is_ours()) fail(errc::connection_lost, "the connection is the parent's: it was used after a fork", true);
  check_deadline();
  const std::size_t unsent = out.size() - sent_;
  if (unsent != 0) flush();
  const bool is_cut = is_long_report(wanted);
  const std::span<std::byte> room = in.make_room(is_cut ? kept_of_report() : wanted);
  if (room.empty()) fail(errc::row_too_large, "a message is larger than the receive buffer may become");
  const io_result got = receive(room);
  is_drained_ = got.is == io_status::done && got.count < room.size();
  if (got.is == io_status::ended) return moved::end;
  if (got.is == io_status::later) return out.size() - sent_ < unsent ? moved::something : moved::nothing;
  if (trace_ != nullptr) trace_->received(in.room().first(got.count));
  in.commit(got.count);
  if (is_cut) cut_report(wanted);
  ++reads_;
  turns_ += 1 + static_cast<int>(got.count / much_at_once);
  flow_.received();
  return moved::something;
}

std::size_t link::kept_of_report() const noexcept {
  constexpr std::size_t least = 256;
  return proto::header_size + std::max(limits.message / 2, least);
}

/// Whether the message that is arriving is an ErrorResponse or a NoticeResponse beyond the limit.
bool link::is_long_report(std::size_t wanted) const noexcept {
  const std::span<const std::byte> arrived = in.arrived();
  if (wanted <= std::max(proto::header_size + limits.message, kept_of_report()) || arrived.size() < proto::header_size)
    return false;
  const auto type = std::to_integer<char>(arrived[0]);
  return (type == 'E' || type == 'N') && proto::load_big<std::uint32_t>(arrived.data() + 1) + std::size_t{1} == wanted;
}

/// Ends the list of fields where the kept bytes end, whichever field that cuts.
void link::cut_report(std::size_t size) {
  const std::size_t kept = kept_of_report();
  const std::size_t arrived = in.arrived().size();
  if (arrived <= kept) return;
  const std::string end = "... [cut off: " + std::to_string(size) + " bytes in all]" + std::string(2, '\0');
  const std::size_t rest = size - kept - dropped_;
  const std::size_t now = std::min(arrived - kept, rest);
  if (now < rest) {
    in.replace(kept, now, {});
    dropped_ += now;
    return;
  }
  dropped_ = 0;
  std::size_t at = kept - end.size();
  constexpr int longest_character = 4;
  for (int i = 1; i < longest_character && (in.arrived()[at] & std::byte{0xc0}) == std::byte{0x80}; ++i) --at;
  in.replace(at, kept - at + now, std::as_bytes(std::span{end}));
  std::array<std::byte, proto::length_size> length{};
  proto::store_big(length.data(), static_cast<std::uint32_t>(at + end.size() - 1));
  in.replace(1, length.size(), length);
}

bool link::is_ours() const noexcept { return born_after_ == forks(); }

void link::flush() noexcept {
  if (!is_ours() || out.empty()) return;
  flow_.sent();
  while (sent_ < out.size()) {
    const io_result gone = send(std::span{out}.subspan(sent_));
    if (gone.is == io_status::later) return;
    if (gone.is == io_status::ended) break;  // the server's last messages still have to be read
    if (trace_ != nullptr) trace_->sent(std::span{out}.subspan(sent_, gone.count));
    sent_ += gone.count;
  }
  OPENSSL_cleanse(out.data(), out.size());  // it may have contained a password
  out.clear();
  sent_ = 0;
}

link::io_result link::receive(std::span<std::byte> into) {
  if (secured_ != nullptr) {
    using status = secured_stream::status;
    const secured_stream::result got = secured_->read(into);
    const bool has_failed = got.is == status::failed;
    // A write that failed was left to be reported here; with OpenSSL 3.5, reading goes on as if nothing had happened.
    const bool has_failed_before = got.is == status::later && !secured_->failure().empty();
    if (has_failed || has_failed_before) fail(errc::tls_failed, secured_->failure());
    if (got.is == status::ended && secured_->system_error() != 0)
      broken_ = {secured_->system_error(), std::system_category()};
    return {static_cast<io_status>(got.is), got.count};
  }
  for (;;) {
    const ssize_t count = ::recv(socket_.native_handle(), into.data(), into.size(), 0);
    if (count > 0) return {io_status::done, static_cast<std::size_t>(count)};
    if (count == 0) return {io_status::ended, 0};
    if (errno == EINTR) continue;
    const bool is_later = errno == EAGAIN || errno == EWOULDBLOCK;
    if (is_later && !broken_) return {io_status::later, 0};  // otherwise nothing will come: a send has failed
    if (!broken_) broken_ = {errno, std::system_category()};
    return {io_status::ended, 0};
  }
}

link::io_result link::send(std::span<const std::byte> from) noexcept {
  if (secured_ != nullptr) {
    const secured_stream::result gone = secured_->write(from);
    return {std::min(static_cast<io_status>(gone.is), io_status::ended), gone.count};
  }
  for (;;) {
    const ssize_t count = ::send(socket_.native_handle(), from.data(), from.size(), MSG_NOSIGNAL);
    if (count >= 0) return {io_status::done, static_cast<std::size_t>(count)};
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {io_status::later, 0};
    broken_ = {errno, std::system_category()};
    return {io_status::ended, 0};
  }
}

void link::trace(observer& watch) { trace_ = std::make_unique<message_trace>(watch); }

void link::secure(std::unique_ptr<tls_stream> by) noexcept {
  tls_ = by.get();
  secured_ = std::move(by);
}
void link::secure(std::unique_ptr<secured_stream> by) noexcept { secured_ = std::move(by); }

bool link::handshake() {
  check_deadline();
  switch (secured_->handshake()) {
    using enum secured_stream::status;
    case done: return true;
    case later: return false;
    case ended:
      fail(errc::tls_failed,
           "the server closed the connection during the " + std::string{secured_->name()} + " handshake");
    case failed: break;
  }
  fail(errc::tls_failed, secured_->failure());
}

bool link::wants_to_send() const noexcept { return !out.empty() || (secured_ != nullptr && secured_->wants_to_send()); }

void link::end_wait_since(clock::time_point began) noexcept {
  wait_ended_ = clock::now();
  waited_ += wait_ended_ - began;
  flow_.waited(wait_ended_ - began);
}

/// For a wait that begins now.
/// @return whether it is raised: the wait need not end as soon as anything arrives
bool link::set_low_water() noexcept {
  if (flow_.is_steady() && !wants_to_send())
    low_water_.raise();
  else
    low_water_.lower();
  return low_water_.is_raised();
}

asio::awaitable<void> link::ready(waiting& mine, clock::time_point now) {
  mine.wakes = wakes_;
  is_drained_ = false;
  if (turn_is_over()) {
    turns_ = 0;
    return asio::post(socket_.get_executor(), asio::use_awaitable);
  }
  turns_ = 0;
  deadline_.arm();
  wait_began_ = now;
  if (set_low_water()) {
    trickle_.set(later(wait_began_, low_water::patience));
    trickle_.arm();
  }
  if (wants_to_send()) return ready_to_send(mine);
  return socket_.async_wait(socket::wait_read, asio::redirect_error(asio::use_awaitable, mine.result));
}

asio::awaitable<void> link::ready_to_send(waiting& mine) {
  using namespace asio::experimental::awaitable_operators;
  // In both directions: a server that waits for us to read will not read what we send.
  asio_code other;
  co_await (socket_.async_wait(socket::wait_write, asio::redirect_error(asio::use_awaitable, mine.result)) ||
            socket_.async_wait(socket::wait_read, asio::redirect_error(asio::use_awaitable, other)));
  if (mine.result == asio::error::operation_aborted) mine.result = other;  // only one of the two was cancelled
}

void link::wake() noexcept {
  ++wakes_;
  asio_code ignored;
  socket_.cancel(ignored);
}

link::wait_end link::end_wait(const waiting& mine) noexcept {
  if (wait_began_ != clock::time_point{})
    end_wait_since(std::exchange(wait_began_, {}));
  else
    wait_ended_ = {};
  if (mine.result != asio::error::operation_aborted) return wait_end::ready;
  if (deadline_.has_passed()) return wait_end::late;
  if (!socket_.is_open()) return wait_end::ready;  // closed for another's sake: what is tried next says so
  return mine.wakes != wakes_ ? wait_end::ready : wait_end::cut_off;
}

void link::check_wait(const waiting& mine, const asio::cancellation_state& asked) {
  const wait_end how = end_wait(mine);
  if (how == wait_end::late) check_deadline();
  if (how == wait_end::cut_off || asked.cancelled() != asio::cancellation_type::none)
    fail(errc::cancelled, "cancelled");
}

/// Up to the deadline, or `most`.
timespec link::rest_of_wait(clock::duration most) const noexcept {
  clock::duration time = most;
  if (deadline_.when() != clock::time_point::max())
    time = std::min(time, std::max(deadline_.when() - clock::now(), clock::duration{}));
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  return {.tv_sec = seconds.count(),
          .tv_nsec = std::chrono::duration_cast<std::chrono::nanoseconds>(time - seconds).count()};
}

void link::wait(interrupter* interrupts, clock::time_point now) {
  const bool is_moment = !low_water_.is_possible() && !wants_to_send() && flow_.take_moment();
  (void)set_low_water();
  for (;;) {
    const bool has_end = is_moment || low_water_.is_raised() || deadline_.when() != clock::time_point::max();
    const timespec left = rest_of_wait(is_moment                ? row_flow::moment
                                       : low_water_.is_raised() ? clock::duration{low_water::patience}
                                                                : clock::duration::max());
    std::array<pollfd, 2> watched{
        pollfd{interrupts != nullptr ? interrupts->descriptor() : -1, POLLIN, 0},
        pollfd{socket_.native_handle(), static_cast<short>(wants_to_send() ? POLLIN | POLLOUT : POLLIN), 0}};
    const int count = ::ppoll(watched.data(), is_moment ? 1 : watched.size(), has_end ? &left : nullptr, nullptr);
    if (count < 0 && errno != EINTR) fail(errc::connection_lost, std::system_category().message(errno));
    if (count > 0 && watched[0].revents != 0 && interrupts->take()) fail(errc::cancelled, "interrupted");
    check_deadline();
    if (count > 0 || is_moment) break;
    low_water_.lower();
  }
  end_wait_since(now);
}

void link::check_deadline() const {
  if (deadline_.has_passed()) fail(errc::deadline_exceeded, deadline_words_, true);
}

}  // namespace sluice::wire
