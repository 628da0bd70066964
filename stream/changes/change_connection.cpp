#include "changes/change_connection.hpp"

#include <algorithm>
#include <utility>

#include "api/failure_of.hpp"
#include "api/pause_for.hpp"
#include "api/session_options.hpp"
#include "drive/coroutine_driver.hpp"
#include "rows/postgres_epoch.hpp"
#include "tables/sqlstate.hpp"

namespace sluice::detail {

namespace {

/// The server's answer to START_REPLICATION, as a conversation for the drivers.
class starting {
 public:
  explicit starting(wire::wal_stream& stream) noexcept : stream_{stream} {}
  [[nodiscard]] bool advance() { return stream_.advance() != wire::wal_stream::state::hungry; }
  [[nodiscard]] bool move() { return stream_.move(); }

 private:
  wire::wal_stream& stream_;
};

/// What is left of a stream that has been finished.
class finishing {
 public:
  finishing(const wire::link& io, wire::wal_stream& stream) noexcept : io_{io}, stream_{stream} {}
  [[nodiscard]] bool advance() {
    using state = wire::wal_stream::state;
    state now = stream_.advance();
    while (now != state::hungry && now != state::over) now = stream_.advance();
    return now == state::over;
  }
  [[nodiscard]] bool move() {
    const std::size_t before = io_.in.arrived().size();
    const bool has_moved = stream_.move();
    is_talking_ = is_talking_ || io_.in.arrived().size() != before;
    return has_moved;
  }
  /// Whether the server has sent anything.
  [[nodiscard]] bool is_talking() const noexcept { return is_talking_; }

