#include <sluice/stream/connection.hpp>

#include <utility>

#include "engine/connect.hpp"

#include "api/command_tag.hpp"
#include "api/free_session.hpp"
#include "api/new_query.hpp"
#include "api/query_list.hpp"
#include "api/run_to_end.hpp"
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

asio::awaitable<row_stream> connection::stream(const query& what, query_options options) {
  require_open();
  return start(session_, what, options, 0);
}
asio::awaitable<row_stream> connection::stream(query&& what, query_options options) {
  require_open();
  return start(session_, std::move(what), options, 0);
}

asio::awaitable<row_stream> connection::start(std::shared_ptr<wire::session> on, query what, query_options options,
                                              std::uint64_t block) {
  const auto asked = wire::clock::now();
  auto begins = asked;
  if (!detail::is_free_at_once(*on, block)) {
    co_await detail::until_free(on, asked, options, detail::beginning_of(options), block);
    begins = wire::clock::now();
  }
  auto query = detail::new_query(std::move(on), std::move(what), options);
  query->launch(asked, begins);
  co_return row_stream{std::move(query)};
}

asio::awaitable<command_result> connection::execute(const query& what, query_options options) {
  require_open();
  return run(session_, what, options, 0);
}

asio::awaitable<command_result> connection::run(std::shared_ptr<wire::session> on, query what, query_options options,
                                                std::uint64_t block) {
  const auto asked = wire::clock::now();
  if (!detail::is_free_at_once(*on, block))
    co_await detail::until_free(on, asked, options, detail::beginning::with_statement, block);
  const auto query = detail::new_query(on, detail::command{what}, options);
  query->launch(asked);
  co_await detail::run_to_end(query);
  co_return detail::command_result_of(query->reader().tag());
}

asio::awaitable<command_result> connection::execute(std::string_view statements, query_options options) {
  require_open();
  return run_all(session_, std::string{statements}, options, 0);
}

asio::awaitable<command_result> connection::run_all(std::shared_ptr<wire::session> on, std::string statements,
                                                    query_options options, std::uint64_t block) {
  detail::require_no_server_timeout(options);
  const auto asked = wire::clock::now();
  co_await detail::until_free(on, asked, options, detail::beginning::on_its_own, block);
  const auto query = std::make_shared<detail::running_query>(on, std::string_view{statements}, options);
  query->launch(asked);
  co_await detail::run_to_end(query);
  co_return detail::command_result_of(query->reader().tag());
}

std::string_view connection::parameter(std::string_view name) const { return session_->server.parameter(name); }

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
  return send_all(session_, std::move(queries), options, 0);
}

asio::awaitable<pipeline> connection::send_all(std::shared_ptr<wire::session> on, std::vector<query> queries,
                                               query_options options, std::uint64_t block) {
  co_await detail::until_free(on, wire::clock::now(), options, detail::beginning::on_its_own, block);
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
