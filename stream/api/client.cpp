#include <sluice/stream/client.hpp>

#include <algorithm>
#include <deque>
#include <new>
#include <optional>
#include <utility>

#include "engine/connect.hpp"
#include "engine/run_query.hpp"

#include "api/leaving_query.hpp"
#include "api/query_list.hpp"
#include "api/running_query.hpp"
#include "api/session_options.hpp"
#include "drive/coroutine_runner.hpp"
#include "drive/thread_driver.hpp"

namespace sluice {

namespace detail {

/// A session and the private io_context on which its coroutines run. Rows do not pass through the io_context: waiting
/// for them is a poll of the socket.
class blocking_connection {
 public:
  blocking_connection(const conninfo& info, const connection_options& options)
      : session_{runner_.run(wire::connect(info, session_options_of(options)), &interrupts_)} {}
  ~blocking_connection() {
    leave_put_off();
    if (session_) session_->close();
  }
  blocking_connection(const blocking_connection&) = delete;
  blocking_connection& operator=(const blocking_connection&) = delete;

  /// The session, once a query can be started on it.
  [[nodiscard]] const std::shared_ptr<wire::session>& ready(wire::clock::time_point latest) {
    leave_put_off();
    if (wire::query_reader* const last = wire::query_reader::undecided(*session_)) {
      session_->io.set_deadline(latest);
      wire::deciding decision{*last};
      wire::run(session_->io, decision, &interrupts_);
    }
    return session_;
  }
  /// Starts a query: encodes and sends it.
  template <class What>
  [[nodiscard]] std::shared_ptr<running_query> begin(const What& what, const query_options& options) {
    const auto asked = wire::clock::now();
    auto query = std::make_shared<running_query>(ready(latest_start(asked, options)), what, options);
    query->launch(asked);
    return query;
  }
  [[nodiscard]] const std::shared_ptr<wire::session>& session() const noexcept { return session_; }
  [[nodiscard]] wire::interrupter& interrupts() noexcept { return interrupts_; }

  /// Brings a disowned query to its end. One that continues on its own can be interrupted, which cancels it.
  leaving leave(const std::shared_ptr<running_query>& query) noexcept {
    if (query->reader().is_over()) return leaving::drained;
    try {
      return runner_.run(detail::leave(query, query->depart()), query->goes_on() ? &interrupts_ : nullptr);
    } catch (...) {  // no memory for the coroutine
      session_->discard();
      query->left();
      return leaving::closed;
    }
  }
  /// The same for a dropped query, which has to wait if it is queued behind one that is still being read.
  void leave_dropped(std::shared_ptr<running_query> query) noexcept {
    query->drop();
    if (!query->is_settled() && query->reader().is_behind_another()) {
      try {
        put_off_.push_back(std::move(query));
        return;
      } catch (const std::bad_alloc&) {
        session_->discard();
      }
    }
    (void)leave(query);
    query.reset();
    leave_put_off();
  }

 private:
  /// Ends the queries that were put off, in the order of their message groups.
  void leave_put_off() noexcept {
    const auto is_next = [](const auto& each) { return each->is_settled() || !each->reader().is_behind_another(); };
    for (auto next = std::ranges::find_if(put_off_, is_next); next != put_off_.end();
         next = std::ranges::find_if(put_off_, is_next)) {
      const std::shared_ptr<running_query> query = std::move(*next);
      put_off_.erase(next);
      (void)leave(query);
    }
  }

  wire::interrupter interrupts_;
  wire::coroutine_runner runner_;
  std::shared_ptr<wire::session> session_;
  std::deque<std::shared_ptr<running_query>> put_off_;  // dropped while queued behind queries that are still being read
};

class blocking_query {
 public:
  /// @param query  already sent
  blocking_query(std::shared_ptr<blocking_connection> on, std::shared_ptr<running_query> query) noexcept
      : connection_{std::move(on)}, query_{std::move(query)} {}
  ~blocking_query() { connection_->leave_dropped(std::move(query_)); }
  blocking_query(const blocking_query&) = delete;
  blocking_query& operator=(const blocking_query&) = delete;

