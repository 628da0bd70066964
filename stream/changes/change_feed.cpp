#include "changes/change_feed.hpp"

#include <string>

namespace sluice::detail {

void change_feed::read(wire::session& on, wire::wal_stream& from) noexcept {
  decoder_.restart();
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

change_feed::found change_feed::step() {
  const found next = peek();
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
  has_text_ = false;
  has_old_text_ = false;
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
  if (decoder_.has_more())
    if (const std::optional<found> now = after(decoder_.take_more(), from)) return *now;
  for (;;) {
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
  return rows == nullptr ? now().at : rows->place;
}
operation change_feed::what() const noexcept { return is_snapshot() ? operation::snapshot : now().what; }
relation_rows* change_feed::relation() const noexcept {
  const auto* const rows = std::get_if<stored>(&from_);
  return rows == nullptr ? now().relation : rows->relation;
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
  const changed_relation& relation = now().relation->relation();
  const std::string where = " in the change at " + now().at.to_string() + " of " + relation.qualified_name();
  if (!is_written)
    throw error{errc::result_changed, "a value of the column \"" + now().relation->culprit() +
                                          "\" is not of its type, which may have been altered," + where};
  throw error{errc::row_too_large,
              "the object has more bytes than the limit of " + std::to_string(largest_) + "," + where};
}

std::string_view change_feed::text() {
  if (const auto* const rows = std::get_if<stored>(&from_)) return (*rows->at).text();
  const change_view& of = now();
  if (of.what == operation::message) return of.content;
  if (of.what != operation::insert && of.what != operation::update) return {};
  if (!has_text_) {
    unchanged_.clear();
    const bool is_full = of.row.told == proto::pgoutput::old_row::full;
    write(text_, [&] {
      return of.relation->write(text_, of.row.after, is_full ? of.row.before : proto::pgoutput::tuple{}, unchanged_);
    });
    has_text_ = true;
  }
  return text_.text();
}

std::string_view change_feed::old_text() {
  if (is_snapshot()) return {};
  const change_view& of = now();
  const bool has_row = of.what == operation::update || of.what == operation::remove;
  if (!has_row || of.row.told == proto::pgoutput::old_row::none) return {};
  if (!has_old_text_) {
    std::vector<std::string_view> none_left_out;
    write(old_text_, [&] {
      return of.row.told == proto::pgoutput::old_row::key
                 ? of.relation->write_key(old_text_, of.row.before)
                 : of.relation->write(old_text_, of.row.before, {}, none_left_out);
    });
    has_old_text_ = true;
  }
  return old_text_.text();
}

std::span<const std::string_view> change_feed::unchanged() {
  if (is_snapshot() || now().what != operation::update) return {};
  (void)text();
  return unchanged_;
}

}  // namespace sluice::detail
