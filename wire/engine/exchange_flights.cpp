// What an exchange sends.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include <sluice/proto/oid.hpp>
#include "engine/exchange.hpp"
#include "messages/frontend.hpp"

#include "engine/copy_statement.hpp"
#include "engine/flight.hpp"

namespace sluice::wire {

namespace {

/// Types whose binary format is their text.
bool is_text(std::uint32_t type) noexcept {
  namespace oid = proto::oid;
  return type == oid::json || type == oid::text || type == oid::varchar;
}

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
  if (what.as == statement::shape::detect)
    session_.io.refuse(errc::bad_query,
                       "in a pipeline a query has to say what its rows are: documents, objects or columns");
  if (what.page_rows != 0) session_.io.refuse(errc::bad_query, "in a pipeline no query can be read in pages");
  if (what.as_copy) session_.io.refuse(errc::bad_query, "in a pipeline no query can be read in bulk");
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
  by_columns_ = what.as == statement::shape::columns;
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
  if (cache.is_on() && !what.as_copy) {
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
    if (what.as_copy) {
      open_copy(to, what);
    } else if (known != nullptr) {
      was_prepared_ = true;
      columns_ = known->names;
      batch_.shape = {.columns = known->columns, .max_body = largest_body()};
      machine_.known(known->has_rows);
      to << bind;
      finish_flight(to);
    } else if (what.as == statement::shape::detect) {
      to << proto::parse{.statement = prepared_, .sql = what.text, .parameter_types = what.types}
         << proto::describe{proto::describe::kind::statement, prepared_} << proto::flush{};
      undecided_ = true;
      text_ = what.text;
      types_.assign(what.types.begin(), what.types.end());
      if (const proto::fault why = proto::encode(bind, execution_)) session_.io.fail(why);
    } else {
      const std::string wrapped = what.as == statement::shape::object ? as_objects(what.text) : std::string{};
      to << proto::parse{.statement = prepared_,
                         .sql = wrapped.empty() ? what.text : std::string_view{wrapped},
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

/// First half: only the server can say what the query gives, and of which types its parameters are.
void exchange::open_copy(flight& to, const statement& what) {
  const auto strings = session_.parameters.find("standard_conforming_strings");
  const bool is_standard = strings == session_.parameters.end() || strings->second == "on";
  if (!is_standard && !what.values.empty() && what.text.find('\\') != what.text.npos)
    session_.io.refuse(errc::bad_query,
                       "in bulk mode, SQL with parameters and backslashes needs standard_conforming_strings");
  as_copy_ = undecided_ = true;
  shape_ = what.as;
  text_ = what.text;
  for (const proto::parameter& each : what.values) carried_.push_back({.is_null = !each.value});
  (void)with_settings(text_, carried_);  // checks it
  if (const proto::fault why = encode_settings(what.values, execution_)) session_.io.fail(why);
  if (!what.table_check.empty()) {
    to.aside(what.table_check);
    table_ = what.table;
  }
  to << proto::parse{.sql = text_, .parameter_types = what.types} << proto::describe{proto::describe::kind::statement}
     << proto::flush{};
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

/// Second half, when the columns of the statement are known.
void exchange::execute(rows_as shape) {
  undecided_ = false;
  flight to{session_, machine_};
  if (!is_to_begin()) {  // nobody wants it any more
    to << proto::sync{};
    if (is_fetching()) close_portal();
    return;
  }
  if (shape == rows_as::objects) {
    if (!prepared_.empty()) to << proto::close{proto::describe::kind::statement, prepared_};
    to << proto::parse{.statement = prepared_, .sql = as_objects(text_), .parameter_types = types_};
    batch_.shape.columns = 1;
    is_wrapped_ = true;
  }
  session_.io.out.insert(session_.io.out.end(), execution_.begin(), execution_.end());
  execution_ = {};
  machine_.sent(proto::bind{});
  finish_flight(to);
  if (quiet_ && is_fetching()) close_portal();
}

/// The same for COPY, which may have to name the types of its parameters first.
/// @param columns  null: the statement gives none
void exchange::copy(const proto::row_description* columns) {
  if (columns == nullptr) {
    unsuitable_ = {.why = "COPY needs a query that gives rows"};
  } else {
    first_type_ = columns->empty() ? 0 : columns->begin()->type;
    names_types_ = is_to_begin() && !unsuitable_ &&
                   std::ranges::any_of(carried_, &std::string::empty, &carried_parameter::type_name);
  }
  if (!names_types_) return begin_copy();
  flight{session_, machine_}.aside(names_of_types(carried_)) << proto::flush{};
}

void exchange::begin_copy() {
  undecided_ = false;
  flight to{session_, machine_};
  const auto unnamed = std::ranges::find_if(carried_, &std::string::empty, &carried_parameter::type_name);
  if (unnamed != carried_.end() && !unsuitable_)
    unsuitable_ = {.code = errc::bad_query,
                   .why = "the type of $" + std::to_string(unnamed - carried_.begin() + 1) +
                          " has no name, which bulk mode needs"};
  if (!is_to_begin() || unsuitable_) {  // not even begun
    to << proto::sync{};
    return;
  }
  std::string copied;
  if (is_table_ && is_text(first_type_)) {
    copied = copy_of_table(table_);
  } else {
    std::string query = with_settings(text_, carried_);
    if (shape_ == statement::shape::object) query = as_objects(query);
    if (shape_ == statement::shape::document && !is_text(first_type_)) query = as_text(query);
    copied = copy_of(query);
  }
  const std::uint16_t columns = shape_ == statement::shape::columns ? batch_.shape.columns : 1;
  batch_.shape = {.columns = columns, .type = {}, .max_body = largest_body()};  // the type when the header is read
  if (!execution_.empty()) {
    session_.io.out.insert(session_.io.out.end(), execution_.begin(), execution_.end());
    execution_ = {};
    machine_.sent_aside(proto::parse{});
    machine_.sent(proto::bind{});
    machine_.sent_aside(proto::execute{});
  }
  to << proto::parse{.sql = copied} << proto::bind{};
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
