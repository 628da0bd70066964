// What an exchange sends.
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

constexpr std::size_t most_closes = 4;  // per flight; the rest go with the next

/// In the caller's transaction block the setting has to be put back; elsewhere it ends with the flight.
std::string timeout_statement(std::chrono::milliseconds timeout, bool restored) {
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();  // what the setting can say
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

exchange::exchange(session& on, const statement& what) : session_{on} {
  take_context();
  require_free(on);
  if (on.is == session::state::leaving) on.io.refuse(errc::bad_state, "an earlier query is still being left");
  restores_timeout_ = what.server_timeout.count() > 0 && on.in_block();
  open(what);
}

exchange::exchange(const exchange& before, const statement& what) : session_{before.session_} {
  take_context();
  if (what.decides)
    session_.io.refuse(errc::bad_query,
                       "in a pipeline no query can wait for its description: it has to say what its rows are, "
                       "documents, objects or columns, and cannot be read in bulk");
  if (what.page_rows != 0) session_.io.refuse(errc::bad_query, "in a pipeline no query can be read in pages");
  restores_timeout_ = what.server_timeout.count() > 0;  // who knows in which transaction it will run
  open(what);
}

exchange::exchange(session& on, std::string_view statements) : session_{on}, doing_{"executing on"} {
  take_context();
  if (on.is != session::state::leaving) require_free(on);  // what is being left ends with a query of its own
  on.flights.reserve(on.flights.size() + 1);
  flight{on, machine_} << proto::query{statements};
  skipping_ = true;  // rows, not errors
  launched();
}

exchange::~exchange() {
  if (std::erase(session_.flights, this) != 0) session_.discard();
  if (is_claimed_) session_.statements.forget(prepared_, false);
  if (is_fetching()) --session_.portals;
}

void exchange::open(const statement& what) {
  session_.flights.reserve(session_.flights.size() + 1);  // so that what is encoded is also known
  by_columns_ = what.by_columns;
  page_rows_ = what.page_rows;
  page_bytes_ = what.page_bytes;
  const bool begins = is_paged() && !session_.in_block();
  if (is_paged() && restores_timeout_ && !session_.owns_transaction)
    session_.io.refuse(errc::bad_query,
                       "in a transaction block of the caller's, a query in pages cannot have a timeout of its own on "
                       "the server: set statement_timeout for the block");
  if (is_paged()) restores_timeout_ = false;  // it ends with the transaction
  if (is_paged()) portal_ = "sluice_" + std::to_string(++session_.portals_ever);

  statement_cache& cache = session_.statements;
  const statement_cache::known* known = nullptr;
  if (cache.is_on() && !what.is_copied) {
    prepared_ = statement_cache::name_of(what);
    known = cache.find(prepared_);
    is_claimed_ = known == nullptr && cache.claim(prepared_);
    if (known == nullptr && !is_claimed_) prepared_.clear();  // another flight prepares it now
  }

  flight to{session_, machine_};
  const std::size_t closes = std::min(most_closes, cache.to_close().size());
  try {
    for (const std::string& name : cache.to_close().first(closes))
      to << proto::close{proto::describe::kind::statement, name};
    if (begins) to.aside("begin");
    if (what.server_timeout.count() > 0) to.aside(timeout_statement(what.server_timeout, restores_timeout_));
    const proto::bind bind{
        .portal = portal_, .statement = prepared_, .parameters = what.values, .binary_results = by_columns_};
    if (known != nullptr) {
      was_prepared_ = true;
      columns_ = known->names;
      batch_.shape = {.columns = known->columns, .max_body = largest_body()};
      machine_.known(known->has_rows);
      to << bind;
      finish_flight(to);
    } else if (what.decides) {
      describe(to, what, bind);
    } else {
      const std::string rewritten = what.rewritten == nullptr ? std::string{} : what.rewritten(what.text);
      to << proto::parse{.statement = prepared_,
                         .sql = what.rewritten == nullptr ? what.text : std::string_view{rewritten},
                         .parameter_types = what.types}
         << bind << proto::describe{proto::describe::kind::portal, portal_};
      finish_flight(to);
    }
  } catch (...) {
    to.take_back();
    if (is_claimed_) cache.forget(prepared_, false);
    throw;
  }
  cache.closed(closes);
  if (begins) session_.owns_transaction = true;
  if (is_paged()) {
    ++session_.portals;
    portal_is_ = portal_state::fetching;
  }
  launched();
}

/// First half: only the server can say what the query gives, and of which types its parameters are. What runs it is
/// encoded now, while the values are there.
void exchange::describe(flight& to, const statement& what, const proto::bind& bind) {
  undecided_ = true;
  decider_ = what.decides(what);
  types_.assign(what.types.begin(), what.types.end());
  const statement::preparation& first = what.before_copy;
  proto::fault why{};
  if (!what.is_copied) {
    why = proto::encode(bind, execution_);
  } else if (!first.sql.empty()) {
    why = proto::encode(proto::parse{.sql = first.sql, .parameter_types = first.types}, execution_);
    if (!why) why = proto::encode(proto::bind{.parameters = first.values}, execution_);
    if (!why) why = proto::encode(proto::execute{}, execution_);
  }
  if (why) session_.io.fail(why);
  if (!what.question.empty()) to.aside(what.question);
  to << proto::parse{.statement = prepared_, .sql = what.text, .parameter_types = what.types}
     << proto::describe{proto::describe::kind::statement, prepared_} << proto::flush{};
}

/// What follows Bind, or the description of what it made.
void exchange::finish_flight(flight& to) const {
  if (as_copy_)
    to.copy();
  else
    to << proto::execute{portal_, page_rows_};
  if (restores_timeout_) to.aside(restore_timeout);
  to << proto::sync{};
}

/// A flight with one Sync, of this query, is behind all the others.
void exchange::launched() {
  session_.flights.push_back(this);
  ++flights_;
  if (session_.is == session::state::idle) session_.is = session::state::busy;
}

/// Second half: the statement has been described.
void exchange::go_on(const decision& how) {
  const bool is_refused = how.is == decision::kind::refuse;
  if (is_refused) unsuitable_ = {.code = how.code, .why = how.sql};
  if (is_refused || !is_to_begin()) return end_unbegun();  // nobody wants it any more
  switch (how.is) {
    case decision::kind::ask: return ask(how.sql);
    case decision::kind::copy: copy(how.sql); break;
    case decision::kind::as_it_is:
    case decision::kind::instead: execute(how); break;
    case decision::kind::refuse: break;
  }
  if (quiet_ && is_fetching()) close_portal();
}

void exchange::end_unbegun() {
  undecided_ = false;
  flight{session_, machine_} << proto::sync{};
  if (is_fetching()) close_portal();
}

void exchange::ask(std::string_view sql) {
  is_asking_ = true;
  flight{session_, machine_}.aside(sql) << proto::flush{};
}

void exchange::execute(const decision& how) {
  undecided_ = false;
  flight to{session_, machine_};
  if (how.is == decision::kind::instead) {
    if (!prepared_.empty()) to << proto::close{proto::describe::kind::statement, prepared_};
    to << proto::parse{.statement = prepared_, .sql = how.sql, .parameter_types = types_};
    batch_.shape.columns = 1;
    is_wrapped_ = true;
  }
  session_.io.out.insert(session_.io.out.end(), execution_.begin(), execution_.end());
  execution_ = {};
  machine_.sent(proto::bind{});
  finish_flight(to);
}

void exchange::copy(std::string_view sql) {
  undecided_ = false;
  as_copy_ = true;
  const std::uint16_t columns = by_columns_ ? batch_.shape.columns : std::uint16_t{1};
  batch_.shape = {.columns = columns, .type = {}, .max_body = largest_body()};  // the type when the header is read
  flight to{session_, machine_};
  if (!execution_.empty()) {
    session_.io.out.insert(session_.io.out.end(), execution_.begin(), execution_.end());
    execution_ = {};
    machine_.sent_aside(proto::parse{});
    machine_.sent(proto::bind{});
    machine_.sent_aside(proto::execute{});
  }
  to << proto::parse{.sql = sql} << proto::bind{};
  finish_flight(to);
}

void exchange::fetch_page() {
  require_free(session_);
  flight{session_, machine_} << proto::execute{portal_, page_rows_} << proto::sync{};
  launched();
}

void exchange::fetch_on() {
  holds_ = false;
  if (is_fetching() && flights_ == 0 && kept_.empty() && is_free(session_)) fetch_page();
}

/// No page is wanted any more. The transaction ends with the last portal of it, whatever its state: COMMIT of a failed
/// one rolls back.
void exchange::close_portal() {
  portal_is_ = portal_state::closing;
  --session_.portals;
  flight to{session_, machine_};
  if (session_.owns_transaction && session_.portals == 0) {
    to.aside("commit");
    session_.owns_transaction = false;
    ends_transaction_ = true;
    ++session_.endings;
  } else {
    if (said_) return;  // the portal has gone with the transaction that failed
    to << proto::close{proto::describe::kind::portal, portal_};
  }
  to << proto::sync{};
  launched();
}

void exchange::abandon() {
  settle_walk();
  skipping_ = quiet_ = true;
  kept_.clear();
  if (is_fetching() && !undecided_ && session_.is != session::state::broken) close_portal();
}

void exchange::answer_copy_in() {
  flight to{session_, machine_};
  to << proto::copy_fail{"COPY FROM STDIN is not supported here"};
  if (machine_.needs_sync()) to << proto::sync{};
}

}  // namespace sluice::wire