 private:
  const wire::link& io_;
  wire::wal_stream& stream_;
  bool is_talking_{false};
};

asio::awaitable<void> run_start(wire::session& on, wire::wal_stream& stream) {
  starting begun{stream};
  co_await wire::run(on.io, begun);
}

asio::awaitable<void> run_rest(wire::session& on, finishing& rest) { co_await wire::run(on.io, rest); }

/// Values are sent as texts, which depend on these. TimeZone stays as it is: it decides what the texts of points in
/// time say, as it does in a query. The startup message does not hold them, because PgBouncer would refuse it.
constexpr std::string_view set_forms_of_values{
    "select pg_catalog.set_config('DateStyle', 'ISO', false), "
    "pg_catalog.set_config('IntervalStyle', 'postgres', false), "
    "pg_catalog.set_config('bytea_output', 'hex', false), "
    "pg_catalog.set_config('extra_float_digits', '1', false), "
    "pg_catalog.set_config('standard_conforming_strings', 'on', false)"};

}  // namespace

asio::awaitable<std::unique_ptr<change_connection>> change_connection::open(conninfo where, connection_options how) {
  std::erase_if(where.session_settings, [](const auto& each) { return each.first == "replication"; });
  where.session_settings.emplace_back("replication", "database");
  const wire::session_options options = session_options_of(how);
  const std::chrono::milliseconds answer_limit = where.connect_timeout;
  std::shared_ptr<wire::session> made = co_await wire::connect(std::move(where), options);
  made->io.where.doing = "following the changes of";
  (void)co_await wire::run_text_query(*made, set_forms_of_values, wire::limit_after(wire::clock::now(), answer_limit));
  co_return std::make_unique<change_connection>(std::move(made), answer_limit);
}

session_settings change_connection::settings() const {
  const wire::server_facts& server = session_->server;
  return session_settings::of(server.parameter("TimeZone"), server.parameter("DateStyle"));
}

asio::awaitable<std::vector<wire::text_row>> change_connection::ask(std::string statement, const change_options& how) {
  return ask_until(wire::limit_after(wire::clock::now(), answer_limit_), std::move(statement), how);
}

asio::awaitable<std::vector<wire::text_row>> change_connection::ask_until(wire::clock::time_point latest,
                                                                          std::string statement,
                                                                          const change_options& how) {
  std::optional<error> failure;
  try {
    std::vector<wire::text_row> rows = co_await wire::run_text_query(*session_, statement, latest);
    co_return rows;
  } catch (const error& why) {
    failure = why;
  }
  throw with_advice(*failure, how);
}

asio::awaitable<slot_facts> change_connection::find_slot(const change_options& how) {
  std::string question = question_about_slot(how.slot);
  const std::vector<wire::text_row> answer = co_await ask(std::move(question), how);
  std::optional<slot_facts> slot = read_slot(answer);
  if (!slot) session_->io.fail(errc::protocol_violation, "the catalog's answer about the slot has another form");
  co_return *std::move(slot);
}

asio::awaitable<void> change_connection::require_publications(const change_options& how) {
  std::string question = question_about_publications(how.publications);
  const std::vector<wire::text_row> missing = co_await ask(std::move(question), how);
  if (missing.empty() || missing.front().empty()) co_return;
  session_->io.refuse(errc::bad_query, "the publication \"" + missing.front().front().value_or("") +
                                           "\" does not exist: CREATE PUBLICATION makes one, and has to come before"
                                           " the slot");
}

asio::awaitable<change_connection::created> change_connection::create(std::string slot, slot_kind kind,
                                                                      const change_options& how) {
  std::string command = create_slot(slot, kind);
  const std::vector<wire::text_row> answer =
      co_await ask_until(wire::clock::time_point::max(), std::move(command), how);
  constexpr std::size_t columns = 4;  // slot_name, consistent_point, snapshot_name, output_plugin
  if (answer.size() != 1 || answer.front().size() != columns)
    session_->io.fail(errc::protocol_violation, "the answer to CREATE_REPLICATION_SLOT has another form");
  const wire::text_row& row = answer.front();
  const std::optional<lsn> point = lsn::parse(row[1].value_or(""));
  if (!point) session_->io.fail(errc::protocol_violation, "the new slot has no consistent point");
  co_return created{.consistent_point = *point, .snapshot = row[2].value_or("")};
}

asio::awaitable<void> change_connection::start(std::string slot, lsn from, std::uint32_t server_version,
                                               const change_options& how) {
  constexpr std::chrono::milliseconds first{100};
  constexpr std::chrono::milliseconds longest{2'000};
  const std::string command = start_replication(how, slot, from, server_version);
  const wire::clock::time_point latest = wire::from_now(how.slot_patience);
  for (wire::back_off pauses{first, longest};;) {
    stream_.emplace(*session_, command);
    session_->io.set_deadline(wire::limit_after(wire::clock::now(), answer_limit_));
    asio::awaitable<void> work = run_start(*session_, *stream_);
    const std::optional<error> failure = co_await failure_of(std::move(work));
    session_->io.set_deadline(wire::clock::time_point::max());
    if (!failure) co_return;
    stream_.reset();
    const bool is_in_use = proto::sqlstate{failure->sqlstate()} == proto::sqlstate::object_in_use;
    if (!is_in_use || wire::clock::now() >= latest) throw with_advice(*failure, how);
    co_await pause_for(pauses.next(), "cancelled while the slot is in use");
  }
}

asio::awaitable<void> change_connection::wait(std::chrono::milliseconds silence) {
  wire::link& io = session_->io;
  const wire::link::wait_end how = co_await wire::ready_by(io, wire::from_now(silence));
  if (how == wire::link::wait_end::cut_off) throw error{errc::cancelled, "cancelled while following"};
  if (how == wire::link::wait_end::late)
    io.fail(errc::connection_lost, "the server has been silent for " + std::to_string(silence.count()) + " ms", true);
}

void change_connection::tell(const proto::standby_status_update& how_far) noexcept {
  if (is_streaming()) stream_->tell(how_far);
}

asio::awaitable<void> change_connection::finish() {
  if (!is_streaming()) co_return;
  stream_->finish();
  session_->io.set_deadline(wire::from_now(session_->patience));
  finishing rest{session_->io, *stream_};
  asio::awaitable<void> work = run_rest(*session_, rest);
  const std::optional<error> failure = co_await failure_of(std::move(work));
  if (failure) {
    // In the midst of a large transaction the server first sends the rest of that. It need not be waited for: what was
    // acknowledged has been told.
    if (failure->code() != errc::deadline_exceeded || !rest.is_talking()) throw *failure;
    session_->discard();
  }
  stream_.reset();
  session_->io.set_deadline(wire::clock::time_point::max());
}

void change_connection::leave() noexcept {
  try {
    if (is_streaming()) stream_->finish();
  } catch (const std::exception&) {  // it is closed anyway
  }
  session_->close();
}

std::int64_t microseconds_since_2000() noexcept {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now() - postgres_epoch).count();
}

}  // namespace sluice::detail
