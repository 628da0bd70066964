#include "engine/exchange.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <asio/cancellation_state.hpp>
#include <asio/this_coro.hpp>

namespace sluice::wire {

exchange::state exchange::advance() {
  settle_walk();
  take_context();
  for (;;) {
    if (hand_out_kept()) return state::rows;
    if (kept_.has_overflowed() && is_free(session_)) abandon();
    if (unsuitable_ && !skips_rows()) fail_unsuitable();
    if (is_over()) {
      finish();
      return state::over;
    }
    if (flights_ == 0 && is_fetching()) {
      if (const exchange* const last = undecided(session_)) {
        wanted_ = last->wanted_;
        return state::hungry;
      }
      take_context();
      fetch_page();
    }
    if (!is_first()) {
      if (!let_pass()) return state::hungry;
      continue;
    }
    switch (read_on()) {
      case progress::hungry: return state::hungry;
      case progress::went_on: break;
      case progress::rows: return hand_out_arrived();
    }
  }
}

exchange* exchange::undecided(const session& on) {
  if (on.flights.empty()) return nullptr;
  exchange& last = *on.flights.back();
  return last.is_paged() && !last.decide() ? &last : nullptr;
}

bool exchange::is_behind_another() const noexcept {
  for (const exchange* const each : session_.flights) {
    if (each == this) return false;
    if (!each->is_paged()) return true;
  }
  return false;
}

bool exchange::has_wanted_followers() const noexcept {
  for (auto each = session_.flights.rbegin(); each != session_.flights.rend() && *each != this; ++each)
    if (!(*each)->given_ || clock::now() < (*each)->given_->until) return true;
  return false;
}

bool exchange::set_aside() {
  settle_walk();
  take_context();
  while (flights_ != 0) {
    const bool moved = is_first() ? take_turn() : let_pass();
    if (!moved) return false;
  }
  return true;
}

bool exchange::decide() {
  take_context();
  while (undecided_) {
    if (!is_first()) {
      if (!let_pass()) return false;
    } else if (read_on() == progress::hungry) {
      return false;
    }
  }
  return true;
}

/// Reads its own messages until another query's answers begin.
/// @return whether they have begun
bool exchange::take_turn() {
  settle_walk();
  while (is_first()) {
    switch (read_on()) {
      case progress::hungry: return false;
      case progress::went_on: break;
      case progress::rows: keep_aside();
    }
  }
  return true;
}

/// The server answers another query first: its messages are buffered for that query.
/// @return whether that is done
bool exchange::let_pass() {
  exchange& first = *session_.flights.front();
  if (is_behind_another())
    session_.io.fail(errc::bad_state, "an earlier query on the connection has to be read to its end first");
  if (first.take_turn()) return true;
  wanted_ = first.wanted_;
  return false;
}

/// Processes one message that is not a row, or reports that there are rows.
exchange::progress exchange::read_on() {
  link& io = session_.io;
  const std::span<const std::byte> arrived = io.in.arrived();
  const bool skips = skips_rows();
  if (skips && skip_partial_row(arrived)) return progress::went_on;
  if (!skips && machine_.may_have_rows() && !unsuitable_ &&
      proto::row_at(arrived.data(), arrived.data() + arrived.size(), batch_.shape) != 0) {
    if (portal_) portal_->has_row();
    return progress::rows;
  }
  const proto::framing next = proto::next_frame(arrived, io.limits);
  if (next.found == proto::framing::kind::faulty) io.fail(next.why);
  wanted_ = next.size;
  if (next.size > session_.row_warning && arrived[0] == batch_.shape.type) {
    warn_of_row(next.size);
    return progress::went_on;
  }
  if (next.found == proto::framing::kind::incomplete) return progress::hungry;
  on_message(next.message);
  io.in.consume(next.size - std::exchange(unread_, 0));
  return progress::went_on;
}

/// Until the warning has been given, a row this large ends the walk, so that the other rows need no check.
void exchange::warn_of_row(std::size_t size) noexcept {
  session_.row_warning = std::numeric_limits<std::size_t>::max();
  batch_.shape.max_body = largest_body();
  if (session_.watch != nullptr)
    session_.watch->on_limit({.of = limit_event::kind::row, .bytes = size, .limit = session_.io.limits.row});
}

std::uint32_t exchange::largest_body() const noexcept {
  return static_cast<std::uint32_t>(std::min(session_.io.limits.row, session_.row_warning));
}

/// Copies the rows that have arrived, up to the amount that may be kept. Anything beyond that is dropped, and `advance`
/// ends the query.
void exchange::keep_aside() {
  const std::span<const std::byte> arrived = session_.io.in.arrived();
  const std::byte* at = arrived.data();
  const std::byte* const end = at + arrived.size();
  while (const std::size_t size = proto::row_at(at, end, batch_.shape)) at += size;
  const auto size = static_cast<std::size_t>(at - arrived.data());
  if (!kept_.add(arrived.data(), size)) return;
  if (kept_.has_reached(session_.warn_at) && session_.watch != nullptr)
    session_.watch->on_limit({.of = limit_event::kind::aside, .bytes = kept_.size(), .limit = kept_.most()});
  session_.io.in.consume(size);
}

bool exchange::hand_out_kept() {
  if (kept_.empty() || wants_ == interest::none) return false;
  const auto [begin, end] = kept_.all();
  hand_out(begin, end);
  return true;
}

exchange::state exchange::hand_out_arrived() {
  const std::span<const std::byte> arrived = session_.io.in.arrived();
  hand_out(arrived.data(), arrived.data() + arrived.size());
  if (is_fetching() && flights_ == 1 && !portal_->is_held() && is_last()) fetch_page();
  return state::rows;
}

void exchange::hand_out(const std::byte* begin, const std::byte* end) noexcept {
  walked_ = {};
  batch_.begin = begin;
  batch_.end = end;
  batch_.walked = &walked_;
}

/// Continues from where the consumer's walk ended, or from the last known position.
void exchange::settle_walk() noexcept {
  if (batch_.begin == nullptr) return;
  proto::walk_end end = walked_;
  if (end.at == nullptr) {
    end = {.at = batch_.begin, .rows = 0};
    while (const std::size_t size = proto::row_at(end.at, batch_.end, batch_.shape)) {
      end.at += size;
      ++end.rows;
    }
  }
  const auto size = static_cast<std::size_t>(end.at - batch_.begin);
  pass_over(size);
  rows_ += end.rows;
  const std::size_t overhead = proto::header_size + 2 + 4 * std::size_t{batch_.shape.columns};  // counts and lengths
  bytes_ += size - end.rows * overhead;
  batch_.begin = nullptr;
}

/// Consumes bytes of the batch, wherever its rows are stored.
void exchange::pass_over(std::size_t size) noexcept {
  if (!kept_.holds(batch_.begin)) {
    session_.io.in.consume(size);
    return;
  }
  kept_.consume(size);
  if (kept_.empty()) kept_.clear();
}

void exchange::keep(const std::byte* first, const std::byte* last) noexcept {
  pass_over(static_cast<std::size_t>(first - batch_.begin));
  batch_.begin = first == last ? nullptr : first;
  batch_.end = last;
}

/// Drops rows, including partial ones, without waiting until they are complete.
/// @return whether anything was dropped
bool exchange::skip_partial_row(std::span<const std::byte> arrived) {
  if (to_skip_ == 0) {
    if (arrived.size() < proto::header_size || arrived[0] != batch_.shape.type || !machine_.may_have_rows())
      return false;
    const auto length = proto::load_big<std::uint32_t>(arrived.data() + 1);
    if (length < proto::length_size || length - proto::length_size > session_.io.limits.row) return false;
    to_skip_ = std::size_t{length} + 1;
  }
  const std::size_t now = std::min(to_skip_, arrived.size());
  session_.io.in.consume(now);
  to_skip_ -= now;
  wanted_ = proto::header_size;
  return now != 0;
}

void exchange::on_end() {
  session_.discard();
  if (said_) throw session_.io.server_error(*said_, false);
  session_.io.fail_lost();
}

void exchange::take_context() const noexcept {
  session_.io.where.doing = doing_;
  session_.io.where.rows = rows_;
}

std::optional<error> exchange::failure() const {
  if (!said_) return std::nullopt;
  take_context();
  return session_.io.server_error(*said_, session_.is != session::state::broken);
}

std::string_view exchange::sqlstate() const noexcept { return said_ ? std::string_view{said_->sqlstate} : ""; }

namespace {

/// Transfers bytes until `is_done`, which inspects what has arrived.
template <class Condition>
asio::awaitable<void> read_until(exchange& query, Condition is_done) {
  link& io = query.on().io;
  while (!is_done()) {
    const link::moved moved = io.transfer(query.wanted());
    if (moved == link::moved::end) query.on_end();
    if (moved == link::moved::something && !io.turn_is_over()) continue;
    co_await io.ready();
    const asio::cancellation_state asked = co_await asio::this_coro::cancellation_state;
    io.check_wait(asked);
  }
}

}  // namespace

asio::awaitable<void> read_to_end(exchange& query, std::uint64_t most_reads) {
  const std::uint64_t before = query.on().io.reads();
  return read_until(query, [&query, before, most_reads] {
    return query.advance() == exchange::state::over || query.on().io.reads() - before >= most_reads;
  });
}

asio::awaitable<void> until_decided(session& on, clock::time_point latest) {
  exchange* const last = exchange::undecided(on);
  if (last == nullptr) co_return;
  on.io.set_deadline(latest);
  co_await read_until(*last, [last] { return last->decide(); });
}

asio::awaitable<void> run_statements(session& on, std::string_view statements) {
  on.io.set_deadline(from_now(on.patience));
  exchange running{on, statements};
  co_await read_to_end(running);
  on.io.set_deadline(clock::time_point::max());
}

}  // namespace sluice::wire
