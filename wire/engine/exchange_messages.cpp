// What an exchange makes of the messages that are not rows.
#include <utility>

#include "engine/exchange.hpp"
#include "messages/backend.hpp"

#include "engine/flight.hpp"

namespace sluice::wire {

namespace {

constexpr std::string_view duplicate_statement{"42P05"};
constexpr std::string_view no_such_statement{"26000"};
constexpr std::string_view plan_changed{"0A000"};

/// Nothing follows but the end of the connection, and that may be long in coming.
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
      is_parsed_ = true;
      if (is_wrapped_) remember();
      break;
    case described: on_columns(message); break;
    case no_rows:
      if (undecided_) on_described(nullptr);
      remember();
      break;
    case row:
      page_has_rows_ = true;
      if (skipping_ || unsuitable_) break;
      if (as_copy_)
        on_copy_data(message);
      else
        fail_malformed(message.type, "the fields do not match the columns or do not fill the body exactly");
      break;
    case complete: on_complete(message); break;
    case refused: on_refusal(message); break;
    case copy_in:
      if (!is_last()) {  // the server has passed over a Sync: nobody can tell which answers are whose
        session_.discard();
        session_.io.fail(errc::unsupported_result, "COPY FROM STDIN in a pipeline");
      }
      answer_copy_in();
      break;
    case copy_out: unsuitable_ = {.why = "COPY is not a query: use a SELECT, and bulk mode"}; break;
    case copying: on_copy(message); break;
    case copied: on_copy_done(); break;
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
  if (!by_columns_ && count != 1 && !skipping_) unsuitable_ = {.why = refuse_columns(count).sql};
  remember();
}

void exchange::on_described(const proto::row_description* columns) {
  const decision how = decider_->described({.parameters = parameters_, .columns = columns});
  go_on(how);
  if (how.is == decision::kind::as_it_is && columns != nullptr) remember();
}

/// What comes before the statement runs: the types of its parameters, and the answers to what the decider asks.
void exchange::on_aside(const proto::frame& message) {
  switch (message.type) {
    case 't': {
      const auto types = proto::decode_parameter_description(message.body);
      for (const std::uint32_t type : *types) parameters_.push_back(type);
      if (parameters_.size() < types_.size()) fail_malformed(message.type, "not as many parameters as were named");
      break;
    }
    case 'D': {
      const auto row = proto::decode_data_row(message.body);
      if (!row || !decider_->told(*row)) fail_malformed(message.type, "not an answer to what was asked");
      break;
    }
    case 'C':
    case 'I':
      if (!is_asking_) break;
      is_asking_ = false;
      go_on(decider_->answered());
      break;
    default: break;
  }
}

void exchange::on_refusal(const proto::frame& message) {
  if (!said_) said_ = read_server_message(session_.io, message);
  if (ends_the_session(*said_)) on_end();
  if (is_claimed_)
    session_.statements.forget(prepared_, is_parsed_ || said_->sqlstate == duplicate_statement);
  else if (!prepared_.empty() && (said_->sqlstate == no_such_statement || said_->sqlstate == plan_changed))
    session_.statements.forget(prepared_, said_->sqlstate == plan_changed);
  is_claimed_ = undecided_ = false;
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
  ++pages_;
  close_portal();
}

void exchange::on_page_end(const proto::frame& message) {
  if (!is_paged())
    session_.io.fail(proto::fault{proto::fault::kind::unexpected, message.type, "no row limit was asked for"});
  if (!page_has_rows_ && !skipping_)
    session_.io.fail(proto::fault{proto::fault::kind::unexpected, message.type, "the page has no rows"});
  page_has_rows_ = false;
  ++pages_;
}

void exchange::on_ready(const proto::frame& message) {
  const auto now = proto::decode_ready_for_query(message.body);
  if (!now) fail_malformed('Z', "the status is not I, T or E");
  session_.transaction = now->status;
  session_.flights.erase(session_.flights.begin());
  if (--flights_ == 0 && ends_transaction_) end_transaction(now->status);
  if (!session_.flights.empty()) return;
  session_.io.in.ease();
  if (session_.is == session::state::busy) session_.is = session::state::idle;
}

/// COMMIT was answered. A late CancelRequest may have hit it: then the block is rolled back.
void exchange::end_transaction(char status) {
  if (status == 'I') {
    --session_.endings;
    return;
  }
  if (std::exchange(rolls_back_, true)) session_.io.fail(errc::protocol_violation, "the transaction does not end");
  flight{session_, machine_}.aside("rollback") << proto::sync{};
  launched();
}

/// The server has the statement, and what it gives is known.
void exchange::remember() {
  if (std::exchange(is_claimed_, false))
    session_.statements.remember(prepared_,
                                 {.has_rows = machine_.has_rows(), .columns = batch_.shape.columns, .names = columns_});
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
  if (std::exchange(overflowed_, false))
    session_.io.fail(errc::stream_too_large,
                     "its pages had to wait for another query and are larger than what may be set aside");
  if (said_ && !quiet_) throw session_.io.server_error(*std::exchange(said_, std::nullopt), true);
}

}  // namespace sluice::wire
