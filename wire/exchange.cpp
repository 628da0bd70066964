#include <sluice/wire/exchange.hpp>

#include <algorithm>
#include <utility>

#include <sluice/proto/backend.hpp>
#include <sluice/proto/oid.hpp>

namespace sluice::wire {

namespace {

/// The query with its columns made into one JSON object. A CTE, not a subquery, so that INSERT ... RETURNING works too.
std::string as_objects(std::string_view text) {
  while (!text.empty() && (text.back() == ';' || text.back() == ' ' || text.back() == '\n' || text.back() == '\t'))
    text.remove_suffix(1);
  return "with q as (" + std::string{text} + "\n) select row_to_json(q) from q";  // the newline ends a comment
}

bool is_json(std::uint32_t type) noexcept { return type == proto::oid::json || type == proto::oid::jsonb; }

/// Encodes all or nothing.
class flight {
 public:
  flight(session& on, proto::output& to) : session_{on}, to_{to}, start_{to.size()} {}
  template <class Message>
  flight& operator<<(const Message& message) {
    if (const proto::fault why = proto::encode(message, to_)) {
      to_.resize(start_);
      session_.io.fail(why);
    }
    return *this;
  }

 private:
  session& session_;
  proto::output& to_;
  std::size_t start_;
};

}  // namespace

exchange::exchange(session& on, const statement& what) : session_{on} {
  session_.io.where.doing = "querying";
  session_.io.where.rows = 0;
  by_columns_ = what.as == statement::shape::columns;
  const proto::bind bind{.portal = {}, .statement = {}, .parameters = what.values, .binary_results = by_columns_};
  if (what.as == statement::shape::detect) {
    flight{on, execution_} << bind << proto::execute{} << proto::sync{};
    flight{on, on.io.out} << proto::parse{.statement = {}, .sql = what.text, .parameter_types = what.types}
                          << proto::describe{proto::describe::kind::statement, {}} << proto::flush{};
    text_ = what.text;
    types_.assign(what.types.begin(), what.types.end());
    machine_ = proto::query_machine{proto::query_machine::flight::describe_first};
  } else {
    const std::string wrapped = what.as == statement::shape::object ? as_objects(what.text) : std::string{};
    const std::string_view text = wrapped.empty() ? what.text : std::string_view{wrapped};
    flight{on, on.io.out} << proto::parse{.statement = {}, .sql = text, .parameter_types = what.types} << bind
                          << proto::describe{proto::describe::kind::portal, {}} << proto::execute{} << proto::sync{};
    machine_ = proto::query_machine{proto::query_machine::flight::extended};
  }
  on.is = session::state::busy;
}

exchange::exchange(session& on, std::string_view statements) : session_{on} {
  session_.io.where.doing = "executing on";
  session_.io.where.rows = 0;
  flight{on, on.io.out} << proto::query{statements};
  machine_ = proto::query_machine{proto::query_machine::flight::simple};
  on.is = session::state::busy;
  skipping_ = true;  // rows, not errors
}

exchange::state exchange::advance() {
  settle_walk();
  link& io = session_.io;
  while (!machine_.is_idle()) {
    const std::span<const std::byte> arrived = io.in.arrived();
    if (skipping_ && skip_partial_row(arrived)) continue;
    if (!skipping_ && machine_.may_have_rows() && !unsuitable_ &&
        proto::row_at(arrived.data(), arrived.data() + arrived.size(), batch_.shape) != 0) {
      walked_ = {};
      batch_.begin = arrived.data();
      batch_.end = arrived.data() + arrived.size();
      batch_.walked = &walked_;
      return state::rows;
    }
    const proto::framing next = proto::next_frame(arrived, io.limits);
    if (next.found == proto::framing::kind::faulty) io.fail(next.why);
    wanted_ = next.size;
    if (next.found == proto::framing::kind::incomplete) return state::hungry;
    on_message(next);
    io.in.consume(next.size);
    if (unsuitable_ && !skipping_) io.fail(errc::unsupported_result, *unsuitable_);
  }
  finish();
  return state::over;
}

/// Takes over where the consumer's walk ended, or walks on from where it was left.
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
  session_.io.in.consume(size);
  session_.io.where.rows += end.rows;
  const std::size_t overhead = proto::header_size + 2 + 4 * std::size_t{batch_.shape.columns};  // counts and lengths
  bytes_ += size - end.rows * overhead;
  batch_.begin = nullptr;
}

void exchange::keep(const std::byte* first, const std::byte* last) noexcept {
  session_.io.in.consume(static_cast<std::size_t>(first - batch_.begin));
  batch_.begin = first == last ? nullptr : first;
  batch_.end = last;
}

