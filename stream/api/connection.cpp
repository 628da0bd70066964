#include <sluice/stream/connection.hpp>

#include <utility>

#include "engine/connect.hpp"
#include "engine/departure.hpp"
#include "engine/run_query.hpp"

#include "api/query_list.hpp"
#include "api/running_query.hpp"
#include "api/session_options.hpp"

namespace sluice {

connection::connection() noexcept = default;
connection::connection(std::shared_ptr<wire::session> session) noexcept : session_{std::move(session)} {}
connection::connection(connection&&) noexcept = default;

connection& connection::operator=(connection&& other) noexcept {
  if (this != &other) {
    close();
    session_ = std::move(other.session_);
  }
  return *this;
}

connection::~connection() { close(); }

void connection::require_open() const {
  if (!session_) throw error{errc::bad_state, "the connection was never opened, or was moved from"};
}

namespace {

/// Waits until a query can be started, or until the query's time is up.
asio::awaitable<void> until_free(wire::session& on, wire::clock::time_point latest) {
  if (on.is() == wire::session::state::leaving) co_await wire::until_left(on, latest);
  if (!on.engine.queue.empty()) co_await wire::until_decided(on, latest);
}

}  // namespace

asio::awaitable<row_stream> connection::stream(const query& what, query_options options) {
  require_open();
  return start(session_, what, options);
}

asio::awaitable<row_stream> connection::start(std::shared_ptr<wire::session> on, query what, query_options options) {
  const auto asked = wire::clock::now();
  co_await until_free(*on, detail::latest_start(asked, options));
  auto query = std::make_shared<detail::running_query>(on, what, options);
  query->launch(asked);
  co_return row_stream{std::move(query)};
}

asio::awaitable<std::string> connection::execute(std::string_view statements, query_options options) {
  require_open();
  return run(session_, std::string{statements}, options);
}

asio::awaitable<std::string> connection::run(std::shared_ptr<wire::session> on, std::string statements,
                                             query_options options) {
  const auto asked = wire::clock::now();
  co_await until_free(*on, detail::latest_start(asked, options));
  auto query = std::make_shared<detail::running_query>(on, std::string_view{statements}, options);
  query->launch(asked);
  row_stream results{std::move(query)};
  const chunk none = co_await results.next();
  (void)none;  // rows are discarded
  co_return results.query_->reader().tag();
}

std::string_view connection::parameter(std::string_view name) const {
  const auto found = session_->server.parameters.find(name);
  return found == session_->server.parameters.end() ? std::string_view{} : found->second;
}

std::uint32_t connection::backend_pid() const noexcept { return session_->server.backend_pid; }
std::string_view connection::tls_version() const noexcept { return session_->tls_version(); }
bool connection::is_idle() const noexcept {
  return session_ && session_->is() != wire::session::state::leaving && wire::query_reader::is_free(*session_);
}
bool connection::is_closed() const noexcept { return !session_ || session_->is_broken(); }
asio::any_io_executor connection::get_executor() const {
  require_open();
  return session_->io.get_executor();
}
void connection::on_notice(notice_handler handler) { session_->on_notice = std::move(handler); }
void connection::on_notification(notification_handler handler) { session_->on_notification = std::move(handler); }

void connection::close() noexcept {
  if (session_ && session_->is_unused()) session_->close();
}

asio::awaitable<pipeline> connection::send(std::vector<query> queries, query_options options) {
  require_open();
  return send_all(session_, std::move(queries), options);
}

asio::awaitable<pipeline> connection::send_all(std::shared_ptr<wire::session> on, std::vector<query> queries,
                                               query_options options) {
  co_await until_free(*on, detail::latest_start(wire::clock::now(), options));
  co_return pipeline{detail::send_all(on, queries, options)};
}

namespace {
asio::awaitable<connection> open(conninfo info, connection_options options) {
  co_return connection{co_await wire::connect(std::move(info), detail::session_options_of(options))};
}
}  // namespace

asio::awaitable<connection> connect(const conninfo& info, connection_options options) { return open(info, options); }
asio::awaitable<connection> connect(std::string_view info, connection_options options) {
  return open(conninfo::parse(info), options);
}

}  // namespace sluice
