#include "changes/change_feed.hpp"

#include <string>

namespace sluice::detail {

namespace pgoutput = proto::pgoutput;

void change_feed::read(wire::session& on, wire::wal_stream& from, lsn begins) {
  decoder_.restart(begins);
  from_ = live{&on, &from};
  is_held_ = false;
  is_unjudged_ = false;
  failure_.reset();
}

void change_feed::read(const chunk& rows, relation_rows& relation, position at) noexcept {
  from_ = stored{.at = rows.begin(), .relation = &relation, .place = at, .has_begun = false};
  is_held_ = false;
  is_unjudged_ = false;
}

/// What has ended the stream is for the next `peek` to tell: its caller may connect again.
change_feed::found change_feed::step() {
  found next = found::nothing;
  try {
    next = peek();
  } catch (const error&) {
    if (!failure_) throw;
  }
  if (std::exchange(is_held_, false)) receipts_.handed_out(at());
  return next;
}

change_feed::found change_feed::peek() {
  while (!is_held_) {
    if (!is_unjudged_)
      if (const found next = advance(); next != found::change) return next;
    is_unjudged_ = true;
    is_held_ = is_wanted();
    is_unjudged_ = false;
  }
  return found::change;
}

bool change_feed::is_wanted() {
  if (what() == operation::message) return !filter_.is_heartbeat(now().prefix);
  if (!has_row(what()) || !filter_.is_needed(relation()->relation())) return true;
  return filter_.passes(relation()->relation(), what() == operation::remove ? old_text() : text());
}

change_feed::found change_feed::advance() {
  has_new_ = false;
  has_old_ = false;
  if (auto* const rows = std::get_if<stored>(&from_)) return step_stored(*rows);
  const auto* const log = std::get_if<live>(&from_);
  if (log == nullptr) return found::end;
  if (failure_) throw *failure_;
  try {
    return step_live(*log);
  } catch (const error& why) {
    failure_ = why;
    throw;
  }
}

void change_feed::stop() noexcept {
  from_ = none{};
  is_held_ = false;
  is_unjudged_ = false;
}

change_feed::found change_feed::step_stored(stored& from) {
  if (std::exchange(from.has_begun, true)) ++from.at;
  if (from.at == std::default_sentinel) return found::nothing;
  ++from.place.index;
  return found::change;
}

change_feed::found change_feed::step_live(const live& from) {
  using state = wire::wal_stream::state;
  if (decoder_.is_asking()) return found::unknown;
  for (;;) {
    if (decoder_.has_more()) {
      if (const std::optional<found> now = after(decoder_.take_more(), from)) return *now;
      continue;
    }
    switch (from.stream->advance()) {
      case state::hungry: return found::nothing;
      case state::over: return found::end;
      case state::begun: break;
      case state::alive: {
        const proto::primary_keepalive& alive = from.stream->alive();
        if (alive.wants_reply) is_asked_ = true;
        if (!decoder_.is_in_transaction() && receipts_.idle({alive.end})) return found::progress;
        break;
      }
      case state::piece: {
        const proto::xlog_data& piece = from.stream->piece();
        receipts_.received({piece.start}, {piece.end});
        if (const std::optional<found> now = after(decoder_.take(piece.data), from)) return *now;
        break;
      }
    }
  }
}

/// @return nothing: go on
std::optional<change_feed::found> change_feed::after(change_decoder::outcome what, const live& from) {
  using outcome = change_decoder::outcome;
  switch (what) {
    case outcome::nothing: break;
    case outcome::change: return found::change;
    case outcome::committed: {
      const transaction_end& ended = decoder_.ended();
      receipts_.committed(ended);
      if (ended.is_change) return found::change;
      break;
    }
    case outcome::asking: return found::unknown;
    case outcome::malformed: from.on->io.fail(errc::protocol_violation, "the server sent " + decoder_.why());
  }
  return std::nullopt;
}

void change_feed::resume() { (void)decoder_.resume(); }

bool change_feed::is_snapshot() const noexcept { return std::holds_alternative<stored>(from_); }
position change_feed::at() const noexcept {
  const auto* const rows = std::get_if<stored>(&from_);
  if (rows != nullptr) return rows->place;
  return now().is_running ? receipts_.last() : now().at;
}
operation change_feed::what() const noexcept { return is_snapshot() ? operation::snapshot : now().what; }
relation_rows* change_feed::relation() const noexcept {
  const auto* const rows = std::get_if<stored>(&from_);
  return rows == nullptr ? now().relation : rows->relation;
}

std::string change_feed::place() const {
  return " in the change at " + now().at.to_string() + " of " + now().relation->relation().qualified_name();
}

void change_feed::refuse_size() const {
  throw error{errc::row_too_large,
              "the row has more bytes than the limit of " + std::to_string(largest_) + ',' + place()};
}

/// @param row  writes it to `to`, and returns whether it is one
template <class Row>
void change_feed::write(text_buffer& to, const Row& row) const {
  to.clear();
  to.limit(largest_);
  bool is_written = true;
  bool is_too_large = false;
  try {
    is_written = row();
    is_too_large = to.size() > largest_;
  } catch (const text_too_long&) {
    is_too_large = true;
  }
  if (is_written && !is_too_large) return;
  if (is_too_large) refuse_size();
  throw error{errc::result_changed, "a value of the column \"" + now().relation->culprit() +
                                        "\" is not of its type, which may have been altered," + place()};
}

pgoutput::tuple change_feed::whole_old_row() const noexcept {
  return now().row.told == pgoutput::old_row::full ? now().row.before : pgoutput::tuple{};
}

bool change_feed::has_new_row() const noexcept {
  return !is_snapshot() && (now().what == operation::insert || now().what == operation::update);
}

bool change_feed::has_old_row() const noexcept {
  const bool may_have_one = !is_snapshot() && (now().what == operation::update || now().what == operation::remove);
  return may_have_one && now().row.told != pgoutput::old_row::none;
}

std::string_view change_feed::text() {
  if (const auto* const rows = std::get_if<stored>(&from_)) {
    require_objects();
    return (*rows->at).text();
  }
  if (now().what == operation::message) return now().content;
  if (!has_new_row()) return {};
  require_objects();
  if (!has_new_) {
    unchanged_.clear();
    write(text_, [&] { return now().relation->write(text_, now().row.after, whole_old_row(), unchanged_); });
    has_new_ = true;
  }
  return text_.text();
}

std::string_view change_feed::old_text() {
  if (!has_old_row()) return {};
  require_objects();
  if (!has_old_) {
    std::vector<std::string_view> none_left_out;
    relation_rows& rows = *now().relation;
    const pgoutput::row_change& told = now().row;
    write(old_text_, [&] {
      return told.told == pgoutput::old_row::key ? rows.write_key(old_text_, told.before)
                                                 : rows.write(old_text_, told.before, {}, none_left_out);
    });
    has_old_ = true;
  }
  return old_text_.text();
}

row change_feed::columns() {
  require_columns();
  if (const auto* const rows = std::get_if<stored>(&from_)) return *rows->at;
  if (!has_new_row()) fail_no_row("new");
  if (!has_new_) {
    unchanged_.clear();
    copy(row_, now().row.after, whole_old_row(), unchanged_);
    has_new_ = true;
  }
  return row{row_.data(), &now().relation->shape()};
}

row change_feed::old_columns() {
  require_columns();
  if (!has_old_row()) fail_no_row("old");
  if (!has_old_) {
    std::vector<std::string_view> none_left_out;
    copy(old_row_, now().row.before, {}, none_left_out);
    has_old_ = true;
  }
  return row{old_row_.data(), &now().relation->shape()};
}

void change_feed::copy(std::vector<std::byte>& to, const pgoutput::tuple& tuple, const pgoutput::tuple& before,
                       std::vector<std::string_view>& left_out) const {
  now().relation->copy(to, tuple, before, left_out);
  if (to.size() > largest_) refuse_size();
}

void change_feed::require_objects() const {
  if (has_columns_)
    throw error{errc::bad_state, "the rows of these changes come as columns (change_options::columns), not as objects"};
}

void change_feed::require_columns() const {
  if (!has_columns_)
    throw error{errc::bad_state, "the rows of these changes come as objects: set change_options::columns"};
}

void change_feed::fail_no_row(std::string_view which) const {
  throw error{errc::bad_state,
              "a change of the kind " + std::string{to_string(what())} + " here has no " + std::string{which} + " row"};
}

std::span<const std::string_view> change_feed::unchanged() {
  if (is_snapshot() || now().what != operation::update) return {};
  if (has_columns_)
    (void)columns();
  else
    (void)text();
  return unchanged_;
}

}  // namespace sluice::detail
