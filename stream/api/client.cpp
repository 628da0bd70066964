#include <sluice/stream/client.hpp>

#include <utility>

#include "api/blocking_connection.hpp"
#include "api/command_tag.hpp"
#include "api/query_list.hpp"

namespace sluice {

template class row_iterator<detail::blocking_query>;

row_range::row_range(std::unique_ptr<detail::blocking_query> query) noexcept : query_{std::move(query)} {}
row_range::row_range(row_range&&) noexcept = default;
row_range& row_range::operator=(row_range&&) noexcept = default;
row_range::~row_range() = default;

std::vector<row_range> row_range::send(const std::shared_ptr<detail::blocking_connection>& on,
                                       const std::vector<query>& queries, const query_options& options,
                                       std::uint64_t block) {
  std::vector<row_range> all;
  all.reserve(queries.size());
  const auto& session = on->ready(wire::clock::now(), options, detail::beginning::on_its_own, block);
  for (auto& each : detail::send_all(session, queries, options))
    all.push_back(row_range{std::make_unique<detail::blocking_query>(on, std::move(each))});
  return all;
}

detail::blocking_query& row_range::held() const {
  if (query_ == nullptr) throw error{errc::bad_state, "the range was moved from"};
  return *query_;
}

row_range::iterator row_range::begin() { return iterator{held()}; }
chunk row_range::next() { return query_ == nullptr ? chunk{} : query_->next(); }
leaving row_range::cancel() { return query_ == nullptr ? leaving::drained : query_->leave(); }
void row_range::pause(pause_options how) { held().pause(how); }
void row_range::resume() {
  if (query_ != nullptr) query_->resume();
}
std::span<const result_column> row_range::columns() const noexcept {
  return query_ == nullptr ? std::span<const result_column>{} : query_->query().columns();
}
stream_stats row_range::stats() const { return query_ == nullptr ? stream_stats{} : query_->query().stats(); }

client::client(std::string_view conninfo, connection_options options)
    : client{sluice::conninfo::parse(conninfo), options} {}
client::client(const sluice::conninfo& info, connection_options options)
    : connection_{std::make_shared<detail::blocking_connection>(info, options)} {}
client::client(client&&) noexcept = default;
client& client::operator=(client&&) noexcept = default;
client::~client() = default;

const std::shared_ptr<detail::blocking_connection>& client::held() const {
  if (connection_ == nullptr) throw error{errc::bad_state, "the client was moved from"};
  return connection_;
}

row_range client::stream(const query& what, query_options options) {
  const auto& on = held();
  return row_range{std::make_unique<detail::blocking_query>(on, on->begin(what, options, 0))};
}

std::vector<row_range> client::send(const std::vector<query>& queries, query_options options) {
  return row_range::send(held(), queries, options, 0);
}

command_result client::execute(const query& what, query_options options) {
  return detail::run_to_end(held(), detail::command{what}, options, 0);
}
command_result client::execute(std::string_view statements, query_options options) {
  return detail::run_to_end(held(), statements, options, 0);
}

void client::interrupt() noexcept {
  if (connection_ != nullptr) connection_->interrupts().interrupt();
}

std::string_view client::parameter(std::string_view name) const { return held()->session()->server.parameter(name); }

std::uint32_t client::backend_pid() const noexcept {
  return connection_ == nullptr ? 0 : connection_->session()->server.backend_pid;
}
std::string_view client::tls_version() const noexcept {
  return connection_ == nullptr ? std::string_view{} : connection_->session()->tls_version();
}
bool client::is_idle() const noexcept {
  return connection_ != nullptr && wire::query_reader::is_free(*connection_->session());
}
bool client::is_closed() const noexcept { return connection_ == nullptr || connection_->session()->is_broken(); }
void client::on_notice(notice_handler handler) { held()->session()->on_notice = std::move(handler); }
void client::on_notification(notification_handler handler) { held()->session()->on_notification = std::move(handler); }

}  // namespace sluice
