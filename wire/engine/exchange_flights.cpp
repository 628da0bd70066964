// The messages that an exchange sends.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include <sluice/proto/oid.hpp>
#include "engine/exchange.hpp"
#include "messages/frontend.hpp"

#include "engine/flight.hpp"

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

}  // namespace

bool exchange::is_free(const session& on) noexcept {
  if (on.is == session::state::broken) return false;
  return std::ranges::all_of(on.flights,
                             [](const exchange* under_way) { return under_way->is_paged() && !under_way->undecided_; });
}

void exchange::require_free(const session& on) {
  if (on.is == session::state::broken) on.io.refuse(errc::bad_state, "the connection is closed");
  if (!is_free(on)) on.io.refuse(errc::bad_state, "another query is under way: read it to its end or cancel it first");
}

exchange::exchange(session& on, const statement& what) : session_{on}, prepared_{on.statements} {
  take_context();
  require_free(on);
  if (on.is == session::state::leaving) on.io.refuse(errc::bad_state, "an earlier query is still being left");
  if (what.page_rows != 0) check_timeout(what);
  restores_timeout_ = what.page_rows == 0 && what.server_timeout.count() > 0 && on.scope.in_block();
  open(what);
}

exchange::exchange(const exchange& before, const statement& what)
    : session_{before.session_}, prepared_{session_.statements} {
  take_context();
  if (what.decides)
    session_.io.refuse(errc::bad_query,
                       "in a pipeline no query can wait for its description: it has to say what its rows are, "
                       "documents, objects or columns, and cannot be read in bulk");
  if (what.page_rows != 0) session_.io.refuse(errc::bad_query, "in a pipeline no query can be read in pages");
  restores_timeout_ = what.server_timeout.count() > 0;  // it is not known yet in which transaction it will run
  open(what);
}

exchange::exchange(session& on, std::string_view statements)
    : session_{on}, wants_{interest::outcome}, doing_{"executing on"}, prepared_{on.statements} {
  take_context();
  if (on.is != session::state::leaving) require_free(on);  // ending an abandoned query takes a query of its own
  on.flights.reserve(on.flights.size() + 1);
  flight{on, machine_} << proto::query{statements};
  launched();
}

exchange::~exchange() {
  if (std::erase(session_.flights, this) != 0) session_.discard();
}

/// In the caller's block the setting would have to be restored, but when the last page comes is not known. In a block
/// that is begun for pages the setting ends with the block.
void exchange::check_timeout(const statement& what) const {
  if (what.server_timeout.count() > 0 && session_.scope.in_callers_block())
    session_.io.refuse(errc::bad_query,
                       "in a transaction block of the caller's, a query in pages cannot have a timeout of its own on "
                       "the server: set statement_timeout for the block");
}

void exchange::open(const statement& what) {
  session_.flights.reserve(session_.flights.size() + 1);  // so that whatever is encoded is also recorded
  by_columns_ = what.by_columns;
  if (what.page_rows != 0) {
    portal_.emplace(session_.scope, what.page_rows);
    kept_ = kept_rows{what.page_bytes};
  }
  const statement_cache::known* const known = prepared_.look_up(what);
  statement_cache& cache = session_.statements;
  const std::size_t closes = std::min(most_closes, cache.to_close().size());
  flight to{session_, machine_};
  try {
    for (const std::string& name : cache.to_close().first(closes))
      to << proto::close{proto::describe::kind::statement, name};
    if (portal_ && portal_->needs_begin()) to.aside("begin");
    if (what.server_timeout.count() > 0) to.aside(timeout_statement(what.server_timeout, restores_timeout_));
    add_query(to, what, known);
  } catch (...) {
    to.take_back();
    throw;
  }
  cache.closed(closes);
  if (portal_) portal_->opened();
  launched();
}

void exchange::add_query(flight& to, const statement& what, const statement_cache::known* known) {
  const std::string_view portal = portal_ ? std::string_view{portal_->name()} : std::string_view{};
  const proto::bind bind{
      .portal = portal, .statement = prepared_.name(), .parameters = what.values, .binary_results = by_columns_};
  if (known != nullptr) {
    columns_ = known->names;
    batch_.shape = {.columns = known->columns, .max_body = largest_body()};
    machine_.known(known->has_rows);
    to << bind;
    finish_flight(to);
  } else if (what.decides) {
    describe(to, what, bind);
  } else {
    const std::string rewritten = what.rewritten == nullptr ? std::string{} : what.rewritten(what.text);
    to << proto::parse{.statement = prepared_.name(),
                       .sql = what.rewritten == nullptr ? what.text : std::string_view{rewritten},
                       .parameter_types = what.types}
       << bind << proto::describe{proto::describe::kind::portal, portal};
    finish_flight(to);
  }
}