  chunk next() {
    if (query_->is_done()) return {};
    query_->enter();
    if (query_->is_satisfied()) {
      query_->finish();
      (void)leave();
      return {};
    }
    for (;;) {
      if (const std::optional<chunk> rows = query_->advance(false)) return *rows;
      query_->wait(connection_->interrupts());
    }
  }

  leaving leave() noexcept {
    query_->stop();
    return connection_->leave(query_);
  }

  void pause(const pause_options& how) {
    if (query_->is_done()) return;
    query_->begin_pause(how);
    while (!query_->settle_pause(false)) query_->wait(connection_->interrupts());
  }
  void resume() {
    if (query_->is_paused()) query_->end_pause();
  }

  [[nodiscard]] const running_query& query() const noexcept { return *query_; }
  [[nodiscard]] const std::string& tag() noexcept { return query_->reader().tag(); }

 private:
  std::shared_ptr<blocking_connection> connection_;
  std::shared_ptr<running_query> query_;
};

}  // namespace detail

template class row_iterator<detail::blocking_query>;

row_range::row_range(std::unique_ptr<detail::blocking_query> query) noexcept : query_{std::move(query)} {}
row_range::row_range(row_range&&) noexcept = default;
row_range& row_range::operator=(row_range&&) noexcept = default;
row_range::~row_range() = default;

row_range::iterator row_range::begin() { return iterator{*query_}; }
chunk row_range::next() { return query_->next(); }
leaving row_range::cancel() { return query_->leave(); }
void row_range::pause(pause_options how) { query_->pause(how); }
void row_range::resume() { query_->resume(); }
std::span<const result_column> row_range::columns() const noexcept { return query_->query().columns(); }
stream_stats row_range::stats() const { return query_->query().stats(); }

client::client(std::string_view conninfo, connection_options options)
    : client{sluice::conninfo::parse(conninfo), options} {}
client::client(const sluice::conninfo& info, connection_options options)
    : connection_{std::make_shared<detail::blocking_connection>(info, options)} {}
client::client(client&&) noexcept = default;
client& client::operator=(client&&) noexcept = default;
client::~client() = default;

row_range client::stream(const query& what, query_options options) {
  return row_range{std::make_unique<detail::blocking_query>(connection_, connection_->begin(what, options))};
}

std::vector<row_range> client::send(const std::vector<query>& queries, query_options options) {
  std::vector<row_range> all;
  all.reserve(queries.size());
  const auto latest = detail::latest_start(wire::clock::now(), options);
  for (auto& each : detail::send_all(connection_->ready(latest), queries, options))
    all.push_back(row_range{std::make_unique<detail::blocking_query>(connection_, std::move(each))});
  return all;
}

std::string client::execute(std::string_view statements, query_options options) {
  detail::blocking_query run{connection_, connection_->begin(statements, options)};
  (void)run.next();  // discards the rows: this is the end
  return run.tag();
}

void client::interrupt() noexcept { connection_->interrupts().interrupt(); }

std::string_view client::parameter(std::string_view name) const {
  const auto& known = connection_->session()->server.parameters;
  const auto found = known.find(name);
  return found == known.end() ? std::string_view{} : found->second;
}

std::uint32_t client::backend_pid() const noexcept { return connection_->session()->server.backend_pid; }
std::string_view client::tls_version() const noexcept { return connection_->session()->tls_version(); }
bool client::is_idle() const noexcept { return wire::query_reader::is_free(*connection_->session()); }
bool client::is_closed() const noexcept { return connection_->session()->is_broken(); }
void client::on_notice(notice_handler handler) { connection_->session()->on_notice = std::move(handler); }
void client::on_notification(notification_handler handler) {
  connection_->session()->on_notification = std::move(handler);
}

}  // namespace sluice
