#include <sluice/stream/pool.hpp>

#include <string>
#include <utility>

#include <sluice/stream/copy.hpp>
#include "pool/session_pool.hpp"

#include "api/running_query.hpp"
#include "api/session_options.hpp"

namespace sluice {

pooled_connection::pooled_connection() noexcept = default;
pooled_connection::pooled_connection(std::shared_ptr<wire::session_pool> from,
                                     std::shared_ptr<wire::session> lent) noexcept
    : from_{std::move(from)}, connection_{std::move(lent)} {}
pooled_connection::pooled_connection(pooled_connection&&) noexcept = default;

pooled_connection& pooled_connection::operator=(pooled_connection&& other) noexcept {
  if (this == &other) return *this;
  release();
  from_ = std::move(other.from_);
  connection_ = std::move(other.connection_);
  return *this;
}

pooled_connection::~pooled_connection() { release(); }

void pooled_connection::release() noexcept {
  const std::shared_ptr<wire::session_pool> from = std::move(from_);
  if (from != nullptr) from->give_back(std::move(connection_).release());
}

const std::shared_ptr<wire::session_pool>& detail::sessions_of(const pool& from) { return from.held(); }

pool::pool(asio::any_io_executor on, std::string_view conninfo, pool_options options, connection_options each)
    : pool{std::move(on), sluice::conninfo::parse(conninfo), options, each} {}
pool::pool(asio::any_io_executor on, sluice::conninfo info, pool_options options, connection_options each)
    : sessions_{std::make_shared<wire::session_pool>(std::move(on), std::move(info), detail::session_options_of(each),
                                                     options)} {}
pool::pool(pool&&) noexcept = default;

pool& pool::operator=(pool&& other) noexcept {
  if (this == &other) return *this;
  close();
  sessions_ = std::move(other.sessions_);
  return *this;
}

pool::~pool() { close(); }

asio::awaitable<pooled_connection> pool::acquire() { return acquire(trace_context{}); }
asio::awaitable<pooled_connection> pool::acquire(trace_context parent) {
  return pooled_connection::acquire_from(held(), wire::clock::time_point::max(), parent);
}

asio::awaitable<pooled_connection> pooled_connection::acquire_from(std::shared_ptr<wire::session_pool> sessions,
                                                                   std::chrono::steady_clock::time_point deadline,
                                                                   trace_context parent) {
  std::shared_ptr<wire::session> lent = sessions->lend_at_once(parent);
  if (lent == nullptr) lent = co_await sessions->acquire(deadline, parent);
  co_return pooled_connection{std::move(sessions), std::move(lent)};
}

/// Calls on a connection that the pool gets back once what has begun on it is over. Its time limit counts from now.
template <class Call>
auto pool::run(std::shared_ptr<wire::session_pool> on, Call call, query_options options)
    -> decltype(call(std::declval<connection&>(), options)) {
  const auto asked = wire::clock::now();
  const auto latest = detail::latest_start(asked, options);
  pooled_connection lent = co_await pooled_connection::acquire_from(std::move(on), latest, options.parent);
  options.timeout = detail::rest_of(options.timeout, asked);
  options.first_row_timeout = detail::rest_of(options.first_row_timeout, asked);
  auto answer = call(*lent, options);
  auto done = co_await std::move(answer);
  co_return done;
}

asio::awaitable<command_result> pool::execute(query what, query_options options) {
  const auto call = [what = std::move(what)](connection& on, const query_options& how) {
    return on.execute(what, how);
  };
  return run(held(), call, options);
}
asio::awaitable<command_result> pool::execute(std::string_view statements, query_options options) {
  const auto call = [all = std::string{statements}](connection& on, const query_options& how) {
    return on.execute(std::string_view{all}, how);
  };
  return run(held(), call, options);
}
asio::awaitable<copy_writer> pool::copy_into(std::string_view table, std::vector<std::string> columns,
                                             query_options options) {
  const auto call = [into = std::string{table}, names = std::move(columns)](connection& on, const query_options& how) {
    return on.copy_into(into, names, how);
  };
  return run(held(), call, options);
}
asio::awaitable<copy_data_writer> pool::copy_data(std::string_view statement, query_options options) {
  const auto call = [text = std::string{statement}](connection& on, const query_options& how) {
    return on.copy_data(text, how);
  };
  return run(held(), call, options);
}

namespace {
asio::awaitable<void> warm_up_all(std::shared_ptr<wire::session_pool> sessions) { co_await sessions->warm_up(); }
asio::awaitable<bool> drain_all(std::shared_ptr<wire::session_pool> sessions, std::chrono::milliseconds patience) {
  const bool came_back = co_await sessions->drain(wire::saturated(patience));
  co_return came_back;
}
}  // namespace

asio::awaitable<void> pool::warm_up() { return warm_up_all(held()); }

void pool::close() noexcept {
  if (sessions_ != nullptr) sessions_->close();
}

asio::awaitable<bool> pool::drain(std::chrono::milliseconds patience) { return drain_all(held(), patience); }
pool_stats pool::stats() const { return held()->stats(); }
asio::any_io_executor pool::get_executor() const { return held()->get_executor(); }
const std::shared_ptr<wire::session_pool>& pool::held() const {
  if (sessions_ == nullptr) throw error{errc::bad_state, "the pool was moved from"};
  return sessions_;
}

}  // namespace sluice
