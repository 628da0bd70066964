#include "running_query.hpp"

#include <new>
#include <utility>

namespace sluice::detail {

namespace {

wire::statement::shape shape_of(query::shape rows) noexcept {
  switch (rows) {
    case query::shape::document: return wire::statement::shape::document;
    case query::shape::object: return wire::statement::shape::object;
    case query::shape::columns: return wire::statement::shape::columns;
    case query::shape::detect: break;
  }
  return wire::statement::shape::detect;
}

void require_idle(const wire::session& session) {
  if (session.is == wire::session::state::broken) session.io.fail(errc::bad_state, "the connection is closed");
  if (session.is != wire::session::state::idle)
    session.io.fail(errc::bad_state, "another query is under way: read it to its end or cancel it first");
}

// Errors after which nothing can be said about what the server will send next.
bool breaks_connection(condition kind) noexcept {
  return kind == condition::protocol || kind == condition::limit || kind == condition::connection ||
         kind == condition::tls;
}

std::chrono::microseconds micros(wire::clock::duration time) noexcept {
  return std::chrono::duration_cast<std::chrono::microseconds>(time);
}

}  // namespace

running_query::running_query(std::shared_ptr<wire::session> on, const query& what, const query_options& options)
    : session_{std::move(on)}, waited_before_{session_->io.waited()}, reads_before_{session_->io.reads()} {
  require_idle(*session_);
  std::vector<std::uint32_t> types;
  std::vector<proto::parameter> values;
  types.reserve(what.parameters().size());
  values.reserve(what.parameters().size());
  for (const bind_value& value : what.parameters()) {
    types.push_back(value.type());
    values.push_back({.value = value.text() ? std::optional<std::string_view>{*value.text()} : std::nullopt,
                      .binary = value.is_binary()});
  }
  exchange_.emplace(*session_, wire::statement{what.text(), types, values, shape_of(what.rows())});
  if (what.left() != nullptr) {
    rest_ = *what.left();
    filter_ = std::make_unique<client_filter>(rest_.filter);
  }
  start(options);
}

running_query::running_query(std::shared_ptr<wire::session> on, std::string_view statements,
                             const query_options& options)
    : session_{std::move(on)}, waited_before_{session_->io.waited()}, reads_before_{session_->io.reads()} {
  require_idle(*session_);
  exchange_.emplace(*session_, statements);
  start(options);
}

void running_query::start(const query_options& options) {
  limits_ = options;
  set_deadline();
  link().flush();
}

void running_query::enter() noexcept {
  consumer_ += wire::clock::now() - left_;
  set_deadline();
}

/// The nearest of those that apply from now on.
void running_query::set_deadline() noexcept {
  wire::clock::time_point nearest = wire::clock::time_point::max();
  std::string_view words;
  const auto add = [&](std::chrono::milliseconds limit, wire::clock::time_point since, std::string_view what) {
    if (limit.count() <= 0 || since + limit >= nearest) return;
    nearest = since + limit;
    words = what;
  };
  add(limits_.timeout, limits_.timeout_counts_pauses ? began_ : began_ + consumer_, "the query's deadline passed");
  if (chunks_ == 0) add(limits_.first_row_timeout, began_, "no row came in time");
  if (limits_.stall_timeout.count() > 0)
    add(limits_.stall_timeout, wire::clock::now(), "the server sent nothing for too long");
  link().set_deadline(nearest, words);
}

std::optional<chunk> running_query::advance(bool polite) {
  try {
    std::optional<chunk> result = step(polite);
    left_ = wire::clock::now();
    return result;
  } catch (const error& failure) {
    left_ = wire::clock::now();
    if (breaks_connection(failure.kind())) session_->discard();
    throw;
  } catch (const std::bad_alloc&) {
    session_->discard();
    link().fail(errc::out_of_memory, "out of memory");
  }
}

std::optional<chunk> running_query::step(bool polite) {
  if (session_->is == wire::session::state::broken && !exchange_->is_over())
    link().fail(errc::bad_state, "the connection is closed");
  for (;;) {
    const wire::exchange::state state = exchange_->advance();
    if (state == wire::exchange::state::rows && filter_ != nullptr && !select_rows()) continue;
    if (state != wire::exchange::state::hungry) return hand_over(state);
    const wire::link::moved moved = link().transfer(exchange_->wanted());
    if (moved == wire::link::moved::end) exchange_->on_end();
    if (limits_.stall_timeout.count() > 0 && moved == wire::link::moved::something) set_deadline();
    if (moved == wire::link::moved::nothing || (polite && link().turn_is_over())) return std::nullopt;
  }
}

/// Narrows the rows at hand to the first of them that match and follow each other.
/// @return whether there are any
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

chunk running_query::hand_over(wire::exchange::state state) {
  if (state == wire::exchange::state::over) {
    link().set_deadline(wire::clock::time_point::max());
    return {};
  }
  if (chunks_++ == 0) first_row_ = wire::clock::now();
  return chunk{exchange_->rows(), exchange_->columns()};
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
          .buffer_peak = session_->io.in.peak()};
}

}  // namespace sluice::detail
