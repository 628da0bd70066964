#include <sluice/stream/transaction.hpp>

#include <optional>
#include <string>
#include <utility>

#include <sluice/stream/pool.hpp>
#include "engine/departure.hpp"
#include "engine/query_reader.hpp"

#include "api/blocking_connection.hpp"
#include "api/free_session.hpp"
#include "api/run_to_end.hpp"
#include "api/running_query.hpp"

namespace sluice {

namespace {

using detail::beginning;
using wire::open_blocks;

std::string begin_sql(const transaction_options& how) {
  std::string sql{"begin"};
  switch (how.isolation) {
    case isolation::as_configured: break;
    case isolation::read_committed: sql += " isolation level read committed"; break;
    case isolation::repeatable_read: sql += " isolation level repeatable read"; break;
    case isolation::serializable: sql += " isolation level serializable"; break;
  }
  if (how.read_only) sql += *how.read_only ? " read only" : " read write";
  if (how.deferrable) sql += *how.deferrable ? " deferrable" : " not deferrable";
  return sql;
}

/// @pre nothing is due
open_blocks::id begin_block(wire::session& on, const transaction_options& how) {
  open_blocks& blocks = on.engine.blocks;
  if (on.is_broken()) on.io.refuse(errc::bad_state, "the connection is closed");
  if (on.engine.has_lost_its_block()) blocks.clear();  // of a transaction object that does not know it yet
  if (!blocks.empty())
    on.io.refuse(errc::bad_state, "a transaction is open on the connection: its begin() makes a savepoint in it");
  if (on.engine.scope.in_block())
    on.io.refuse(errc::bad_state,
                 on.engine.scope.has_portals()
                     ? "a stream in pages is open on the connection, which has a transaction of its own"
                     : "a transaction block is open on the connection");
  return blocks.begin(begin_sql(how));
}

/// Streams in pages outlive a savepoint, but not the rollback of one that they were begun in.
/// @pre `require_innermost`
void require_no_stream(const wire::session& on, bool is_outermost) {
  const bool is_free =
      is_outermost ? on.engine.queue.empty() && !on.engine.scope.has_portals() : wire::query_reader::is_free(on);
  if (!is_free)
    on.io.refuse(errc::bad_state,
                 "a stream or a COPY of the transaction is open: end it first, by reading, finishing or cancelling it");
}

error outcome_unknown(const error& why) {
  return error{error_info{.code = errc::outcome_unknown,
                          .message = std::string{"whether the transaction was committed is unknown: "} + why.what(),
                          .server = why.server(),
                          .connection_usable = why.connection_usable()}};
}

/// The end of a block: what is sent, and what the answer means.
class ending {
 public:
  enum class kind : std::uint8_t { commit, rollback };

  ending(const std::shared_ptr<wire::session>& on, open_blocks::id of, kind how) : on_{on}, block_{of} {
    open_blocks& blocks = on->engine.blocks;
    const bool is_outermost = blocks.is_outermost(of);
    require_no_stream(*on, is_outermost);
    is_failed_ = how == kind::commit && on->engine.scope.status() == 'E';
    is_commit_ = how == kind::commit && is_outermost;
    const bool takes_back = how == kind::rollback || (is_failed_ && !is_outermost);
    if (blocks.unsent().empty()) sql_ = takes_back ? blocks.roll_back(of) : blocks.commit(of);
  }

  /// Nothing has to be sent: BEGIN was not sent either.
  [[nodiscard]] bool is_nothing() const noexcept { return sql_.empty(); }
  [[nodiscard]] std::shared_ptr<detail::running_query> query(const query_options& options) const {
    return std::make_shared<detail::running_query>(on_, std::string_view{sql_}, options);
  }
  /// It was encoded, or there was nothing to encode: the block is over, whatever the answer.
  void sent() const noexcept {
    on_->engine.blocks.ended(block_);
    on_->leaving.tell();
  }
  /// Throws what the answer means.
  /// @param tag      of the answer; empty: none has arrived
  /// @param failure  of the query, if it failed
  void judge(std::string_view tag, const std::optional<error>& failure) const {
    if (tag == "COMMIT") return;  // whatever came after that
    const bool is_answered = !failure || (failure->code() == errc::server_error && failure->connection_usable());
    if (is_commit_ && !is_answered) throw outcome_unknown(*failure);
    if (failure) throw *failure;
    if (!is_failed_ && !(is_commit_ && tag == "ROLLBACK")) return;
    constexpr std::string_view what{
        "the transaction was rolled back instead of committed: a statement in it had failed"};
    throw error{error_info{
        .code = errc::rolled_back, .message = on_->io.where.after(what), .server = {}, .connection_usable = true}};
  }

