#include "api/running_query.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <string>
#include <utility>

#include "query/bulk_copy.hpp"
#include "query/by_columns.hpp"
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
  if (what.undeclared() != nullptr && before == nullptr) {
    if (types_of(*session_).is_without_documents(what.text()))
      if (const std::optional<query> instead = by_columns(*what.undeclared(), what.rows()))
        return encode(*instead, before);
    undeclared_ = what.undeclared();
    text_ = what.text();
  }
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
  const bool is_document = what.rows() == query::shape::document;
  constexpr std::array in_binary{proto::value_format::binary};
  wire::statement statement{.text = what.text(),
                            .types = types,
                            .values = values,
                            .by_columns = !is_document,
                            .refuses = is_document ? refuse_documents : nullptr,
                            .page_rows = is_paged ? std::max(limits_.page_rows, 1U) : 0U,
                            .page_bytes = limits_.page_bytes,
                            .server_timeout = limits_.server_timeout};
  if (what.rows() == query::shape::object || what.rows() == query::shape::detect)
    shape_ = std::make_shared<result_shape>(*session_, what.rows(), what.places());
  std::optional<bulk_copy> copied;
  if (limits_.mode == fetch_mode::bulk) {
    require_standard_strings(what);
    copied.emplace(what, values, shape_).make_copy(statement);
  } else if (shape_ != nullptr) {
    statement.decides = [&] { return decide_objects(shape_, what.text()); };
    const bool is_fast_in_text = what.places() != nullptr || what.effects() != query::effect::none;
    statement.runs_undescribed = what.rows() == query::shape::object && is_fast_in_text;
  } else if (what.rows() == query::shape::columns) {
    statement.formats = in_binary;
  }
  if (before == nullptr)
    exchange_.emplace(*session_, statement);
  else
    exchange_.emplace(*before, statement);
  wanted_ = what.rows();
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
    object_bytes_ += std::exchange(unread_bytes_, 0);
    const wire::exchange::state now = advance_exchange();
    check_limits();
    if (now == wire::exchange::state::rows && !take_rows()) continue;
    if (now != wire::exchange::state::hungry) return hand_over(now);
    const bool has_moved = exchange_->move();
    if (limits_.stall_timeout.count() > 0 && has_moved) set_deadline();
    if (!has_moved || (polite && link().turn_is_over())) return std::nullopt;
  }
}

wire::exchange::state running_query::advance_exchange() {
  std::optional<query> instead;
  try {
    return exchange_->advance();
  } catch (const error& failure) {
    if (!has_no_documents(failure)) throw;
    instead = by_columns(*std::exchange(undeclared_, nullptr), wanted_);
    if (!instead) throw;
    report_end(&failure, false);
  }
  types_of(*session_).remember_without_documents(text_);
  encode(*instead, nullptr);
  link().flush();
  report_.sent();
  return exchange_->advance();
}

/// In a transaction block of the caller's the error has ended the transaction: there is no second try.
bool running_query::has_no_documents(const error& failure) const {
  constexpr std::string_view no_such_column{"42703"};
  return undeclared_ != nullptr && failure.sqlstate() == no_such_column &&
         failure.server()->message.find(default_column) != std::string::npos && exchange_->is_over() &&
         !session_->is_broken() && session_->engine.queue.empty() && !session_->engine.scope.in_callers_block();
}

/// Takes the rows that have arrived, or makes documents of them.
/// @return whether there are any to hand out
bool running_query::take_rows() {
  if (shape_ != nullptr && !shape_->is_known())
    throw exchange_->failure().value();  // its types could not be asked about
  if (shape_ != nullptr && shape_->makes_objects()) return make_objects();
  if (filter_ != nullptr && !select_rows()) return false;
  rows_ = exchange_->rows();
  return true;
}

bool running_query::make_objects() {
  constexpr std::size_t enough = 64U << 10U;  // bytes: what a processor keeps close while they are read
  const proto::row_batch& from = exchange_->rows();
  const object_rows::judge judges = [this](const std::byte* body) { return judge(row{body}); };
  const object_rows::made now =
      objects_.make(from, shape_->objects(), enough, link().limits.row, filter_ == nullptr ? nullptr : judges);
  switch (now.is) {
    case object_rows::made::kind::malformed: fail_malformed();
    case object_rows::made::kind::too_large:
      link().fail(errc::row_too_large, "a row's object has " + std::to_string(now.too_large_bytes) +
                                           " bytes, more than the limit of " + std::to_string(link().limits.row));
    case object_rows::made::kind::rows: break;
  }
  *from.walked = {.at = now.rest, .rows = now.count};
  rows_ = now.rows;
  unread_bytes_ = now.bytes;
  return now.count != 0;
}