/// First half: only the server knows the result columns and the types of the parameters.
void exchange::describe(flight& to, const statement& what, const proto::bind& bind) {
  undecided_ = std::make_unique<undecided_statement>(what, bind);
  if (undecided_->fault()) session_.io.fail(undecided_->fault());
  if (!what.question.empty()) to.aside(what.question);
  to << proto::parse{.statement = prepared_.name(), .sql = what.text, .parameter_types = what.types}
     << proto::describe{proto::describe::kind::statement, prepared_.name()} << proto::flush{};
}

/// The messages that follow Bind, or the Describe of the portal that it made.
void exchange::finish_flight(flight& to) const {
  if (copy_)
    to.copy();
  else
    to << (portal_ ? portal_->page() : proto::execute{});
  if (restores_timeout_) to.aside(restore_timeout);
  to << proto::sync{};
}

/// Records that a flight of this query, with one Sync, was sent after all the others.
void exchange::launched() {
  session_.flights.push_back(this);
  ++flights_;
  if (session_.is == session::state::idle) session_.is = session::state::busy;
}

/// Second half: the statement has been described.
void exchange::go_on(const decision& how) {
  const bool is_refused = how.is == decision::kind::refuse;
  if (is_refused) unsuitable_ = {.code = how.code, .why = how.sql};
  if (!is_refused && is_to_begin() && how.is == decision::kind::ask) {
    flight{session_, machine_}.aside(how.sql) << proto::flush{};
    return;
  }
  const std::unique_ptr<undecided_statement> of = std::move(undecided_);
  if (is_refused || !is_to_begin()) return end_unbegun();  // the result is not wanted any more
  if (how.is == decision::kind::copy)
    copy(*of, how.sql);
  else
    execute(*of, how);
  if (wants_ == interest::none && is_fetching()) close_portal();
}

void exchange::end_unbegun() {
  flight{session_, machine_} << proto::sync{};
  if (is_fetching()) close_portal();
}

void exchange::execute(const undecided_statement& of, const decision& how) {
  flight to{session_, machine_};
  if (how.is == decision::kind::instead) {
    if (!prepared_.name().empty()) to << proto::close{proto::describe::kind::statement, prepared_.name()};
    to << proto::parse{.statement = prepared_.name(), .sql = how.sql, .parameter_types = of.types()};
    batch_.shape.columns = 1;
    prepared_.replaced();
  }
  add_run(of);
  machine_.sent(proto::bind{});
  finish_flight(to);
}

void exchange::copy(const undecided_statement& of, std::string_view sql) {
  copy_.emplace();
  const std::uint16_t columns = by_columns_ ? batch_.shape.columns : std::uint16_t{1};
  batch_.shape = {.columns = columns, .type = {}, .max_body = largest_body()};  // the header gives the type
  flight to{session_, machine_};
  if (!of.run().empty()) {
    add_run(of);
    machine_.sent_aside(proto::parse{});
    machine_.sent(proto::bind{});
    machine_.sent_aside(proto::execute{});
  }
  to << proto::parse{.sql = sql} << proto::bind{};
  finish_flight(to);
}

void exchange::add_run(const undecided_statement& of) {
  session_.io.out.insert(session_.io.out.end(), of.run().begin(), of.run().end());
}

void exchange::fetch_page() {
  require_free(session_);
  flight{session_, machine_} << portal_->page() << proto::sync{};
  launched();
}

void exchange::fetch_on() {
  portal_->hold(false);
  if (is_fetching() && flights_ == 0 && kept_.empty() && is_free(session_)) fetch_page();
}

/// No more pages are wanted. COMMIT of a failed block rolls back.
void exchange::close_portal() {
  flight to{session_, machine_};
  if (portal_->close())
    to.aside("commit");
  else if (said_)
    return;  // the portal is gone, with the transaction that failed
  else
    to << portal_->closing();
  to << proto::sync{};
  launched();
}

void exchange::abandon() {
  settle_walk();
  wants_ = interest::none;
  kept_.clear();
  if (is_fetching() && !undecided_ && session_.is != session::state::broken) close_portal();
}

void exchange::answer_copy_in() {
  flight to{session_, machine_};
  to << proto::copy_fail{"COPY FROM STDIN is not supported here"};
  if (machine_.needs_sync()) to << proto::sync{};
}

}  // namespace sluice::wire
