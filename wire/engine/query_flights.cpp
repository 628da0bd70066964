// The messages that a query sends.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "engine/flight.hpp"
#include "engine/query_conversation.hpp"
#include "messages/frontend.hpp"

namespace sluice::wire {

namespace {

constexpr std::size_t most_closes = 4;  // per flight; the rest are sent with the next

/// In the caller's transaction block the setting has to be restored; elsewhere it ends with the flight.
std::string timeout_statement(std::chrono::milliseconds timeout, bool restored) {
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();  // the largest value of the setting
  const std::string limit = std::to_string(std::min<std::int64_t>(timeout.count(), most));
  const std::string set = "pg_catalog.set_config('statement_timeout', '" + limit + "', true)";
  if (!restored) return "select " + set;
  return "select pg_catalog.set_config('sluice.statement_timeout', pg_catalog.current_setting('statement_timeout'), "
         "true), " +
         set;
}
constexpr std::string_view restore_timeout =
    "select pg_catalog.set_config('statement_timeout', pg_catalog.current_setting('sluice.statement_timeout'), true)";

/// @return empty if there is no comment
std::string with_comment(std::string_view sql, const statement& what) {
  std::string whole;
  if (!what.comment.empty()) whole.append(sql).append(what.comment);
  return whole;
}

}  // namespace

/// A simple query is its own message group: the server ends it with ReadyForQuery, without a Sync.
proto::fault query_conversation::begin(std::string_view statements) {
  engine_.queue.reserve_one();
  flight to{engine_.out, machine_};
  to << proto::query{statements};
  if (!to.failure()) end_flight();
  return to.failure();
}

proto::fault query_conversation::begin_copy(std::string_view statement) {
  const proto::fault why = begin(statement);
  if (!why) data_ = copy_in::wanted;
  return why;
}

proto::fault query_conversation::send_data(std::span<const std::byte> data) {
  flight to{engine_.out, machine_};
  to << proto::copy_data{data};
  return to.failure();
}

void query_conversation::end_data() {
  flight{engine_.out, machine_} << proto::copy_done{};
  data_ = copy_in::ended;
}

/// One flight: Close for evicted statements, BEGIN where one is owed, the timeout, the statement itself, and one Sync.
/// An error in any of them skips the rest, so nothing runs outside the block or without its timeout.
proto::fault query_conversation::begin(const statement& what, bool may_wait) {
  engine_.queue.reserve_one();  // so that whatever is encoded is also recorded
  by_columns_ = what.by_columns;
  refuses_ = what.refuses;
  const bool is_limited = what.server_timeout.count() > 0;
  // Behind other queries it is not known yet in which transaction it will run.
  const bool is_in_block = engine_.scope.in_block() || !engine_.blocks.unsent().empty();
  restores_timeout_ = is_limited && what.page_rows == 0 && (is_in_block || !engine_.queue.empty());
  if (what.page_rows != 0) portal_.emplace(engine_.scope, what.page_rows);
  const known_result_ptr prepared = prepared_.look_up(what);
  if (what.decides && !what.is_copied) key_ = known_results::key_of(what);
  statement_cache& cache = engine_.statements;
  const std::size_t closes = std::min(most_closes, cache.to_close().size());
  flight to{engine_.out, machine_};
  try {
    for (const std::string& name : cache.to_close().first(closes))
      to << proto::close{proto::describe::kind::statement, name};
    if (!engine_.blocks.unsent().empty()) to.aside(engine_.blocks.unsent());
    if (portal_ && portal_->needs_begin()) to.aside("begin");
    if (is_limited) to.aside(timeout_statement(what.server_timeout, restores_timeout_));
    if (what.rows != 0)
      add_rows(to, what, prepared);
    else
      add_query(to, what, prepared, may_wait);
  } catch (...) {
    to.take_back();
    throw;
  }
  if (to.failure()) return to.failure();
  cache.closed(closes);
  engine_.blocks.sent();
  if (portal_) portal_->opened();
  end_flight();
  return {};
}

/// Parse, Bind, Describe of the portal, Execute. Describe comes after Bind although the columns may be known, because
/// the RowDescription confirms them before the first row. Where the SQL or the formats depend on columns that are not
/// known, the statement is described first instead.
void query_conversation::add_query(flight& to, const statement& what, const known_result_ptr& prepared, bool may_wait) {
  using enum decision::kind;
  proto::bind bind{.portal = portal_ ? std::string_view{portal_->name()} : std::string_view{},
                   .statement = prepared_.name(),
                   .parameters = what.values,
                   .result_formats = what.formats};
  if (!what.decides && prepared != nullptr) return run_prepared(to, prepared, bind);  // nothing is to be decided
  decision how;
  std::string_view sql = what.text;
  if (what.decides) {
    const known_result_ptr known = prepared == nullptr && key_ ? engine_.results.find(*key_) : prepared;
    if (known != nullptr)
      how = what.decides()->described({.parameters = {}, .columns = known->has_rows ? &known->columns : nullptr});
    const bool is_decided = known != nullptr && (how.is == as_it_is || (how.is == instead && prepared == nullptr));
    if (!is_decided) {
      if (may_wait && (known != nullptr || !what.runs_undescribed))
        return describe(to, what, bind, prepared != nullptr);
      undecided_ = std::make_unique<undecided_statement>(what);
    }
    expected_ = is_decided ? known : nullptr;
    if (is_decided) bind.result_formats = how.formats;
    if (is_decided && how.is == instead) {
      prepared_.give_up(false);
      bind.statement = {};
      sql = how.sql;
      expected_ =
          std::make_shared<const known_result>(known_result{.has_rows = true, .columns = std::move(how.columns)});
    }
  }
  if (prepared != nullptr) return run_prepared(to, prepared, bind);
  const std::string whole = with_comment(sql, what);
  to << proto::parse{.statement = prepared_.name(), .sql = whole.empty() ? sql : whole, .parameter_types = what.types}
     << bind << proto::describe{proto::describe::kind::portal, bind.portal};
  finish_flight(to);
}

void query_conversation::add_rows(flight& to, const statement& what, const known_result_ptr& prepared) {
  if (prepared != nullptr) machine_.known(prepared->has_rows);
  rows_.emplace(what).send(to, what, prepared_.name(), prepared != nullptr);
}

/// Bind and Execute without Describe: if the columns have changed, the server refuses to run the statement (0A000).
void query_conversation::run_prepared(flight& to, const known_result_ptr& prepared, const proto::bind& bind) {
  result_ = prepared;
  shape_ = {.columns = by_columns_ ? static_cast<std::uint16_t>(prepared->columns.size()) : std::uint16_t{1},
            .max_body = engine_.largest_row()};
  machine_.known(prepared->has_rows);
  to << bind;
  finish_flight(to);
}

/// First half: only the server knows the result columns and the types of the parameters. Flush instead of Sync, because
/// a Sync would end the transaction, and give later flights their turn, before the second half.
void query_conversation::describe(flight& to, const statement& what, const proto::bind& bind, bool is_prepared) {
  undecided_ = std::make_unique<undecided_statement>(what, bind);
  if (undecided_->fault()) return to.fail(undecided_->fault());
  if (!what.question.empty()) to.question(what.question);
  const std::string whole = with_comment(what.text, what);
  if (!is_prepared)
    to << proto::parse{
        .statement = prepared_.name(), .sql = whole.empty() ? what.text : whole, .parameter_types = what.types};
  to << proto::describe{proto::describe::kind::statement, prepared_.name()} << proto::flush{};
}

/// The messages that follow Bind, or the Describe of the portal that it made.
void query_conversation::finish_flight(flight& to) const {
  if (copy_)
    to.copy();
  else
    to << (portal_ ? portal_->page() : proto::execute{});
  if (restores_timeout_) to.aside(restore_timeout);
  to << proto::sync{};
}

/// Records that a flight with one Sync was sent, after those of all other queries.
void query_conversation::end_flight() {
  engine_.queue.add(*this);
  ++turns_;
}

/// Second half: the statement has been described.
action query_conversation::go_on(const decision& how) {
  const bool is_refused = how.is == decision::kind::refuse;
  if (is_refused) unsuitable_ = {.code = how.code, .why = how.sql};
  if (undecided_->is_running()) {
    undecided_.reset();
    return {};
  }
  const bool is_to_begin = wants_ != wish::nothing && !is_refused;
  if (is_to_begin && how.is == decision::kind::ask) {
    flight to{engine_.out, machine_};
    to.question(how.sql) << proto::flush{};
    return failed(to.failure());
  }
  const std::unique_ptr<undecided_statement> of = std::move(undecided_);
  if (!is_to_begin) {
    end_unbegun();
    return {};
  }
  const proto::fault why = how.is == decision::kind::copy ? copy(*of, how) : execute(*of, how);
  if (wants_ != wish::result && is_fetching()) close_portal();
  return failed(why);
}

void query_conversation::end_unbegun() {
  flight{engine_.out, machine_} << proto::sync{};
  if (is_fetching()) close_portal();
}

proto::fault query_conversation::execute(undecided_statement& of, const decision& how) {
  if (const proto::fault why = of.in(how.formats)) return why;
  flight to{engine_.out, machine_};
  if (how.is == decision::kind::instead) {
    if (!prepared_.name().empty()) to << proto::close{proto::describe::kind::statement, prepared_.name()};
    to << proto::parse{.statement = prepared_.name(), .sql = how.sql, .parameter_types = of.types()};
    if (to.failure()) return to.failure();
    prepared_.give_up(true);
    set_result(how.columns);
  } else {
    remember();
    if (!how.sql.empty() && prepared_.name().empty())  // the question has taken the place of the unnamed statement
      to << proto::parse{.statement = {}, .sql = how.sql, .parameter_types = of.types()};
    if (to.failure()) return to.failure();
  }
  add_run(of);
  machine_.sent(proto::bind{});
  finish_flight(to);
  return to.failure();
}

void query_conversation::set_result(const result_columns& columns) {
  shape_.columns = static_cast<std::uint16_t>(columns.size());
  result_ = std::make_shared<const known_result>(known_result{.has_rows = true, .columns = columns});
}

/// First what prepares the COPY, whose rows are ignored; then the COPY itself, in the same transaction. Neither is
/// described: CopyOutResponse announces the number of columns, and the data begins with a header.
proto::fault query_conversation::copy(const undecided_statement& of, const decision& how) {
  copy_.emplace();
  if (!how.columns.empty()) set_result(how.columns);
  shape_.type = {};  // the header gives the type
  flight to{engine_.out, machine_};
  if (!of.run().empty()) {
    add_run(of);
    machine_.sent_aside(proto::parse{});
    machine_.sent(proto::bind{});
    machine_.sent_aside(proto::execute{});
  }
  to << proto::parse{.sql = how.sql} << proto::bind{};
  finish_flight(to);
  return to.failure();
}

void query_conversation::add_run(const undecided_statement& of) {
  engine_.out.insert(engine_.out.end(), of.run().begin(), of.run().end());
}

/// Execute continues the portal where PortalSuspended has left it. Each page has its own Sync, so that other queries
/// can run between two pages.
void query_conversation::request_page() {
  flight{engine_.out, machine_} << portal_->page() << proto::sync{};
  end_flight();
}

/// No more pages are wanted. While the rest of a later query has not been sent, nothing may be sent in between.
void query_conversation::end_pages() {
  const query_conversation* const last = engine_.queue.last();
  const bool has_to_wait = last != nullptr && last != this && last->bars_others();
  if (has_to_wait)
    portal_->close_later();
  else
    close_portal();
}

/// No more pages are wanted. COMMIT of a failed block rolls back.
void query_conversation::close_portal() {
  flight to{engine_.out, machine_};
  if (portal_->close())
    to.aside("commit");
  else if (said_)
    return;  // the portal is gone, with the transaction that failed
  else
    to << portal_->closing();
  to << proto::sync{};
  end_flight();
}

/// COMMIT was answered. A late cancel request may have hit it.
/// @return whether the block ends
bool query_conversation::end_block() {
  if (portal_->ended()) return true;
  if (!portal_->roll_back()) return false;
  flight{engine_.out, machine_}.aside("rollback") << proto::sync{};
  end_flight();
  return true;
}

/// The answer to its last Sync has arrived.
/// @return false if a block cannot be ended
bool query_conversation::end_blocks() {
  if (portal_ && portal_->is_ending_its_block()) return end_block();
  const bool was_owed = adopted_ != owed_end::none;
  if (was_owed && engine_.scope.ended()) {
    adopted_ = owed_end::none;
    return true;
  }
  if (was_owed && adopted_ == owed_end::rolling_back) return false;
  const bool is_owed = was_owed || (engine_.queue.empty() && engine_.scope.take_owed_end());
  if (!is_owed) return true;
  adopted_ = was_owed ? owed_end::rolling_back : owed_end::committing;
  flight{engine_.out, machine_}.aside(was_owed ? "rollback" : "commit") << proto::sync{};
  end_flight();
  return true;
}

void query_conversation::let_go(bool runs_on) {
  wants_ = runs_on ? wish::effects : wish::nothing;
  if (is_asking()) undecided_.reset();  // nobody reads its rows: how they would be read need not be known
  if (is_fetching() && !is_undecided()) end_pages();
  if (is_taking_data()) {
    flight{engine_.out, machine_} << proto::copy_fail{"the program has given it up"};
    data_ = copy_in::ended;
  }
  if (data_ == copy_in::wanted) data_ = copy_in::ended;  // so that it is refused
}

/// The server ignores a Sync while it waits for data: the one that was sent with the query is lost, and sent again.
void query_conversation::refuse_copy_in() {
  flight to{engine_.out, machine_};
  to << proto::copy_fail{"COPY FROM STDIN needs copy_into or copy_data"};
  if (machine_.needs_sync()) to << proto::sync{};
}

}  // namespace sluice::wire
