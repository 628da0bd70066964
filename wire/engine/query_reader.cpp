#include "engine/query_reader.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <sluice/proto/byte_order.hpp>

namespace sluice::wire {

namespace {

/// Of a row: its header, and the counts and lengths in it.
std::size_t overhead_of(const proto::row_shape& shape) noexcept {
  return proto::header_size + 2 + 4 * std::size_t{shape.columns};
}

}  // namespace

bool query_reader::is_free(const session& on) noexcept {
  if (on.is_broken()) return false;
  return std::ranges::all_of(on.engine.queue.all(), &query_conversation::lets_others_in);
}

void query_reader::require_free(const session& on) {
  if (on.is_broken()) on.io.refuse(errc::bad_state, "the connection is closed");
  if (!is_free(on)) on.io.refuse(errc::bad_state, "another query is under way: read it to its end or cancel it first");
}

query_reader::query_reader(session& on, const statement& what) : session_{on}, query_{on.engine, this} {
  take_context();
  require_free(on);
  if (on.is() == session::state::leaving) on.io.refuse(errc::bad_state, "an earlier query is still being left");
  if (what.page_rows != 0) check_timeout(what);
  if (what.discards_rows) {
    wants_ = interest::outcome;
    doing_ = "executing on";
  }
  open(what, true);
}

query_reader::query_reader(const query_reader& before, const statement& what)
    : session_{before.session_}, query_{session_.engine, this} {
  take_context();
  if (what.decides && !what.runs_undescribed)
    session_.io.refuse(errc::bad_query,
                       "in a pipeline no query can wait for its description: it has to say what its rows are, "
                       "documents, objects or columns, and cannot be read in bulk");
  if (what.page_rows != 0) session_.io.refuse(errc::bad_query, "in a pipeline no query can be read in pages");
  open(what, false);
}

query_reader::query_reader(session& on, std::string_view statements)
    : session_{on}, query_{on.engine, this}, wants_{interest::outcome}, doing_{"executing on"} {
  take_context();
  if (on.is() != session::state::leaving) require_free(on);  // ending an abandoned query takes a query of its own
  if (const proto::fault why = query_.begin(statements)) on.io.fail(why);
}

query_reader::query_reader(session& on, copy_from what)
    : session_{on}, query_{on.engine, this}, wants_{interest::outcome}, doing_{"copying into"} {
  take_context();
  require_free(on);
  if (on.is() == session::state::leaving) on.io.refuse(errc::bad_state, "an earlier query is still being left");
  if (const proto::fault why = query_.begin_copy(what.statement)) on.io.fail(why);
}

void query_reader::send_data(std::span<const std::byte> data) {
  if (const proto::fault why = query_.send_data(data)) session_.io.fail(why);
}

query_reader::~query_reader() {
  if (session_.engine.queue.forget(query_)) session_.discard();
}

/// In the caller's block the setting would have to be restored, but when the last page comes is not known. In a block
/// that is begun for pages the setting ends with the block.
void query_reader::check_timeout(const statement& what) const {
  if (what.server_timeout.count() > 0 && session_.engine.is_in_callers_block())
    session_.io.refuse(errc::bad_query,
                       "in a transaction block of the caller's, a query in pages cannot have a timeout of its own on "
                       "the server: set statement_timeout for the block");
}

void query_reader::open(const statement& what, bool may_wait) {
  if (what.page_rows != 0 || what.runs_undescribed) kept_ = kept_rows{what.page_bytes};
  ahead_ = pages_ahead{what.page_bytes, session_.server.round_trip};
  if (const proto::fault why = query_.begin(what, may_wait)) session_.io.fail(why);
}

query_reader::state query_reader::advance() {
  settle_walk();
  take_context();
  if (has_nothing_to_process()) {
    wanted_ = proto::header_size;
    return state::hungry;
  }
  for (;;) {
    if (!query_.is_asking() && hand_out_kept()) return state::rows;
    if (kept_.has_overflowed() && !is_paged()) fail_overflow();
    if (kept_.has_overflowed() && is_free(session_)) abandon();
    if (query_.unsuitable() && !skips_rows()) fail_unsuitable();
    if (is_over()) {
      finish();
      return state::over;
    }
    if (query_.turns() == 0) {  // between two pages
      if (const query_reader* const last = undecided(session_)) {
        wanted_ = last->wanted_;
        return state::hungry;
      }
      take_context();
      request_page();
    }
    if (!is_first()) {
      if (!let_pass()) return state::hungry;
      continue;
    }
    switch (read_on()) {
      case progress::hungry:
        if (query_.is_before_a_page()) ahead_.waits(session_.io.waited());
        return state::hungry;
      case progress::went_on: break;
      case progress::rows:
        if (!query_.is_asking()) return hand_out_arrived();
        keep_aside();
    }
  }
}

/// Most calls of a short query find nothing yet.
bool query_reader::has_nothing_to_process() const noexcept {
  return is_first() && !is_paged() && session_.io.in.arrived().empty() && kept_.empty() && !kept_.has_overflowed() &&
         !query_.unsuitable();
}

query_reader* query_reader::undecided(const session& on) {
  const query_conversation* const last = on.engine.queue.last();
  if (last == nullptr || !last->is_paged() || last->reader().decide()) return nullptr;
  return &last->reader();
}

bool query_reader::will_be_free(const session& on) noexcept {
  const std::vector<query_conversation*>& all = on.engine.queue.all();
  return !on.is_broken() && !is_free(on) && std::ranges::all_of(all, [](const query_conversation* each) {
    return each->lets_others_in() || each->reader().given_;
  });
}

bool query_reader::is_behind_another() const noexcept {
  for (const query_conversation* const each : queue().all()) {
    if (each == &query_) return false;
    if (!each->is_paged()) return true;
  }
  return false;
}

bool query_reader::has_wanted_followers(clock::time_point now) const noexcept {
  const std::vector<query_conversation*>& all = queue().all();
  for (auto each = all.rbegin(); each != all.rend() && *each != &query_; ++each) {
    const std::optional<grace>& given = (*each)->reader().given_;
    if (!given || now < given->until) return true;
  }
  return false;
}

bool query_reader::set_aside() {
  set_rows_apart();
  take_context();
  while (query_.turns() != 0) {
    const bool moved = is_first() ? take_turn() : let_pass();
    if (!moved) return false;
  }
  return true;
}

bool query_reader::decide() {
  take_context();
  while (query_.bars_others()) {
    if (!is_first()) {
      if (!let_pass()) return false;
      continue;
    }
    switch (read_on()) {
      case progress::hungry: return false;
      case progress::went_on: break;
      case progress::rows: keep_aside();
    }
  }
  return true;
}

/// Reads its own messages until another query's answers begin.
/// @return whether they have begun
bool query_reader::take_turn() {
  set_rows_apart();
  ahead_.shared();
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
bool query_reader::let_pass() {
  query_reader& first = queue().first()->reader();
  if (is_behind_another())
    session_.io.fail(errc::bad_state, "an earlier query on the connection has to be read to its end first");
  if (first.take_turn()) return true;
  wanted_ = first.wanted_;
  return false;
}

/// Processes one message that is not a row, or reports that there are rows.
query_reader::progress query_reader::read_on() {
  link& io = session_.io;
  const std::span<const std::byte> arrived = io.in.arrived();
  const bool skips = skips_rows();
  query_.limit_changed();  // another query may have warned of a large row
  if (skips && skip_partial_row(arrived)) return progress::went_on;
  if (!skips && query_.may_have_rows() && !query_.unsuitable() &&
      proto::row_at(arrived.data(), arrived.data() + arrived.size(), query_.shape()) != 0) {
    query_.note_row();
    return progress::rows;
  }
  const proto::framing next = proto::next_frame(arrived, io.limits);
  if (next.found == proto::framing::kind::faulty) io.fail(next.why);
  wanted_ = next.size;
  if (session_.engine.is_to_warn_of_row(next.size) && arrived[0] == query_.shape().type) {
    warn_of_row(next.size);
    return progress::went_on;
  }
  if (next.found == proto::framing::kind::incomplete) return progress::hungry;
  on_message(next.message);
  io.in.consume(next.size - std::exchange(unread_, 0));
  return progress::went_on;
}

void query_reader::warn_of_row(std::size_t size) noexcept {
  session_.engine.warned_of_row();
  if (session_.watch != nullptr)
    session_.watch->on_limit({.of = limit_event::kind::row, .bytes = size, .limit = session_.io.limits.row});
}

/// Copies the rows that have arrived, up to the amount that may be kept. Anything beyond that is dropped, and `advance`
/// ends the query.
void query_reader::keep_aside() {
  const std::span<const std::byte> arrived = session_.io.in.arrived();
  const std::byte* at = arrived.data();
  const std::byte* const end = at + arrived.size();
  while (const std::size_t size = proto::row_at(at, end, query_.shape())) at += size;
  const auto size = static_cast<std::size_t>(at - arrived.data());
  if (!kept_.add(arrived.data(), size)) return;
  if (kept_.has_reached(session_.warn_at) && session_.watch != nullptr)
    session_.watch->on_limit({.of = limit_event::kind::aside, .bytes = kept_.size(), .limit = kept_.most()});
  session_.io.in.consume(size);
}

bool query_reader::hand_out_kept() {
  if (kept_.empty() || wants_ == interest::none) return false;
  const auto [begin, end] = kept_.all();
  hand_out(begin, end);
  return true;
}

query_reader::state query_reader::hand_out_arrived() {
  const std::span<const std::byte> arrived = session_.io.in.arrived();
  hand_out(arrived.data(), arrived.data() + arrived.size());
  if (is_paged()) {
    ahead_.arrived(query_.pages(), bytes_ + rows_ * overhead_of(query_.shape()), session_.io.waited());
    while (query_.wants_page_ahead(ahead_.wanted()) && is_last()) request_page();
  }
  return state::rows;
}

void query_reader::request_page() {
  require_free(session_);
  query_.request_page();
}

void query_reader::hand_out(const std::byte* begin, const std::byte* end) noexcept {
  walked_ = {};
  batch_.begin = begin;
  batch_.end = end;
  batch_.shape = query_.shape();
  batch_.walked = &walked_;
}

/// The rows that were handed out are not needed any more.
void query_reader::settle_walk() noexcept {
  if (apart_.received != nullptr || !apart_.kept.empty()) apart_ = {};
  if (batch_.begin == nullptr) return;
  pass_over(count_walk());
  batch_.begin = nullptr;
}

/// The same while the consumer may still be reading them: they stay where they are.
void query_reader::set_rows_apart() {
  if (batch_.begin == nullptr) return;
  const bool were_kept = kept_.holds(batch_.begin);
  const std::size_t size = count_walk();
  batch_.begin = nullptr;
  if (were_kept) {
    apart_.kept = kept_.part(size);
  } else {
    session_.io.in.consume(size);
    apart_.received = session_.io.in.part();
  }
}

/// Counts the rows that were handed out: up to where the consumer's walk ended, or else all.
/// @return their bytes
std::size_t query_reader::count_walk() noexcept {
  proto::walk_end end = walked_;
  if (end.at == nullptr) {
    end = {.at = batch_.begin, .rows = 0};
    while (const std::size_t size = proto::row_at(end.at, batch_.end, batch_.shape)) {
      end.at += size;
      ++end.rows;
    }
  }
  const auto size = static_cast<std::size_t>(end.at - batch_.begin);
  rows_ += end.rows;
  bytes_ += size - end.rows * overhead_of(batch_.shape);
  return size;
}

/// Consumes bytes of the batch, wherever its rows are stored.
void query_reader::pass_over(std::size_t size) noexcept {
  if (!kept_.holds(batch_.begin)) {
    session_.io.in.consume(size);
    return;
  }
  kept_.consume(size);
  if (kept_.empty()) kept_.clear();
}

void query_reader::keep(const std::byte* first, const std::byte* last) noexcept {
  pass_over(static_cast<std::size_t>(first - batch_.begin));
  batch_.begin = first == last ? nullptr : first;
  batch_.end = last;
}

/// Drops rows, including partial ones, without waiting until they are complete.
/// @return whether anything was dropped
bool query_reader::skip_partial_row(std::span<const std::byte> arrived) {
  if (to_skip_ == 0) {
    if (arrived.size() < proto::header_size || arrived[0] != query_.shape().type || !query_.may_have_rows())
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

void query_reader::on_message(const proto::frame& message) {
  const action next = query_.on(message, skips_rows());
  switch (next.is) {
    case action::kind::go_on: break;
    case action::kind::aside: session_.aside(message); break;
    case action::kind::take_row: take_row(message.body.last(next.row_bytes)); break;
    case action::kind::refuse_copy: refuse_copy_in(); break;
    case action::kind::end_turn:
      if (queue().empty()) session_.io.in.ease();
      break;
    case action::kind::give_up: on_end();
    case action::kind::fail: session_.io.fail(next.why);
  }
}

/// Turns the row into a message of its own, in place.
void query_reader::take_row(std::span<const std::byte> row) {
  std::array<std::byte, proto::header_size> header{query_.shape().type};
  proto::store_big(header.data() + 1, static_cast<std::uint32_t>(row.size() + proto::length_size));
  session_.io.in.overwrite(row.data() - header.size(), header);  // the header of the copy is longer
  unread_ = header.size() + row.size();
}

void query_reader::refuse_copy_in() {
  if (!is_last() || repeated()) {  // the server has ignored a Sync: which answer belongs to which query is unknown
    session_.discard();
    session_.io.fail(errc::unsupported_result, "COPY FROM STDIN in front of other statements");
  }
  query_.refuse_copy_in();
}

void query_reader::on_end() {
  session_.discard();
  if (query_.said()) throw session_.io.server_error(*query_.said(), false);
  session_.io.fail_lost();
}

void query_reader::take_context() const noexcept {
  session_.io.where.doing = doing_;
  session_.io.where.rows = rows_;
}

std::optional<error> query_reader::failure() const {
  if (!query_.said()) return std::nullopt;
  take_context();
  return session_.io.server_error(*query_.said(), !session_.is_broken());
}

std::string_view query_reader::sqlstate() const noexcept {
  return query_.said() ? std::string_view{query_.said()->sqlstate} : "";
}

void query_reader::abandon() {
  settle_walk();
  wants_ = interest::none;
  kept_.clear();
  if (!session_.is_broken()) query_.let_go(may_go_on());
}

void query_reader::fetch_on() {
  query_.hold_pages(false);
  if (query_.is_fetching() && query_.turns() == 0 && kept_.empty() && is_free(session_)) query_.request_page();
}

void query_reader::fail_unsuitable() const {
  const link::context& where = session_.io.where;
  const errc code = query_.unsuitable()->code;
  throw error{error_info{.code = code,
                         .message = where.after(query_.unsuitable()->why),
                         .server = {},
                         .rows = where.rows,
                         .retryable = code == errc::result_changed && !session_.engine.is_in_callers_block(),
                         .connection_usable = true}};
}

void query_reader::fail_overflow() const {
  if (is_paged())
    session_.io.fail(errc::stream_too_large,
                     "its pages had to wait for another query and are larger than what may be set aside");
  session_.io.fail(errc::stream_too_large,
                   "its rows have types that the server has to be asked about, and are larger than what may be set "
                   "aside until then (page_bytes): leave out as_object(), and they are asked about first");
}

void query_reader::finish() {
  if (kept_.take_overflow()) fail_overflow();
  if (query_.said() && wants_ != interest::none) throw session_.io.server_error(*query_.take_said(), true);
}

bool query_reader::move() {
  const link::moved moved = session_.io.transfer(wanted_);
  if (moved == link::moved::end) on_end();
  return moved == link::moved::something;
}

}  // namespace sluice::wire
