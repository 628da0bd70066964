#include "api/running_query.hpp"

#include <algorithm>
#include <new>
#include <string>
#include <utility>

#include "query/by_columns.hpp"
#include "query/result_shape.hpp"
#include "query/sql_effect.hpp"

namespace sluice::detail {

namespace {

// Errors after which it is unknown what the server will send next.
bool breaks_connection(condition kind) noexcept {
  return kind == condition::protocol || kind == condition::limit || kind == condition::connection ||
         kind == condition::tls;
}

/// @param position  a character, from 1
bool is_at_default_column(std::string_view sql, std::size_t position) {
  const auto begins_character = [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; };
  std::size_t at = 0;
  for (; at < sql.size(); ++at)
    if (begins_character(sql[at]) && position-- <= 1) break;
  return sql.substr(at).starts_with(quote_identifier(default_column));
}

std::chrono::microseconds micros(wire::clock::duration time) noexcept {
  return std::chrono::duration_cast<std::chrono::microseconds>(time);
}

}  // namespace

wire::clock::time_point latest_start(wire::clock::time_point asked, const query_options& options) noexcept {
  return std::min(wire::limit_after(asked, options.timeout), wire::limit_after(asked, options.first_row_timeout));
}

std::chrono::milliseconds rest_of(std::chrono::milliseconds limit, wire::clock::time_point began) {
  if (limit.count() <= 0) return limit;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(wire::later(began, limit) - wire::clock::now());
  return std::clamp(left, std::chrono::milliseconds{1}, limit);
}

void running_query::launch(wire::clock::time_point asked, wire::clock::time_point begins) {
  clock_.start(asked, begins);
  if (spans_ != nullptr) spans_->begin(asked);
  set_deadline();
  link().flush();
  has_just_asked_ = !link().is_secured();  // TLS may hold bytes that no wait for the socket shows
  report_.sent();
}

void running_query::take_turn() { clock_.take_turn(); }

void running_query::enter() {
  require_wanted();
  caller_ = std::max(caller_, seen::rows);
  if (is_paused()) end_pause();
  clock_.enter();
  note_work(std::max(link().in.arrived().size(), reader_->aside_bytes()));
  set_deadline();
}

/// So many bytes are about to be processed. What observers and handlers do then takes as long as they like.
void running_query::note_work(std::size_t bytes) noexcept {
  constexpr std::size_t few{1U << 10U};  // done in a moment
  const bool others_see_it =
      session_->watch != nullptr || session_->on_notice != nullptr || session_->on_notification != nullptr;
  if (bytes > few || others_see_it) clock_.time_passes();
}

/// Sets the nearest of the deadlines that apply from now on.
void running_query::set_deadline() noexcept {
  query_clock::limit nearest = clock_.nearest_limit(limits_);
  if (limits_.stall_timeout.count() > 0) {
    const wire::clock::time_point stalled = wire::from_now(limits_.stall_timeout);
    if (stalled < nearest.when) nearest = {stalled, "the server sent nothing for too long"};
  }
  link().set_deadline(nearest.when, nearest.words);
}

void running_query::require_wanted() const {
  if (is_ != state::left) return;
  reader_->take_context();
  session_->io.fail(errc::cancelled, "cancelled: the stream was left");
}

/// The caller now knows that the query failed, so it need not run on when its stream is dropped.
template <class Call>
void running_query::noting_failure(const Call& call) {
  reader_->take_context();
  try {
    call();
  } catch (const error&) {
    caller_ = seen::failure;
    clock_.leave();
    throw;
  }
}

void running_query::check_wait(const wire::link::waiting& mine, const asio::cancellation_state& asked) {
  require_wanted();
  noting_failure([&] { link().check_wait(mine, asked); });
  clock_.waited();
}

void running_query::fail_cancelled() {
  caller_ = seen::failure;
  clock_.leave();
  reader_->take_context();
  link().fail(errc::cancelled, "cancelled");
}

void running_query::wait(wire::interrupter& interrupts) {
  noting_failure([&] { link().wait(&interrupts, clock_.take_now()); });
  clock_.waited();
}

std::optional<chunk> running_query::advance(bool polite) {
  return attempt([&] { return step(polite); });
}
std::optional<bool> running_query::send(bool polite) {
  return attempt([&] { return step_sending(polite); });
}

template <class Step>
auto running_query::attempt(const Step& step) -> decltype(step()) {
  require_wanted();
  try {
    return step();
  } catch (const error& failure) {
    if (failure.code() != errc::bad_state) caller_ = seen::failure;
    clock_.leave();
    if (breaks_connection(failure.kind()) && failure.code() != errc::stream_too_large) session_->discard();
    report_end(&failure, false);
    throw;
  } catch (const std::bad_alloc&) {
    session_->discard();
    link().fail(errc::out_of_memory, "out of memory");
  }
}

std::optional<chunk> running_query::step(bool polite) {
  const bool has_more = reader_->is_over() || reader_->aside_bytes() != 0;
  if (session_->is_broken() && !has_more) link().fail(errc::bad_state, "the connection is closed");
  if (expired_) {
    if (wire::query_reader::is_free(*session_)) reader_->abandon();
    link().fail(errc::cancelled, "cancelled: the pause took longer than it might");
  }
  for (;;) {
    rows_.were_read();
    const wire::query_reader::state now = advance_reader();
    check_limits();
    if (spans_ != nullptr) spans_->pages_ended(reader_->pages(), reader_->row_count());
    if (now == wire::query_reader::state::rows && !rows_.take(*reader_)) continue;
    if (now != wire::query_reader::state::hungry) return hand_over(now);
    if (!move(polite)) return std::nullopt;
  }
}

std::optional<bool> running_query::step_sending(bool polite) {
  for (;;) {
    if (session_->is_broken() && !reader_->is_over()) link().fail(errc::bad_state, "the connection is closed");
    if (reader_->advance() == wire::query_reader::state::over)
      link().refuse(errc::unsupported_result,
                    "it is not a COPY FROM STDIN: other statements have been run, and are for execute");
    if (reader_->is_taking_data() && !link().wants_to_send()) {
      clock_.leave();
      return true;
    }
    if (!move(polite)) return std::nullopt;
  }
}

/// Moves bytes.
/// @return whether to go on at once; otherwise it is time to wait
bool running_query::move(bool polite) {
  if (std::exchange(has_just_asked_, false)) return false;  // the answer cannot be there yet
  if (polite && link().is_drained()) return false;
  const std::size_t unsent = link().out.size();
  const bool has_moved = reader_->move();
  note_work(std::max(unsent, link().in.arrived().size()));
  if (limits_.stall_timeout.count() > 0 && has_moved) set_deadline();
  return has_moved && !(polite && link().turn_is_over());
}

wire::query_reader::state running_query::advance_reader() {
  try {
    return reader_->advance();
  } catch (const error& failure) {
    if (!begin_instead(failure)) throw;
  }
  return reader_->advance();
}

/// Asks for the columns of a relation that has no documents.
/// @return false if the failure means anything else
bool running_query::begin_instead(const error& failure) {
  constexpr std::string_view not_supported{"0A000"};  // what a prepared statement returns has changed
  const bool is_altered = failure.code() == errc::result_changed || failure.sqlstate() == not_supported;
  if (is_altered && !text_.empty()) types_of(*session_).forget_without_documents(text_);
  if (!has_no_documents(failure)) return false;
  const std::optional<query> instead = by_columns(*std::exchange(undeclared_, nullptr), rows_.wanted(), choice_);
  if (!instead) return false;
  report_end(&failure, false);
  types_of(*session_).remember_without_documents(text_);
  encode(*instead, nullptr);
  link().flush();
  report_.sent();
  clock_.time_passes();
  return true;
}

/// In a transaction block of the caller's the error has ended the transaction: there is no second try.
bool running_query::has_no_documents(const error& failure) const {
  constexpr std::string_view no_such_column{"42703"};
  return undeclared_ != nullptr && failure.sqlstate() == no_such_column &&
         is_at_default_column(text_, failure.server()->position.value_or(0)) && reader_->is_over() &&
         !session_->is_broken() && session_->engine.queue.empty() && !session_->engine.is_in_callers_block();
}

void running_query::check_limits() {
  const std::uint64_t most = limits_.max_stream_bytes;
  if (most == 0) return;
  const std::uint64_t bytes = rows_.bytes(*reader_);
  if (bytes == 0) return;
  if (bytes > most)
    link().fail(errc::stream_too_large,
                "it has brought more bytes than max_stream_bytes allows (" + std::to_string(most) + ')');
  if (warned_ || static_cast<double>(bytes) < session_->warn_at * static_cast<double>(most)) return;
  warned_ = true;
  if (session_->watch != nullptr)
    session_->watch->on_limit({.of = limit_event::kind::stream, .bytes = bytes, .limit = most});
}

chunk running_query::hand_over(wire::query_reader::state reached) {
  columns_ = rows_.columns(*reader_);
  if (reached == wire::query_reader::state::over) {
    link().set_deadline(wire::clock::time_point::max());
    clock_.leave();
    finish();
    if (!session_->engine.queue.empty()) session_->leaving.tell();  // others may be queued behind it
    report_end(nullptr, false);
    return {};
  }
  const proto::row_batch& rows = rows_.batch();
  const auto bytes = static_cast<std::size_t>(rows.end - rows.begin);
  note_work(bytes);
  if (clock_.leave_with_chunk()) {
    report_.first_row(clock_.first_row());
    if (spans_ != nullptr) spans_->first_row(event_clock::now());
  }
  if (!link().out.empty()) {
    link().flush();  // the next page is fetched while this one is consumed
    if (spans_ != nullptr) spans_->page_requested();
  }
  report_.chunk({.bytes = bytes, .server_wait = clock_.server_wait_now(), .consumer_wait = clock_.consumer_wait_now()});
  return chunk{rows, columns_};
}

void running_query::report_end(const error* failure, bool was_left) noexcept {
  if (!report_.is_open()) return;
  const query_end_event how{.query = {},
                            .rows = reader_->row_count(),
                            .bytes = rows_.bytes(*reader_),
                            .chunks = clock_.chunks(),
                            .took = clock_.elapsed(),
                            .first_row = clock_.first_row(),
                            .server_wait = clock_.server_wait(),
                            .consumer_wait = clock_.consumer(),
                            .failure = failure,
                            .was_left = was_left};
  report_.end(how);
  if (spans_ != nullptr) spans_->end(how);
}

/// Implements the rules of docs/decisions/dropped-statements.md.
wire::query_reader::grace running_query::grace_when_dropped() const noexcept {
  constexpr std::uint64_t few = 16;  // as many as a function call returns that was made for its side effects
  if (caller_ == seen::failure || reader_->is_over()) return {};
  const wire::clock::time_point latest = ends();
  switch (effects_ ? *effects_ : effect_of(text_)) {
    case query::effect::any: return {.until = latest};
    case query::effect::by_functions:
      if (caller_ != seen::nothing) break;
      return {.until = std::min(wire::from_now(session_->patience / 2), latest), .reads = few};
    case query::effect::none: break;
  }
  return {};
}

void running_query::disown(wire::query_reader::grace given) noexcept {
  pause_.reset();
  if (is_ == state::wanted) is_ = state::left;
  reader_->disown(given);
  if (!goes_on()) report_end(nullptr, !reader_->is_over());
}

void running_query::drop_before(const running_query& next) noexcept {
  const wire::query_reader::grace own = grace_when_dropped();
  const wire::query_reader::grace& others = next.reader_->given();
  disown(own.until < others.until ? others : own);
}

void running_query::left() noexcept {
  if (report_.is_open()) {
    clock_.time_passes();
    clock_.leave();
    std::optional<error> failure = reader_->failure();
    if (!failure && !reader_->is_over())
      failure =
          error{errc::connection_lost, "the connection was lost before the statement's end: it may have run or not"};
    report_end(failure ? &*failure : nullptr, true);
  }
}

void running_query::begin_pause(const pause_options& how) {
  require_wanted();
  reader_->take_context();
  if (!reader_->is_paged())
    link().refuse(errc::bad_state, "only a stream in pages can pause: the connection is full of this one's rows");
  if (is_paused()) end_pause();
  clock_.begin_pause();
  set_deadline();
  pause_ = pause{.limit = how.limit, .after_limit = how.after_limit};
  last_reason_ = how.reason;
  reader_->hold();
}

/// Reads what is already on its way and buffers it.
bool running_query::settle_pause(bool polite) {
  require_wanted();
  try {
    for (;;) {
      clock_.time_passes();
      if (reader_->set_aside()) return true;
      const bool has_moved = reader_->move();
      if (!has_moved || (polite && link().turn_is_over())) return false;
    }
  } catch (const error& failure) {
    if (breaks_connection(failure.kind())) session_->discard();
    throw;
  }
}

void running_query::end_pause() {
  const wire::clock::time_point ends = pause_ends();
  clock_.end_pause();
  const pause_options::then after = pause_->after_limit;
  pause_.reset();
  if (wire::clock::now() >= ends && after == pause_options::then::cancel) {
    expired_ = true;
    if (wire::query_reader::is_free(*session_)) reader_->abandon();  // otherwise later
  } else {
    reader_->fetch_on();
  }
  link().flush();
}

void running_query::pause_expired() noexcept {
  try {
    const bool is_due = is_paused() && wire::clock::now() >= pause_ends();
    if (is_due && !session_->is_broken()) end_pause();
  } catch (const std::exception&) {
    session_->discard();  // no memory for the message
  }
}

wire::clock::time_point running_query::pause_ends() const noexcept {
  if (!pause_ || pause_->limit.count() <= 0) return wire::clock::time_point::max();
  return wire::later(clock_.pause_began(), pause_->limit);
}

stream_stats running_query::stats() const {
  return {.rows = reader_->row_count(),
          .bytes = rows_.bytes(*reader_),
          .chunks = clock_.chunks(),
          .reads = clock_.reads(),
          .first_row = micros(clock_.first_row()),
          .elapsed = micros(clock_.elapsed()),
          .server_wait = micros(clock_.server_wait()),
          .consumer = micros(clock_.consumer()),
          .buffer_peak = session_->io.in.peak(),
          .pages = reader_->pages(),
          .pauses = clock_.pauses(),
          .paused = micros(clock_.paused()),
          .pause_reason = last_reason_};
}

}  // namespace sluice::detail
