#include "api/running_query.hpp"

#include <algorithm>
#include <new>
#include <string>
#include <utility>

#include "query/bulk_copy.hpp"
#include "query/result_shape.hpp"

namespace sluice::detail {

namespace {

// Errors after which it is unknown what the server will send next.
bool breaks_connection(condition kind) noexcept {
  return kind == condition::protocol || kind == condition::limit || kind == condition::connection ||
         kind == condition::tls;
}

std::chrono::microseconds micros(wire::clock::duration time) noexcept {
  return std::chrono::duration_cast<std::chrono::microseconds>(time);
}

}  // namespace

wire::clock::time_point latest_start(wire::clock::time_point asked, const query_options& options) noexcept {
  return std::min(wire::limit_after(asked, options.timeout), wire::limit_after(asked, options.first_row_timeout));
}

running_query::running_query(std::shared_ptr<wire::session> on, const query_options& options)
    : session_{std::move(on)},
      limits_{options},
      waited_before_{session_->io.waited()},
      reads_before_{session_->io.reads()} {}

running_query::running_query(std::shared_ptr<wire::session> on, const query& what, const query_options& options)
    : running_query{std::move(on), options} {
  encode(what, nullptr);
}

running_query::running_query(const running_query& before, const query& what, const query_options& options)
    : running_query{before.session_, options} {
  encode(what, &*before.exchange_);
}

running_query::running_query(std::shared_ptr<wire::session> on, std::string_view statements,
                             const query_options& options)
    : running_query{std::move(on), options} {
  exchange_.emplace(*session_, statements);
  note_text(statements, false);
}

void running_query::encode(const query& what, const wire::exchange* before) {
  std::vector<std::uint32_t> types;
  std::vector<proto::parameter> values;
  types.reserve(what.parameters().size());
  values.reserve(what.parameters().size());
  for (const bind_value& value : what.parameters()) {
    types.push_back(value.type());
    values.push_back({.value = value.text() ? std::optional<std::string_view>{*value.text()} : std::nullopt,
                      .binary = value.is_binary()});
  }
  const bool is_paged = limits_.mode == fetch_mode::paged;
  wire::statement statement{.text = what.text(),
                            .types = types,
                            .values = values,
                            .by_columns = what.rows() == query::shape::columns,
                            .page_rows = is_paged ? std::max(limits_.page_rows, 1U) : 0U,
                            .page_bytes = limits_.page_bytes,
                            .server_timeout = limits_.server_timeout};
  std::optional<bulk_copy> copied;
  if (limits_.mode == fetch_mode::bulk) {
    require_standard_strings(what);
    copied.emplace(what, values).make_copy(statement);
  } else if (what.rows() == query::shape::object) {
    statement.rewritten = as_objects;
  } else if (what.rows() == query::shape::detect) {
    statement.decides = detect_shape;
  }
  if (before == nullptr)
    exchange_.emplace(*session_, statement);
  else
    exchange_.emplace(*before, statement);
  effects_ = what.effects();
  note_text(what.text(), exchange_->was_prepared());
  if (what.left() != nullptr) {
    rest_ = *what.left();
    filter_ = std::make_unique<client_filter>(rest_.filter);
  }
}

/// Replacing parameters requires knowing what a backslash in a literal means.
void running_query::require_standard_strings(const query& what) const {
  const auto strings = session_->server.parameters.find("standard_conforming_strings");
  const bool is_standard = strings == session_->server.parameters.end() || strings->second == "on";
  if (!is_standard && !what.parameters().empty() && what.text().find('\\') != std::string_view::npos)
    session_->io.refuse(errc::bad_query,
                        "in bulk mode, SQL with parameters and backslashes needs standard_conforming_strings");
}

void running_query::note_text(std::string_view text, bool was_prepared) {
  if (session_->watch == nullptr) return;
  const bool is_paged = limits_.mode == fetch_mode::paged;
  report_ = query_report{*session_->watch, session_->server.database, text, is_paged, was_prepared};
}

void running_query::launch(wire::clock::time_point asked) {
  began_ = asked;
  set_deadline();
  link().flush();
  report_.sent();
}

void running_query::take_turn() {
  began_ = left_ = wire::clock::now();
  waited_before_ = session_->io.waited();
  reads_before_ = session_->io.reads();
}

void running_query::enter() {
  require_wanted();
  caller_ = std::max(caller_, seen::rows);
  if (is_paused()) end_pause();
  const wire::clock::time_point now = wire::clock::now();
  consumer_ += now - left_;
  entered_ = now;
  waited_at_entry_ = session_->io.waited();
  set_deadline();
}

/// The nearest of the query's own deadlines, whoever is waiting.
running_query::limit running_query::nearest_limit() const noexcept {
  const wire::clock::time_point since = limits_.timeout_counts_pauses ? began_ : began_ + consumer_;
  const limit whole{wire::limit_after(since, limits_.timeout), "the query's deadline passed"};
  if (chunks_ != 0) return whole;
  const limit first{wire::limit_after(began_, limits_.first_row_timeout), "no row came in time"};
  return whole.when <= first.when ? whole : first;
}

/// Sets the nearest of the deadlines that apply from now on.
void running_query::set_deadline() noexcept {
  limit nearest = nearest_limit();
  if (limits_.stall_timeout.count() > 0) {
    const wire::clock::time_point stalled = wire::from_now(limits_.stall_timeout);
    if (stalled < nearest.when) nearest = {stalled, "the server sent nothing for too long"};
  }
  link().set_deadline(nearest.when, nearest.words);
}

void running_query::require_wanted() const {
  if (is_ != state::left) return;
  exchange_->take_context();
  session_->io.fail(errc::cancelled, "cancelled: the stream was left");
}

/// The caller now knows that the query failed, so it need not run on when its stream is dropped.
template <class Call>
void running_query::noting_failure(const Call& call) {
  exchange_->take_context();
  try {
    call();
  } catch (const error&) {
    caller_ = seen::failure;
    throw;
  }
}

void running_query::check_wait(const asio::cancellation_state& asked) {
  require_wanted();
  noting_failure([&] { link().check_wait(asked); });
}

void running_query::fail_cancelled() {
  caller_ = seen::failure;
  exchange_->take_context();
  link().fail(errc::cancelled, "cancelled");
}

void running_query::wait(wire::interrupter& interrupts) {
  noting_failure([&] { link().wait(&interrupts); });
}

std::optional<chunk> running_query::advance(bool polite) {
  require_wanted();
  try {
    std::optional<chunk> result = step(polite);
    left_ = wire::clock::now();
    return result;
  } catch (const error& failure) {
    if (failure.code() != errc::bad_state) caller_ = seen::failure;
    left_ = wire::clock::now();
    if (breaks_connection(failure.kind()) && failure.code() != errc::stream_too_large) session_->discard();
    report_end(&failure, false);
    throw;
  } catch (const std::bad_alloc&) {
    session_->discard();
    link().fail(errc::out_of_memory, "out of memory");
  }
}

std::optional<chunk> running_query::step(bool polite) {
  const bool has_more = exchange_->is_over() || exchange_->aside_bytes() != 0;
  if (session_->is_broken() && !has_more) link().fail(errc::bad_state, "the connection is closed");
  if (expired_) {
    if (wire::exchange::is_free(*session_)) exchange_->abandon();
    link().fail(errc::cancelled, "cancelled: the pause took longer than it might");
  }
  for (;;) {
    const wire::exchange::state now = exchange_->advance();
    check_limits();
    if (now == wire::exchange::state::rows && filter_ != nullptr && !select_rows()) continue;
    if (now != wire::exchange::state::hungry) return hand_over(now);
    const bool has_moved = exchange_->move();
    if (limits_.stall_timeout.count() > 0 && has_moved) set_deadline();
    if (!has_moved || (polite && link().turn_is_over())) return std::nullopt;
  }
}

/// Narrows the current rows to the first contiguous run that matches.
/// @return whether any row matched
bool running_query::select_rows() {
  const proto::row_batch rows = exchange_->rows();
  const std::byte* first = nullptr;
  const std::byte* at = rows.begin;
  while (const std::size_t size = proto::row_at(at, rows.end, rows.shape)) {
    bool wanted = filter_->matches(row{at + proto::header_size});
    if (wanted && rest_.offset != 0) {
      --rest_.offset;
      wanted = false;
    }
    if (!wanted && first != nullptr) break;
    if (wanted && first == nullptr) first = at;
    at += size;
    if (wanted && rest_.limit && --*rest_.limit == 0) break;
  }
  exchange_->keep(first == nullptr ? at : first, at);
  return first != nullptr;
}

void running_query::check_limits() {
  const std::uint64_t most = limits_.max_stream_bytes;
  const std::uint64_t bytes = exchange_->bytes();
  if (most == 0 || bytes == 0) return;
  if (bytes > most)
    link().fail(errc::stream_too_large,
                "it has brought more bytes than max_stream_bytes allows (" + std::to_string(most) + ')');
  if (warned_ || static_cast<double>(bytes) < session_->warn_at * static_cast<double>(most)) return;
  warned_ = true;
  if (session_->watch != nullptr)
    session_->watch->on_limit({.of = limit_event::kind::stream, .bytes = bytes, .limit = most});
}

chunk running_query::hand_over(wire::exchange::state reached) {
  if (reached == wire::exchange::state::over) {
    link().set_deadline(wire::clock::time_point::max());
    left_ = wire::clock::now();
    finish();
    if (!session_->engine.queue.empty()) session_->leaving.tell();  // others may be queued behind it
    report_end(nullptr, false);
    return {};
  }
  if (chunks_++ == 0) {
    first_row_ = wire::clock::now();
    report_.first_row(first_row_ - began_);
  }
  if (!link().out.empty()) link().flush();  // the next page is fetched while this one is consumed
  const proto::row_batch& rows = exchange_->rows();
  report_.chunk({.bytes = static_cast<std::size_t>(rows.end - rows.begin),
                 .server_wait = session_->io.waited() - waited_at_entry_,
                 .consumer_wait = entered_ - left_});
  return chunk{rows, exchange_->columns()};
}

void running_query::report_end(const error* failure, bool was_left) noexcept {
  if (!report_.is_open()) return;
  report_.end({.query = {},
               .rows = exchange_->row_count(),
               .bytes = exchange_->bytes(),
               .chunks = chunks_,
               .took = left_ - began_,
               .first_row = chunks_ == 0 ? wire::clock::duration{} : first_row_ - began_,
               .server_wait = session_->io.waited() - waited_before_,
               .consumer_wait = consumer_,
               .failure = failure,
               .was_left = was_left});
}

/// Implements the rules of docs/decisions/dropped-statements.md.
wire::exchange::grace running_query::grace_when_dropped() const noexcept {
  constexpr std::uint64_t few = 16;  // as many as a function call returns that was made for its side effects
  if (caller_ == seen::failure) return {};
  const wire::clock::time_point latest = nearest_limit().when;
  switch (effects_) {
    case query::effect::any: return {.until = latest};
    case query::effect::by_functions:
      if (caller_ != seen::nothing) break;
      return {.until = std::min(wire::from_now(session_->patience / 2), latest), .reads = few};
    case query::effect::none: break;
  }
  return {};
}

void running_query::disown(wire::exchange::grace given) noexcept {
  pause_.reset();
  if (is_ == state::wanted) is_ = state::left;
  exchange_->disown(given);
  if (!goes_on()) report_end(nullptr, !exchange_->is_over());
}

void running_query::drop_before(const running_query& next) noexcept {
  const wire::exchange::grace own = grace_when_dropped();
  const wire::exchange::grace& others = next.exchange_->given();
  disown(own.until < others.until ? others : own);
}

void running_query::left() noexcept {
  left_ = wire::clock::now();
  if (report_.is_open()) {
    std::optional<error> failure = exchange_->failure();
    if (!failure && !exchange_->is_over())
      failure =
          error{errc::connection_lost, "the connection was lost before the statement's end: it may have run or not"};
    report_end(failure ? &*failure : nullptr, true);
  }
}

void running_query::begin_pause(const pause_options& how) {
  require_wanted();
  exchange_->take_context();
  if (!exchange_->is_paged())
    link().refuse(errc::bad_state, "only a stream in pages can pause: the connection is full of this one's rows");
  if (is_paused()) end_pause();
  const wire::clock::time_point now = wire::clock::now();
  consumer_ += now - std::exchange(left_, now);  // up to now
  set_deadline();
  pause_ = pause{.limit = how.limit, .after_limit = how.after_limit, .since = now};
  last_reason_ = how.reason;
  ++pauses_;
  exchange_->hold();
}

/// Reads what is already on its way and buffers it.
bool running_query::settle_pause(bool polite) {
  require_wanted();
  try {
    for (;;) {
      if (exchange_->set_aside()) return true;
      const bool has_moved = exchange_->move();
      if (!has_moved || (polite && link().turn_is_over())) return false;
    }
  } catch (const error& failure) {
    if (breaks_connection(failure.kind())) session_->discard();
    throw;
  }
}

void running_query::end_pause() {
  const wire::clock::time_point ends = pause_ends();
  const wire::clock::time_point now = wire::clock::now();
  paused_ += now - pause_->since;
  const pause_options::then after = pause_->after_limit;
  pause_.reset();
  if (now >= ends && after == pause_options::then::cancel) {
    expired_ = true;
    if (wire::exchange::is_free(*session_)) exchange_->abandon();  // otherwise later
  } else {
    exchange_->fetch_on();
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
  return wire::later(pause_->since, pause_->limit);
}

stream_stats running_query::stats() const {
  return {.rows = exchange_->row_count(),
          .bytes = exchange_->bytes(),
          .chunks = chunks_,
          .reads = session_->io.reads() - reads_before_,
          .first_row = chunks_ == 0 ? std::chrono::microseconds{} : micros(first_row_ - began_),
          .elapsed = micros(left_ - began_),
          .server_wait = micros(session_->io.waited() - waited_before_),
          .consumer = micros(consumer_),
          .buffer_peak = session_->io.in.peak(),
          .pages = exchange_->pages(),
          .pauses = pauses_,
          .paused = micros(paused_),
          .pause_reason = last_reason_};
}

}  // namespace sluice::detail
