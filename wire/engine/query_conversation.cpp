// How a query handles the server's messages.
#include "engine/query_conversation.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include <sluice/proto/oid.hpp>

#include "engine/flight.hpp"
#include "engine/server_report.hpp"

namespace sluice::wire {

namespace {

constexpr std::string_view wrong_number_of_formats{"08P01"};  // protocol_violation
constexpr std::string_view not_supported{"0A000"};            // feature_not_supported: of a prepared statement

// Tags of commands that end all prepared statements.
constexpr std::string_view discard_all{"DISCARD ALL"};
constexpr std::string_view deallocate_all{"DEALLOCATE ALL"};

/// Its modifier says what the values are good for: which digits there may be.
bool counts_digits(std::uint32_t type) noexcept {
  return type == proto::oid::numeric || type == proto::oid::numeric_array;
}

bool is_same(const proto::row_description& columns, const known_result& known) {
  return known.has_rows &&
         std::ranges::equal(columns, known.columns, [](const proto::column& a, const result_column& b) {
           return a.type == b.type && a.name == b.name && (!counts_digits(a.type) || a.modifier == b.modifier);
         });
}

action malformed(char type, std::string_view rule) {
  return failed({.what = proto::fault::kind::malformed, .type = type, .rule = rule});
}
action unexpected(char type, std::string_view rule) {
  return failed({.what = proto::fault::kind::unexpected, .type = type, .rule = rule});
}

}  // namespace

query_conversation::query_conversation(connection_engine& on, query_reader* reader) noexcept
    : engine_{on}, reader_{reader}, prepared_{on.statements} {}

action query_conversation::on(const proto::frame& message, bool skips_rows) {
  using enum proto::step::kind;
  if (rows_ && machine_.is_idle()) rows_->expect_next(machine_);
  const proto::step step = machine_.on(message);
  switch (step.is) {
    case violation: return failed(step.why);
    case aside: return {.is = action::kind::aside};
    case parsed: prepared_.parsed(); return {};
    case described: return on_columns(message, skips_rows);
    case no_rows: return on_no_columns();
    case row: return on_row(message, skips_rows);
    case complete: return on_complete(message);
    case refused: return on_refusal(message);
    case proto::step::kind::copy_in:
      if (data_ != copy_in::wanted) return {.is = action::kind::refuse_copy};
      data_ = copy_in::open;
      return {};
    case copy_out: unsuitable_ = {.why = "COPY is not a query: use a SELECT, and bulk mode"}; return {};
    case copying: return on_copying(message);
    case copied:
      if (!copy_->is_whole() && !skips_rows) return malformed(message.type, "the copy ends before its trailer");
      return {};
    case ready: return on_ready(message);
    case suspended: return on_page_end(message, skips_rows);
    case answer: return on_answer(message);
    case told: return on_told();
    case nothing: return message.type == 't' ? on_parameters(message) : action{};
  }
  return {};
}

action query_conversation::on_columns(const proto::frame& message, bool skips_rows) {
  const auto columns = proto::decode_row_description(message.body);
  if (!columns) return malformed(message.type, "the columns do not fill the body");
  shape_ = {.columns = static_cast<std::uint16_t>(columns->size()), .max_body = engine_.largest_row()};
  if (expected_ != nullptr && is_same(*columns, *expected_)) {
    result_ = expected_;
  } else if (by_columns_ || undecided_ != nullptr) {
    known_result now{.has_rows = true};
    for (const proto::column& each : *columns)
      now.columns.push_back({.name = std::string{each.name}, .type = each.type, .modifier = each.modifier});
    result_ = std::make_shared<const known_result>(std::move(now));
  }
  if (is_undecided()) return on_described();
  if (refuses_ != nullptr && !skips_rows)
    if (std::string why = refuses_(*columns); !why.empty()) unsuitable_ = {.why = std::move(why)};
  if (expected_ != nullptr && result_ != expected_) result_changed();
  remember();
  return is_asking() ? on_columns_of_running() : action{};
}

/// Its rows come next. What has to be asked about them is sent behind it, and answered when they are all there.
action query_conversation::on_columns_of_running() {
  const decision how = undecided_->on_columns(&result_->columns);
  if (how.is != decision::kind::ask) {
    undecided_.reset();
    return {};
  }
  if (engine_.queue.last() != this) {
    undecided_.reset();
    unsuitable_ = {
        .why = "the result has types that the server has to be asked about, which is not possible in a pipeline"};
    return {};
  }
  engine_.queue.reserve_one();
  flight to{engine_.out, machine_};
  to.question(how.sql) << proto::sync{};
  if (!to.failure()) end_flight();
  return failed(to.failure());
}

action query_conversation::on_no_columns() {
  if (expected_ != nullptr && expected_->has_rows) result_changed();
  if (undecided_ != nullptr || key_) result_ = std::make_shared<const known_result>();
  if (is_undecided()) return on_described();
  remember();
  undecided_.reset();
  return {};
}

action query_conversation::on_described() {
  if (key_) engine_.results.remember(*key_, result_);
  return go_on(undecided_->on_columns(result_->has_rows ? &result_->columns : nullptr));
}

/// The result is not what it was when its formats were chosen: its bytes must not be read.
void query_conversation::result_changed() {
  if (key_) engine_.results.forget(*key_);
  unsuitable_ = {.code = errc::result_changed,
                 .why = "the result has other columns than the last time: run the query again"};
}

/// The types of the parameters of a statement that was described.
action query_conversation::on_parameters(const proto::frame& message) {
  if (undecided_ != nullptr && !undecided_->on_parameters(message.body))
    return malformed(message.type, "not as many parameters as were named");
  return {};
}

/// A row of what the decider asks.
action query_conversation::on_answer(const proto::frame& message) {
  if (undecided_ != nullptr && !undecided_->on_row(message.body))
    return malformed(message.type, "not an answer to what was asked");
  return {};
}

action query_conversation::on_told() {
  if (undecided_ == nullptr) return {};
  if (const std::optional<decision> how = undecided_->on_end()) return go_on(*how);
  return {};
}

/// A row that a walk did not take.
action query_conversation::on_row(const proto::frame& message, bool skips_rows) {
  note_row();
  if (skips_rows || unsuitable_) return {};
  if (copy_) return on_copy_data(message);
  return malformed(message.type, "the fields do not match the columns or do not fill the body exactly");
}

/// Servers send the first row after the header in the same message.
action query_conversation::on_copy_data(const proto::frame& message) {
  using enum binary_copy::part::kind;
  const binary_copy::part part = copy_->on_data(message.body);
  switch (part.is) {
    case malformed: return wire::malformed(message.type, part.why);
    case header:
      shape_.type = std::byte{'d'};
      if (!part.row.empty()) return {.is = action::kind::take_row, .row_bytes = part.row.size()};
      return {};
    case trailer: shape_.type = {}; return {};  // no more rows follow
  }
  return {};
}

action query_conversation::on_copying(const proto::frame& message) {
  if (binary_copy::is_expected(message.body, shape_.columns)) return {};
  return malformed(message.type, "the copy is not in the binary format, or not of the columns that were described");
}

action query_conversation::on_refusal(const proto::frame& message) {
  if (rows_ && rows_->fails_by_itself()) return on_row_refused(message);
  if (!said_) {
    said_ = read_report(message);
    if (!said_) return malformed(message.type, "the fields do not fill the body exactly");
  }
  if (ends_the_session(*said_)) return {.is = action::kind::give_up};
  if (is_taking_data()) data_ = copy_in::ended;  // what is sent from now on is ignored
  prepared_.refused(said_->sqlstate);
  const bool is_before_its_columns = expected_ != nullptr && result_ == nullptr;
  const bool is_not_bound = said_->sqlstate == wrong_number_of_formats;  // or of parameters
  // It may have other columns now, or cannot be run at all.
  if (key_ && (is_before_its_columns || is_not_bound || said_->sqlstate == not_supported))
    engine_.results.forget(*key_);
  if (is_before_its_columns && is_not_bound) result_changed();
  const bool is_still_to_be_asked = is_asking() && turns_ > 1;  // its rows up to the error are there
  if (!is_still_to_be_asked) undecided_.reset();
  if (rows_)
    rows_->refused_rest(machine_);
  else if (machine_.needs_sync())
    flight{engine_.out, machine_} << proto::sync{};
  if (is_fetching()) end_pages();
  return {};
}

action query_conversation::on_row_refused(const proto::frame& message) {
  std::optional<server_message> why = read_report(message);
  if (!why) return malformed(message.type, "the fields do not fill the body exactly");
  if (ends_the_session(*why)) {
    said_ = std::move(why);
    return {.is = action::kind::give_up};
  }
  prepared_.refused(why->sqlstate);
  rows_->refused_one(*std::move(why));
  return {};
}

action query_conversation::on_complete(const proto::frame& message) {
  if (message.type == 'C') {
    const auto done = proto::decode_command_complete(message.body);
    if (!done) return malformed('C', "the tag has no end");
    if (!is_paged() || is_fetching()) tag_ = done->tag;
    if (rows_) rows_->completed(done->rows().value_or(0));
    if (tag_ == discard_all || tag_ == deallocate_all) engine_.statements.clear();
  }
  if (!is_fetching()) return {};
  (void)portal_->page_ended();
  end_pages();
  return {};
}

action query_conversation::on_page_end(const proto::frame& message, bool skips_rows) {
  if (!is_paged()) return unexpected(message.type, "no row limit was asked for");
  if (!portal_->page_ended() && !skips_rows) return unexpected(message.type, "the page has no rows");
  return {};
}

action query_conversation::on_ready(const proto::frame& message) {
  const auto now = proto::decode_ready_for_query(message.body);
  if (!now) return malformed(message.type, "the status is not I, T or E");
  engine_.scope.ready(now->status);
  if (rows_ && rows_->has_more()) return {};  // of one of the rows
  engine_.queue.end_first();
  if (--turns_ == 0) {
    prepared_.ended();
    if (!end_blocks()) return unexpected(message.type, "the transaction does not end");
  }
  return {.is = action::kind::end_turn};
}

/// The server has prepared the statement, and its result columns are known.
void query_conversation::remember() {
  if (result_ == nullptr && prepared_.is_claimed())
    result_ = std::make_shared<const known_result>(known_result{.has_rows = machine_.has_rows()});
  if (prepared_.is_claimed()) prepared_.keep(result_);
  if (key_ && result_ != expected_ && !unsuitable_) engine_.results.remember(*key_, result_);
}

}  // namespace sluice::wire