/// A value whose bytes are none of its type's, as far as that is known here.
void running_query::fail_malformed() {
  const result_columns& columns = *exchange_->columns();
  const std::size_t which = shape_->objects().culprit();
  if (which >= columns.size()) link().fail(errc::protocol_violation, "a row has other columns than the result");
  const result_column& column = columns[which];
  const std::string what = "a value of the column \"" + column.name + "\" is not of its type";
  if (column.type < first_of_users) link().fail(errc::protocol_violation, what);
  types_of(*session_).known = {};  // the type was altered since it was asked about
  throw error{error_info{.code = errc::result_changed,
                         .message = link().where.after(what + ", which may have been altered: run the query again"),
                         .server = {},
                         .rows = link().where.rows,
                         .retryable = !session_->engine.scope.in_block(),
                         .connection_usable = true}};
}

/// Narrows the current rows to the first contiguous run that matches.
/// @return whether any row matched
bool running_query::select_rows() {
  const proto::row_batch rows = exchange_->rows();
  const std::byte* first = nullptr;
  const std::byte* at = rows.begin;
  while (const std::size_t size = proto::row_at(at, rows.end, rows.shape)) {
    const object_rows::verdict verdict = judge(row{at + proto::header_size});
    const bool is_kept = verdict != object_rows::verdict::drop;
    if (!is_kept && first != nullptr) break;
    if (is_kept && first == nullptr) first = at;
    at += size;
    if (verdict == object_rows::verdict::keep_as_last) break;
  }
  exchange_->keep(first == nullptr ? at : first, at);
  return first != nullptr;
}

object_rows::verdict running_query::judge(const row& each) {
  using enum object_rows::verdict;
  if (!filter_->matches(each)) return drop;
  if (rest_.offset != 0) {
    --rest_.offset;
    return drop;
  }
  return rest_.limit && --*rest_.limit == 0 ? keep_as_last : keep;
}

void running_query::check_limits() {
  const std::uint64_t most = limits_.max_stream_bytes;
  const std::uint64_t bytes = this->bytes();
  if (most == 0 || bytes == 0) return;
  if (bytes > most)
    link().fail(errc::stream_too_large,
                "it has brought more bytes than max_stream_bytes allows (" + std::to_string(most) + ')');
  if (warned_ || static_cast<double>(bytes) < session_->warn_at * static_cast<double>(most)) return;
  warned_ = true;
  if (session_->watch != nullptr)
    session_->watch->on_limit({.of = limit_event::kind::stream, .bytes = bytes, .limit = most});
}

/// Null for documents.
const result_columns* running_query::handed_columns() {
  if (shape_ != nullptr || exchange_->columns() == nullptr) return nullptr;
  if (wanted_ != query::shape::text_columns) return exchange_->columns();
  if (texts_.empty()) {
    texts_ = *exchange_->columns();
    for (result_column& each : texts_) each.is_text = true;
  }
  return &texts_;
}

std::span<const result_column> running_query::columns() const noexcept {
  if (!texts_.empty()) return texts_;
  if (shape_ != nullptr || exchange_->columns() == nullptr) return {};
  return *exchange_->columns();
}

chunk running_query::hand_over(wire::exchange::state reached) {
  const result_columns* const columns = handed_columns();
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
  report_.chunk({.bytes = static_cast<std::size_t>(rows_.end - rows_.begin),
                 .server_wait = session_->io.waited() - waited_at_entry_,
                 .consumer_wait = entered_ - left_});
  return chunk{rows_, columns};
}

std::uint64_t running_query::bytes() const noexcept {
  return shape_ != nullptr && shape_->makes_objects() ? object_bytes_ : exchange_->bytes();
}

void running_query::report_end(const error* failure, bool was_left) noexcept {
  if (!report_.is_open()) return;
  report_.end({.query = {},
               .rows = exchange_->row_count(),
               .bytes = bytes(),
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
          .bytes = bytes(),
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