 private:
  std::shared_ptr<wire::session> on_;
  open_blocks::id block_;
  std::string sql_{};
  bool is_commit_{false};
  bool is_failed_{false};
};

/// @param lent  given back to its pool, if it has one
asio::awaitable<void> end(std::shared_ptr<wire::session> on, open_blocks::id block, ending::kind how,
                          query_options options, std::shared_ptr<pooled_connection> lent) {
  detail::require_no_server_timeout(options);
  const auto asked = wire::clock::now();
  co_await detail::until_free(on, asked, options, beginning::with_statement, block);
  const ending it{on, block, how};
  if (it.is_nothing()) {
    it.sent();
    if (lent != nullptr) lent->release();
    co_return;
  }
  const std::shared_ptr<detail::running_query> query = it.query(options);
  it.sent();
  query->launch(asked);
  const std::optional<error> failure = co_await detail::failure_at_end(query);
  if (lent != nullptr) lent->release();
  it.judge(query->reader().tag(), failure);
}

void end(const std::shared_ptr<detail::blocking_connection>& on, open_blocks::id block, ending::kind how,
         const query_options& options) {
  detail::require_no_server_timeout(options);
  const auto asked = wire::clock::now();
  const std::shared_ptr<wire::session> session = on->ready(asked, options, beginning::with_statement, block);
  const ending it{session, block, how};
  if (it.is_nothing()) return it.sent();
  const std::shared_ptr<detail::running_query> query = it.query(options);
  it.sent();
  query->launch(asked);
  std::optional<error> failure;
  try {
    detail::blocking_query{on, query}.next();
  } catch (const error& why) {
    failure = why;
  }
  it.judge(query->reader().tag(), failure);
}

asio::awaitable<void> make_savepoint(std::shared_ptr<wire::session> on, open_blocks::id in, query_options options) {
  detail::require_no_server_timeout(options);
  const auto asked = wire::clock::now();
  co_await detail::until_free(on, asked, options, beginning::on_its_own, in);
  const std::string sql = on->engine.blocks.savepoint();
  const auto query = std::make_shared<detail::running_query>(on, std::string_view{sql}, options);
  query->launch(asked);
  co_await detail::run_to_end(query);
}

}  // namespace

transaction::transaction() noexcept = default;
transaction::transaction(session_ptr on, std::uint64_t block, std::shared_ptr<pooled_connection> lent) noexcept
    : session_{std::move(on)}, block_{block}, lent_{std::move(lent)} {}
transaction::transaction(transaction&&) noexcept = default;

transaction& transaction::operator=(transaction&& other) noexcept {
  if (this == &other) return *this;
  drop();
  session_ = std::move(other.session_);
  block_ = other.block_;
  lent_ = std::move(other.lent_);
  return *this;
}

transaction::~transaction() { drop(); }

void transaction::drop() noexcept {
  const session_ptr on = std::move(session_);
  if (on != nullptr) {
    on->engine.blocks.drop(block_);
    wire::take_back(on);
  }
  lent_.reset();
}

void transaction::require_open() const {
  if (session_ == nullptr) throw error{errc::bad_state, "the transaction was moved from"};
  detail::require_innermost(*session_, block_);
}

asio::awaitable<transaction> transaction::begin_on(session_ptr on, transaction_options how,
                                                   std::shared_ptr<pooled_connection> lent) {
  co_await detail::until_free(on, wire::clock::now(), {}, beginning::with_statement);
  const open_blocks::id block = begin_block(*on, how);
  co_return transaction{std::move(on), block, std::move(lent)};
}

asio::awaitable<transaction> transaction::nest(session_ptr on, std::uint64_t in, query_options options) {
  co_await make_savepoint(on, in, options);
  const open_blocks::id block = on->engine.blocks.nested();
  co_return transaction{std::move(on), block, nullptr};
}

asio::awaitable<transaction> connection::begin(transaction_options how) {
  require_open();
  return transaction::begin_on(session_, how, nullptr);
}

asio::awaitable<transaction> pool::begin(transaction_options how) { return transaction::begin_in(held(), how); }
asio::awaitable<transaction> transaction::begin_in(std::shared_ptr<wire::session_pool> from, transaction_options how) {
  pooled_connection taken =
      co_await pooled_connection::acquire_from(std::move(from), wire::clock::time_point::max(), how.parent);
  const auto lent = std::make_shared<pooled_connection>(std::move(taken));
  asio::awaitable<transaction> begun = begin_on((*lent)->session_, how, lent);
  transaction made = co_await std::move(begun);
  co_return made;
}

asio::awaitable<row_stream> transaction::stream(const query& what, query_options options) {
  require_open();
  return connection::start(session_, what, options, block_);
}
asio::awaitable<command_result> transaction::execute(const query& what, query_options options) {
  require_open();
  return connection::run(session_, what, options, block_);
}
asio::awaitable<command_result> transaction::execute(std::string_view statements, query_options options) {
  require_open();
  return connection::run_all(session_, std::string{statements}, options, block_);
}
asio::awaitable<pipeline> transaction::send(std::vector<query> queries, query_options options) {
  require_open();
  return connection::send_all(session_, std::move(queries), options, block_);
}
asio::awaitable<transaction> transaction::begin(query_options options) {
  require_open();
  return nest(session_, block_, options);
}
asio::awaitable<void> transaction::commit(query_options options) {
  require_open();
  return end(session_, block_, ending::kind::commit, options, lent_);
}
asio::awaitable<void> transaction::rollback(query_options options) {
  require_open();
  return end(session_, block_, ending::kind::rollback, options, lent_);
}

bool transaction::is_open() const noexcept {
  return session_ != nullptr && !session_->is_broken() && session_->engine.blocks.is_open(block_);
}
asio::any_io_executor transaction::get_executor() const {
  if (session_ == nullptr) throw error{errc::bad_state, "the transaction was moved from"};
  return session_->io.get_executor();
}

blocking_transaction::blocking_transaction(connection_ptr on, std::uint64_t block) noexcept
    : connection_{std::move(on)}, block_{block} {}
blocking_transaction::blocking_transaction(blocking_transaction&&) noexcept = default;

blocking_transaction& blocking_transaction::operator=(blocking_transaction&& other) noexcept {
  if (this == &other) return *this;
  drop();
  connection_ = std::move(other.connection_);
  block_ = other.block_;
  return *this;
}

blocking_transaction::~blocking_transaction() { drop(); }

void blocking_transaction::drop() noexcept {
  const connection_ptr on = std::move(connection_);
  if (on == nullptr) return;
  on->session()->engine.blocks.drop(block_);
  on->take_back();
}

void blocking_transaction::require_open() const {
  if (connection_ == nullptr) throw error{errc::bad_state, "the transaction was moved from"};
}

blocking_transaction client::begin(transaction_options how) {
  const auto& on = held();
  const auto& session = on->ready(wire::clock::now(), {}, beginning::with_statement, 0);
  return blocking_transaction{on, begin_block(*session, how)};
}

row_range blocking_transaction::stream(const query& what, query_options options) {
  require_open();
  return row_range{std::make_unique<detail::blocking_query>(connection_, connection_->begin(what, options, block_))};
}
command_result blocking_transaction::execute(const query& what, query_options options) {
  require_open();
  return detail::run_to_end(connection_, detail::command{what}, options, block_);
}
command_result blocking_transaction::execute(std::string_view statements, query_options options) {
  require_open();
  return detail::run_to_end(connection_, statements, options, block_);
}
std::vector<row_range> blocking_transaction::send(const std::vector<query>& queries, query_options options) {
  require_open();
  return row_range::send(connection_, queries, options, block_);
}
blocking_transaction blocking_transaction::begin(query_options options) {
  require_open();
  connection_->run(make_savepoint(connection_->session(), block_, options));
  return blocking_transaction{connection_, connection_->session()->engine.blocks.nested()};
}
void blocking_transaction::commit(query_options options) {
  require_open();
  end(connection_, block_, ending::kind::commit, options);
}
void blocking_transaction::rollback(query_options options) {
  require_open();
  end(connection_, block_, ending::kind::rollback, options);
}
bool blocking_transaction::is_open() const noexcept {
  return connection_ != nullptr && !connection_->session()->is_broken() &&
         connection_->session()->engine.blocks.is_open(block_);
}

}  // namespace sluice