/// Drops rows, and pieces of rows, without waiting until they are complete.
/// @return whether anything was dropped
bool exchange::skip_partial_row(std::span<const std::byte> arrived) {
  if (to_skip_ == 0) {
    if (arrived.size() < proto::header_size || arrived[0] != std::byte{'D'} || !machine_.may_have_rows()) return false;
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

void exchange::on_message(const proto::framing& next) {
  const proto::frame& message = next.message;
  const proto::step step = machine_.on(message);
  switch (step.is) {
    using enum proto::step::kind;
    case violation: session_.io.fail(step.why);
    case aside: session_.aside(message); break;
    case described: on_columns(message); break;
    case row:
      if (!skipping_)
        session_.io.fail(proto::fault{proto::fault::kind::malformed, message.type,
                                      "the fields do not match the columns or do not fill the body exactly"});
      break;
    case no_rows:
      if (machine_.is_deciding()) execute({});
      break;
    case complete:
      if (message.type == 'C') {
        const auto done = proto::decode_command_complete(message.body);
        if (!done) session_.io.fail(proto::fault{proto::fault::kind::malformed, 'C', "the tag has no end"});
        tag_ = done->tag;
      }
      break;
    case refused:
      if (!said_) said_ = read_server_message(session_.io, message);
      if (machine_.needs_sync()) {
        flight{session_, session_.io.out} << proto::sync{};
        machine_.synced();
      }
      break;
    case copy_in: answer_copy_in(); break;
    case copy_out: unsuitable_ = "COPY is not a query: use a SELECT"; break;
    case ready: {
      const auto now = proto::decode_ready_for_query(message.body);
      if (!now) session_.io.fail(proto::fault{proto::fault::kind::malformed, 'Z', "the status is not I, T or E"});
      session_.transaction = now->status;
      break;
    }
    case suspended:
      session_.io.fail(proto::fault{proto::fault::kind::unexpected, message.type, "no row limit was asked for"});
    case nothing: break;
  }
}

void exchange::on_columns(const proto::frame& message) {
  const auto columns = proto::decode_row_description(message.body);
  if (!columns)
    session_.io.fail(proto::fault{proto::fault::kind::malformed, message.type, "the columns do not fill the body"});
  const std::size_t count = columns->size();
  batch_.shape = {.columns = static_cast<std::uint16_t>(count),
                  .max_body = static_cast<std::uint32_t>(session_.io.limits.row)};
  if (machine_.is_deciding()) {
    if (count == 1 && is_json(columns->begin()->type))
      execute({});
    else
      execute(as_objects(text_));
  } else if (by_columns_) {
    for (const proto::column& each : *columns) columns_.push_back({.name = std::string{each.name}, .type = each.type});
  } else if (count != 1 && !skipping_) {
    unsuitable_ = "the query gives " + std::to_string(count) +
                  " columns where one document per row was asked for: let them become an object";
  }
}

/// Second half of a describe_first flight: the same statement, or the wrapped one when there is one.
void exchange::execute(std::string_view wrapped) {
  flight to{session_, session_.io.out};
  if (quiet_) {  // nobody wants it any more, so it is not even begun
    to << proto::sync{};
    machine_.synced();
    return;
  }
  if (!wrapped.empty()) {
    to << proto::parse{.statement = {}, .sql = wrapped, .parameter_types = types_};
    batch_.shape.columns = 1;
  }
  session_.io.out.insert(session_.io.out.end(), execution_.begin(), execution_.end());
  machine_.executing(!wrapped.empty());
  execution_ = {};
}

void exchange::answer_copy_in() {
  flight{session_, session_.io.out} << proto::copy_fail{"COPY FROM STDIN is not supported here"};
  if (machine_.needs_sync()) {
    flight{session_, session_.io.out} << proto::sync{};
    machine_.synced();
  }
}

void exchange::finish() {
  session_.is = session::state::idle;
  if (said_ && !quiet_) throw session_.io.server_error(*std::exchange(said_, std::nullopt), true);
}

void exchange::on_end() {
  session_.discard();
  if (said_) throw session_.io.server_error(*said_, false);
  session_.io.fail_lost();
}

std::string_view exchange::sqlstate() const noexcept { return said_ ? std::string_view{said_->sqlstate} : ""; }

asio::awaitable<void> read_to_end(exchange& query) {
  link& io = query.on().io;
  while (query.advance() != exchange::state::over) {
    const link::moved moved = io.transfer(query.wanted());
    if (moved == link::moved::end) query.on_end();
    if (moved == link::moved::something && !io.turn_is_over()) continue;
    co_await io.ready();
    io.check_wait();
  }
}

}  // namespace sluice::wire
