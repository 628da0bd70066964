#include "changes/change_source.hpp"

#include <algorithm>
#include <utility>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include "api/error_note.hpp"
#include "api/failure_of.hpp"
#include "api/pause_for.hpp"

namespace sluice::detail {

namespace {

using wire::clock;

/// Of a temporary slot, at whose place one that stays is put later. Names of temporary slots share one space with all
/// others.
std::string temporary_name(const std::string& slot, std::uint32_t backend) {
  constexpr std::size_t longest = 40;
  return slot.substr(0, longest) + "_snapshot_" + std::to_string(backend);
}

wanted_changes wanted_by(const change_options& how) noexcept {
  return {.transactions = how.transactions,
          .schema = how.schema,
          .running = how.streaming,
          .prepared = how.two_phase,
          .columns = how.columns};
}

}  // namespace

change_source::change_source(conninfo where, change_options how, const asio::any_io_executor& on)
    : where_{std::move(where)},
      how_{std::move(how)},
      executor_{on},
      wish_{on, "cancelled: nobody follows the changes any more"},
      attended_{on, "cancelled: nobody follows the changes any more"},
      bell_{on},
      filter_{how_},
      slot_{how_.slot},
      interval_{how_.status_interval} {
  check(how_);
}

asio::awaitable<void> change_source::begin(std::shared_ptr<change_source> self) {
  asio::awaitable<void> work = self->connect();
  co_await self->wish_.unless_over(std::move(work));
  self->acknowledged_at_ = clock::now().time_since_epoch().count();
  asio::co_spawn(self->executor_, tell_in_time(self), asio::detached);
  if (self->how_.heartbeat.count() > 0 || self->how_.health_interval.count() > 0)
    asio::co_spawn(self->executor_, attend(self), asio::detached);
}

asio::awaitable<void> change_source::connect() {
  asio::awaitable<void> opening = open();
  const std::optional<error> refused = co_await failure_of(std::move(opening));
  if (refused) throw with_advice(*refused, how_);
  slot_facts slot = co_await connection_->find_slot(how_);
  if (const std::optional<refusal> why = refuse_server(slot, how_))
    connection_->session().io.refuse(why->code, why->why);
  co_await connection_->require_publications(how_);
  server_version_ = slot.server_version;
  timeline_ = slot.timeline;
  if (slot.sender_timeout.count() > 0)
    interval_ = std::min(interval_, std::max(slot.sender_timeout / 3, std::chrono::milliseconds{1}));
  co_await begin_with(std::move(slot));
}

asio::awaitable<void> change_source::open() { connection_ = co_await change_connection::open(where_, how_.connection); }

asio::awaitable<void> change_source::begin_with(slot_facts slot) {
  if (how_.create == slot_creation::temporary && slot.exists)
    connection_->session().io.refuse(
        errc::bad_state, "a temporary slot was asked for, and the slot \"" + how_.slot + "\" exists already");
  const bool is_new = !slot.exists && how_.create != slot_creation::never;
  if (is_new) {
    if (how_.from)
      connection_->session().io.refuse(
          errc::position_lost, "the slot \"" + how_.slot + "\" does not exist, and a new one has no changes from " +
                                   how_.from->to_string() + " on: begin anew with a snapshot");
    co_await create(slot);
  } else {
    require_usable(slot, how_.from);
    begins_ = slot.confirmed.value_or(lsn{});
  }
  if (how_.failover && !slot.is_failover && !snapshot_) co_await make_failover(slot_);
  // Before a snapshot has been acknowledged, not even the position of its end is safe.
  const position begins = snapshot_ ? before_snapshot() : position{.commit = begins_};
  const position safe = std::max(begins, how_.from.value_or(position{}));
  receipts_.emplace(safe, std::max(begins_, safe.commit), slot.server_end, how_.progress || how_.from);
  feed_.emplace(wanted_by(how_), filter_, connection_->settings(), how_.connection.max_row_bytes, *receipts_);
  feed_->decoder().pass_over(how_.from.value_or(position{}));
  if (!snapshot_) co_await start(safe.commit);
}

asio::awaitable<void> change_source::create(const slot_facts& server) {
  const bool has_snapshot = how_.snapshot == initial_snapshot::when_created;
  const bool is_temporary = how_.create == slot_creation::temporary || has_snapshot;
  if (has_snapshot && how_.create != slot_creation::temporary)
    slot_ = temporary_name(how_.slot, connection_->session().server.backend_pid);
  const change_connection::created made =
      co_await connection_->create(slot_, {.is_temporary = is_temporary, .exports_snapshot = has_snapshot}, how_);
  begins_ = made.consistent_point;
  if (!has_snapshot) co_return;
  snapshot_.emplace(executor_, how_.connection, how_.snapshot_connections,
                    snapshot_reader::from{.snapshot = made.snapshot,
                                          .publications = how_.publications,
                                          .server_version = server.server_version,
                                          .wants_columns = how_.columns});
  phase_ = phase::snapshot;
  conninfo same_server = where_;
  same_server.hosts.assign(1, connection_->session().server.host);
  same_server.target_session_attrs = session_target::any;
  co_await snapshot_->begin(std::move(same_server));
}

asio::awaitable<void> change_source::start(lsn from) {
  co_await connection_->start(slot_, from, server_version_, how_);
  phase_ = phase::streaming;
  feed_->read(connection_->session(), connection_->stream(), from);
  tell(true);
}

asio::awaitable<bool> change_source::next(std::shared_ptr<change_source> self) {
  if (self->failure_) throw *self->failure_;
  if (self->phase_ == phase::over) co_return false;
  self->wish_.require();
  self->end_batch();
  self->changes_before_ = self->progress().changes;
  self->has_something_ = false;
  asio::awaitable<void> work = self->read_on();
  co_await self->wish_.unless_over(std::move(work));
  self->report(change_stream_event::kind::received);
  if (self->has_something_) self->begin_batch();
  co_return self->has_something_;
}

asio::awaitable<void> change_source::read_on() {
  while (!has_something_ && phase_ != phase::over) {
    asio::awaitable<void> work = read_some();
    const std::optional<error> failure = co_await failure_of(std::move(work));
    if (!failure) continue;
    const bool goes_on =
        failure->code() == errc::cancelled || failure->code() == errc::bad_state || feed_->is_judging();
    if (goes_on) throw *failure;
    if (may_reconnect(*failure)) {
      co_await reconnect();
      continue;
    }
    failure_ = phase_ == phase::snapshot
                   ? with_note(*failure,
                               "the snapshot was interrupted: nothing of it stays, and it begins anew the"
                               " next time",
                               failure->rows())
                   : with_advice(*failure, how_);
    connection_->session().discard();
    throw *failure_;
  }
}

asio::awaitable<void> change_source::read_some() {
  switch (phase_) {
    case phase::snapshot: has_something_ = co_await read_snapshot(); break;
    case phase::settling: co_await settle(); break;
    case phase::streaming:
      if (feed_->is_reading())
        has_something_ = co_await read_log();
      else
        co_await reconnect();  // it was cancelled
      break;
    case phase::over: break;
  }
}

asio::awaitable<bool> change_source::read_snapshot() {
  if (feed_->peek() == change_feed::found::change) co_return true;
  const chunk rows = co_await snapshot_->next();
  if (rows) {
    feed_->read(rows, snapshot_->relation(), feed_->is_snapshot() ? feed_->at() : before_snapshot());
    co_return false;  // what it has is found by the next round
  }
  feed_->stop();
  receipts_->reached({.commit = begins_});
  snapshot_.reset();
  phase_ = phase::settling;
  co_return true;
}

asio::awaitable<void> change_source::settle() {
  if (slot_ != how_.slot) {
    if (!is_snapshot_safe())
      throw error{errc::bad_state,
                  "the snapshot has ended and was not acknowledged: call acknowledge(chunk.last())"
                  " once its rows are safe; the slot is made permanent after that"};
    co_await make_permanent();
  }
  co_await start(begins_);
}

/// Only now, because a consumer that dies before this has to begin anew with the snapshot.
asio::awaitable<void> change_source::make_permanent() {
  std::string copying = copy_slot(slot_, how_.slot);
  std::string dropping = drop_slot(slot_);
  (void)co_await connection_->ask(std::move(copying), how_);
  (void)co_await connection_->ask(std::move(dropping), how_);
  slot_ = how_.slot;
  if (how_.failover) co_await make_failover(slot_);
}

asio::awaitable<void> change_source::make_failover(std::string slot) {
  std::string command = let_fail_over(slot);
  (void)co_await connection_->ask(std::move(command), how_);
}

bool change_source::is_snapshot_safe() const noexcept {
  return receipts_->acknowledged() >= position{.commit = begins_};
}

asio::awaitable<bool> change_source::read_log() {
  using found = change_feed::found;
  for (;;) {
    switch (feed_->peek()) {
      case found::change:
      case found::progress: co_return true;
      case found::unknown: co_await learn_types(); break;
      case found::end: phase_ = phase::over; co_return false;
      case found::nothing: {
        if (feed_->take_question()) tell(false);
        tell_soon();  // what was acknowledged may have been confirmed by the end of its transaction
        const bool has_moved = connection_->stream().move();
        if (has_moved && !connection_->session().io.turn_is_over()) break;
        constexpr int silent_tellings = 3;  // each asks for an answer
        co_await connection_->wait(silent_tellings * how_.status_interval);
        break;
      }
    }
  }
}

asio::awaitable<void> change_source::learn_types() {
  type_catalog told = co_await ask_types(where_, how_.connection, feed_->decoder().missing_types());
  feed_->decoder().types().add(std::move(told));
  feed_->resume();
}

bool change_source::may_reconnect(const error& why) const noexcept {
  return how_.reconnect && phase_ == phase::streaming && why.retryable();
}

asio::awaitable<void> change_source::reconnect() {
  feed_->stop();
  connection_->session().discard();
  for (wire::back_off pauses{how_.backoff, how_.max_backoff};;) {
    co_await pause_for(pauses.next(), "cancelled while the server cannot be reached");
    asio::awaitable<void> attempt = connect_again();
    const std::optional<error> failure = co_await failure_of(std::move(attempt));
    if (!failure) {
      report(change_stream_event::kind::reconnected);
      co_return;
    }
    if (failure->code() == errc::cancelled) throw *failure;
    if (!failure->retryable()) {
      failure_ = failure;
      throw *failure;
    }
  }
}

/// What was handed out already is passed over. A slot of the primary is not on a standby, or as a copy that cannot be
/// read before the standby is promoted.
asio::awaitable<void> change_source::connect_again() {
  co_await open();
  const slot_facts slot = co_await connection_->find_slot(how_);
  if (slot.is_standby && timeline_ != 0)
    connection_->session().io.fail(errc::connect_failed,
                                   "the server is a standby, and the slot \"" + how_.slot + "\" is one of the primary",
                                   true);
  const lsn safe = receipts_->confirmed();
  require_usable(slot, position{.commit = safe});
  co_await require_same_history(slot.timeline);
  co_await start(safe);
}

/// A standby that was promoted may lack the last transactions of the server that has died, and has others at their
/// positions.
asio::awaitable<void> change_source::require_same_history(std::uint32_t timeline) {
  if (timeline_ == 0 || timeline == timeline_) co_return;
  std::string command = timeline_history(timeline);
  const std::vector<wire::text_row> answer = co_await connection_->ask(std::move(command), how_);
  const bool has_text = answer.size() == 1 && !answer.front().empty();
  const std::optional<lsn> end = end_of_timeline(has_text ? answer.front().back().value_or("") : "", timeline_);
  const position seen = std::max(receipts_->last(), feed_->decoder().seen());
  if (!end || seen > position{.commit = *end})
    connection_->session().io.refuse(
        errc::position_lost,
        "the server does not have the changes up to " + seen.to_string() + ", which were handed out already: it " +
            (end ? "was a standby that was promoted at " + end->to_string() + ", before they had reached it"
                 : "does not descend from the one before") +
            ". Begin anew with a snapshot; synchronized_standby_slots lets changes wait for the standby");
  timeline_ = timeline;
}

void change_source::require_usable(const slot_facts& slot, std::optional<position> from) {
  if (const std::optional<refusal> why = refuse_slot(slot, how_, from))
    connection_->session().io.refuse(why->code, why->why);
}

void change_source::acknowledge(position safe) {
  if (!receipts_->acknowledge(safe))
    throw error{errc::bad_state, "the position " + safe.to_string() + " has not been handed out yet: " +
                                     receipts_->last().to_string() + " is the last one"};
  acknowledged_at_ = clock::now().time_since_epoch().count();
  tell_soon();
}

void change_source::tell_soon() {
  if (!receipts_->are_due()) return;
  clock::rep none = 0;
  if (due_since_.compare_exchange_strong(none, clock::now().time_since_epoch().count())) bell_.ring();
}

/// A background coroutine: tells the server how far the client has got, whether or not anybody waits for changes.
asio::awaitable<void> change_source::tell_in_time(std::shared_ptr<change_source> self) {
  while (!self->wish_.is_over()) {
    co_await self->bell_.rung(self->next_telling());
    if (!self->wish_.is_over() && clock::now() >= self->next_telling()) self->tell(true);
  }
}

clock::time_point change_source::next_telling() const noexcept {
  const clock::time_point regularly = wire::later(told_at_, interval_);
  const clock::rep due = due_since_;
  if (due == 0) return regularly;
  return std::min(regularly, wire::later(clock::time_point{clock::duration{due}}, how_.acknowledge_interval));
}

void change_source::tell(bool wants_reply) noexcept {
  told_at_ = clock::now();
  due_since_ = 0;
  if (connection_ != nullptr && connection_->is_streaming())
    connection_->tell(receipts_->status(microseconds_since_2000(), wants_reply));
  report(change_stream_event::kind::acknowledged);
}

void change_source::begin_batch() noexcept {
  const connection_options& how = how_.connection;
  if (!wire::open_span::is_wanted(how.watch, how.parent)) return;
  batch_ = wire::open_span{how.watch, how.parent};
}

/// The consumer is done with what was handed out, or gone.
void change_source::end_batch() noexcept {
  if (!batch_.is_open()) return;
  batch_.end({.is = span_event::kind::change_batch, .rows = progress().changes - changes_before_});
}

asio::awaitable<void> change_source::close(std::shared_ptr<change_source> self) {
  if (self->phase_ == phase::over || self->failure_) co_return;
  self->end_batch();
  self->tell(false);
  const bool is_settled = self->phase_ == phase::settling && self->slot_ != self->how_.slot && self->is_snapshot_safe();
  self->phase_ = phase::over;
  self->feed_->stop();
  asio::awaitable<void> work = is_settled ? self->make_permanent() : self->connection_->finish();
  asio::awaitable<void> ending = self->wish_.unless_over(std::move(work));
  const std::optional<error> failure = co_await failure_of(std::move(ending));
  self->end();
  if (failure) throw *failure;
}

void change_source::leave() noexcept {
  if (wish_.is_over()) return;
  if (connection_ != nullptr && phase_ != phase::over) {
    tell(false);
    connection_->leave();
  }
  end();
}

void change_source::end() noexcept {
  end_batch();
  wish_.end();
  attended_.end();
  if (snapshot_) snapshot_->abandon();
  if (connection_ != nullptr) connection_->session().close();
  bell_.ring();
}

change_progress change_source::progress() const noexcept {
  if (!receipts_) return {};
  const receipts::counts now = receipts_->now();
  return {.received = now.received,
          .acknowledged = now.acknowledged,
          .server = now.server,
          .changes = now.changes,
          .in_snapshot = phase_ == phase::snapshot || (phase_ == phase::settling && !is_snapshot_safe())};
}

}  // namespace sluice::detail
