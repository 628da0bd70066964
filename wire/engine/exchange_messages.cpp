// How an exchange handles the messages that are not rows.
#include <array>
#include <utility>

#include <sluice/proto/byte_order.hpp>
#include "engine/exchange.hpp"
#include "messages/backend.hpp"

#include "engine/flight.hpp"

namespace sluice::wire {

namespace {

/// Only the end of the connection follows, and that may take long.
bool ends_the_session(const server_message& said) noexcept {
  return said.severity == "FATAL" || said.severity == "PANIC";
}

}  // namespace

void exchange::on_message(const proto::frame& message) {
  using enum proto::step::kind;
  const proto::step step = machine_.on(message);
  switch (step.is) {
    case violation: session_.io.fail(step.why);
    case aside: session_.aside(message); break;
    case parsed:
      if (prepared_.parsed()) remember();
      break;
    case described: on_columns(message); break;
    case no_rows:
      if (undecided_) on_described(nullptr);
      remember();
      break;
    case row:
      if (portal_) portal_->has_row();
      if (skips_rows() || unsuitable_) break;
      if (copy_)
        on_copy_data(message);
      else
        fail_malformed(message.type, "the fields do not match the columns or do not fill the body exactly");
      break;
    case complete: on_complete(message); break;
    case refused: on_refusal(message); break;
    case copy_in:
      if (!is_last()) {  // the server has ignored a Sync: which answer belongs to which query is unknown
        session_.discard();
        session_.io.fail(errc::unsupported_result, "COPY FROM STDIN in a pipeline");
      }
      answer_copy_in();
      break;
    case copy_out: unsuitable_ = {.why = "COPY is not a query: use a SELECT, and bulk mode"}; break;
    case copying:
      if (!binary_copy::is_expected(message.body, batch_.shape.columns))
        fail_malformed(message.type, "the copy is not in the binary format, or not of the columns that were described");
      break;
    case copied:
      if (!copy_->is_whole() && !skips_rows()) fail_malformed(message.type, "the copy ends before its trailer");
      break;
    case ready: on_ready(message); break;
    case suspended: on_page_end(message); break;
    case nothing:
      if (undecided_) on_aside(message);
      break;
  }
}

void exchange::on_columns(const proto::frame& message) {
  const auto columns = proto::decode_row_description(message.body);
  if (!columns) fail_malformed(message.type, "the columns do not fill the body");
  const std::size_t count = columns->size();
  batch_.shape = {.columns = static_cast<std::uint16_t>(count), .max_body = largest_body()};
  if (by_columns_) {
    for (const proto::column& each : *columns) columns_.push_back({.name = std::string{each.name}, .type = each.type});
  }
  if (undecided_) return on_described(&*columns);
  if (!by_columns_ && count != 1 && !skips_rows()) unsuitable_ = {.why = refuse_columns(count).sql};
  remember();
}

void exchange::on_described(const proto::row_description* columns) {
  const decision how = undecided_->on_columns(columns);
  go_on(how);
  if (how.is == decision::kind::as_it_is && columns != nullptr) remember();
}

/// The answers before the statement runs: the types of its parameters, and the rows of what the decider asks.
void exchange::on_aside(const proto::frame& message) {
  switch (message.type) {
    case 't':
      if (!undecided_->on_parameters(message.body))
        fail_malformed(message.type, "not as many parameters as were named");
      break;
    case 'D':
      if (!undecided_->on_row(message.body)) fail_malformed(message.type, "not an answer to what was asked");
      break;
    case 'C':
    case 'I':
      if (const std::optional<decision> how = undecided_->on_end()) go_on(*how);
      break;
    default: break;
  }
}

void exchange::on_refusal(const proto::frame& message) {
  if (!said_) said_ = read_server_message(session_.io, message);
  if (ends_the_session(*said_)) on_end();
  prepared_.refused(said_->sqlstate);
  undecided_.reset();
  if (machine_.needs_sync()) flight{session_, machine_} << proto::sync{};
  if (is_fetching()) close_portal();
}

void exchange::on_complete(const proto::frame& message) {
  if (message.type == 'C') {
    const auto done = proto::decode_command_complete(message.body);
    if (!done) fail_malformed('C', "the tag has no end");
    if (!is_paged() || is_fetching()) tag_ = done->tag;
    if (tag_ == "DISCARD ALL" || tag_ == "DEALLOCATE ALL") session_.statements.clear();
  }
  if (!is_fetching()) return;
  (void)portal_->page_ended();
  close_portal();
}

void exchange::on_page_end(const proto::frame& message) {
  if (!is_paged())
    session_.io.fail(proto::fault{proto::fault::kind::unexpected, message.type, "no row limit was asked for"});
  if (!portal_->page_ended() && !skips_rows())
    session_.io.fail(proto::fault{proto::fault::kind::unexpected, message.type, "the page has no rows"});
}

void exchange::on_ready(const proto::frame& message) {
  const auto now = proto::decode_ready_for_query(message.body);
  if (!now) fail_malformed('Z', "the status is not I, T or E");
  session_.scope.ready(now->status);
  session_.flights.erase(session_.flights.begin());
  if (--flights_ == 0) {
    prepared_.ended();
    if (portal_ && portal_->is_ending_its_block()) end_block();
  }
  if (!session_.flights.empty()) return;
  session_.io.in.ease();
  if (session_.is == session::state::busy) session_.is = session::state::idle;
}

/// COMMIT was answered. A late cancel request may have hit it.
void exchange::end_block() {
  if (portal_->ended()) return;
  if (!portal_->roll_back()) session_.io.fail(errc::protocol_violation, "the transaction does not end");
  flight{session_, machine_}.aside("rollback") << proto::sync{};
  launched();
}

/// The server has prepared the statement, and its result columns are known.
void exchange::remember() {
  if (!prepared_.is_claimed()) return;
  prepared_.keep({.has_rows = machine_.has_rows(), .columns = batch_.shape.columns, .names = columns_});
}

/// Handles CopyData that is not simply a row.
void exchange::on_copy_data(const proto::frame& message) {
  using enum binary_copy::part::kind;
  const binary_copy::part part = copy_->on_data(message.body);
  switch (part.is) {
    case malformed: fail_malformed(message.type, part.why);
    case header:
      batch_.shape.type = std::byte{'d'};
      if (!part.row.empty()) make_message(part.row);
      break;
    case trailer: batch_.shape.type = {}; break;  // no more rows follow
  }
}

/// Servers send the first row after the header in the same message; this turns it into a message of its own, in place.
void exchange::make_message(std::span<const std::byte> row) {
  std::array<std::byte, proto::header_size> header{batch_.shape.type};
  proto::store_big(header.data() + 1, static_cast<std::uint32_t>(row.size() + proto::length_size));
  session_.io.in.overwrite(row.data() - header.size(), header);  // the header of the copy is longer
  unread_ = header.size() + row.size();
}

void exchange::fail_malformed(char type, std::string_view rule) const {
  session_.io.fail(proto::fault{proto::fault::kind::malformed, type, rule});
}

void exchange::fail_unsuitable() const {
  const link::context& where = session_.io.where;
  throw error{error_info{.code = unsuitable_->code,
                         .message = where.after(unsuitable_->why),
                         .server = {},
                         .rows = where.rows,
                         .connection_usable = true}};
}

void exchange::finish() {
  if (kept_.take_overflow())
    session_.io.fail(errc::stream_too_large,
                     "its pages had to wait for another query and are larger than what may be set aside");
  if (said_ && wants_ != interest::none) throw session_.io.server_error(*std::exchange(said_, std::nullopt), true);
}

}  // namespace sluice::wire
