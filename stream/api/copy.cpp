#include <sluice/stream/copy.hpp>

#include <optional>
#include <utility>

#include "api/blocking_connection.hpp"
#include "api/command_tag.hpp"
#include "api/copying.hpp"
#include "api/free_session.hpp"
#include "api/leaving_query.hpp"
#include "api/reading.hpp"
#include "query/copy_sql.hpp"

namespace sluice {

using detail::beginning;
using detail::begun;
using detail::copying;
using detail::running_query;

namespace {

begun enter(running_query& query) {
  query.enter();
  return begun::read;
}

/// The same result, or the same error with the row that the server was at.
template <class T>
asio::awaitable<T> with_row(asio::awaitable<T> work) {
  std::optional<error> failure;
  try {
    T result = co_await std::move(work);
    co_return result;
  } catch (const error& why) {
    failure = why;
  }
  throw copying::with_row(*failure);
}

/// Waits until the server wants data, and has taken all that was given to it.
asio::awaitable<void> send(std::shared_ptr<copying> self) {
  asio::awaitable<bool> sent = detail::read<bool>(self->query(), enter, [](running_query& q) { return q.send(true); });
  (void)co_await with_row(std::move(sent));
}

/// What was handed over is sent.
asio::awaitable<void> send_handed_over(std::shared_ptr<copying> self) {
  co_await send(self);
  self->sent();
}
asio::awaitable<void> send_collected(std::shared_ptr<copying> self) {
  self->hand_over();
  asio::awaitable<void> sent = send_handed_over(std::move(self));
  co_await std::move(sent);
}

asio::awaitable<void> sent_if_full(const std::shared_ptr<copying>& self) {
  return self->is_full() ? send_collected(self) : detail::nothing_to_send();
}

asio::awaitable<std::uint64_t> finish(std::shared_ptr<copying> self, bool has_trailer) {
  self->hand_over_last(has_trailer);
  const std::shared_ptr<running_query> query = self->query();
  struct telling {  // a pool may be waiting for the copy's end
    std::shared_ptr<wire::session> on;
    ~telling() { on->leaving.tell(); }
  };
  const telling at_end{query->keep_session()};
  asio::awaitable<chunk> end = detail::read<chunk>(query, enter, [](running_query& q) { return q.advance(true); });
  (void)co_await with_row(std::move(end));
  co_return detail::command_result_of(query->reader().tag()).affected_rows;
}

void drop(const std::shared_ptr<copying>& work) noexcept {
  if (work != nullptr) detail::leave_in_background(work->release());
}

asio::awaitable<void> note_all(row_stream& answers, detail::copy_target& of) {
  while (const chunk some = co_await answers.next())
    for (const row each : some) of.note(each);
}

[[noreturn]] void fail_moved_copy() { throw error{errc::bad_state, "the copy was moved from"}; }

/// Begins a COPY, and waits until the server takes data. Until then, what is dropped is left.
asio::awaitable<std::shared_ptr<copying>> begin_copy(std::shared_ptr<wire::session> on, std::string statement,
                                                     std::vector<detail::written_column> columns, query_options options,
                                                     std::uint64_t block) {
  detail::require_no_server_timeout(options);
  const auto asked = wire::clock::now();
  co_await detail::until_free(on, asked, options, beginning::on_its_own, block);
  auto query = std::make_shared<running_query>(on, detail::copy_from{statement}, options);
  query->launch(asked);
  struct begun_copy {
    std::shared_ptr<copying> work;
    ~begun_copy() { drop(work); }
  };
  begun_copy made{std::make_shared<copying>(std::move(query), std::move(columns))};
  co_await send(made.work);
  co_return std::move(made.work);
}

}  // namespace

copy_writer::copy_writer() noexcept = default;
copy_writer::copy_writer(std::shared_ptr<copying> work) noexcept : work_{std::move(work)} {}
copy_writer::copy_writer(copy_writer&&) noexcept = default;
copy_writer& copy_writer::operator=(copy_writer&& other) noexcept {
  if (this != &other) drop(std::exchange(work_, std::move(other.work_)));
  return *this;
}
copy_writer::~copy_writer() { drop(work_); }

detail::row_writer& copy_writer::writer() const {
  if (work_ == nullptr) fail_moved_copy();
  work_->require_open();
  return work_->rows();
}
asio::awaitable<void> copy_writer::sent_if_full() { return sluice::sent_if_full(work_); }
asio::awaitable<std::uint64_t> copy_writer::finish() {
  if (work_ == nullptr) fail_moved_copy();
  return sluice::finish(work_, true);
}
std::uint64_t copy_writer::rows() const noexcept { return work_ == nullptr ? 0 : work_->rows().rows(); }
asio::any_io_executor copy_writer::get_executor() const {
  if (work_ == nullptr) fail_moved_copy();
  return work_->query()->link().get_executor();
}

copy_data_writer::copy_data_writer() noexcept = default;
copy_data_writer::copy_data_writer(std::shared_ptr<copying> work) noexcept : work_{std::move(work)} {}
copy_data_writer::copy_data_writer(copy_data_writer&&) noexcept = default;
copy_data_writer& copy_data_writer::operator=(copy_data_writer&& other) noexcept {
  if (this != &other) drop(std::exchange(work_, std::move(other.work_)));
  return *this;
}
copy_data_writer::~copy_data_writer() { drop(work_); }

asio::awaitable<void> copy_data_writer::write(std::string_view data) {
  if (work_ == nullptr) fail_moved_copy();
  work_->require_open();
  if (data.size() >= copying::buffer_bytes) {
    work_->hand_over(data);
    return send_handed_over(work_);
  }
  work_->add(data);
  return sent_if_full(work_);
}
asio::awaitable<std::uint64_t> copy_data_writer::finish() {
  if (work_ == nullptr) fail_moved_copy();
  return sluice::finish(work_, false);
}
asio::any_io_executor copy_data_writer::get_executor() const {
  if (work_ == nullptr) fail_moved_copy();
  return work_->query()->link().get_executor();
}

asio::awaitable<copy_writer> connection::copy_into(std::string_view table, std::vector<std::string> columns,
                                                   query_options options) {
  require_open();
  return begin_copy_into(session_, std::string{table}, std::move(columns), options, 0);
}
asio::awaitable<copy_writer> transaction::copy_into(std::string_view table, std::vector<std::string> columns,
                                                    query_options options) {
  require_open();
  return connection::begin_copy_into(session_, std::string{table}, std::move(columns), options, block_);
}
asio::awaitable<copy_writer> connection::begin_copy_into(std::shared_ptr<wire::session> on, std::string table,
                                                         std::vector<std::string> columns, query_options options,
                                                         std::uint64_t block) {
  detail::copy_target target{table, std::move(columns)};
  {
    const query question = target.question();
    asio::awaitable<row_stream> asked = start(on, question, {.timeout = options.timeout}, block);
    row_stream answers = co_await std::move(asked);
    co_await note_all(answers, target);
  }
  std::vector<detail::written_column> written = target.columns();
  std::string statement = target.copy();
  asio::awaitable<std::shared_ptr<copying>> begun_copy =
      begin_copy(std::move(on), std::move(statement), std::move(written), options, block);
  std::shared_ptr<copying> work = co_await std::move(begun_copy);
  work->begin_rows();
  co_return copy_writer{std::move(work)};
}

asio::awaitable<copy_data_writer> connection::copy_data(std::string_view statement, query_options options) {
  require_open();
  return begin_copy_data(session_, std::string{statement}, options, 0);
}
asio::awaitable<copy_data_writer> transaction::copy_data(std::string_view statement, query_options options) {
  require_open();
  return connection::begin_copy_data(session_, std::string{statement}, options, block_);
}
asio::awaitable<copy_data_writer> connection::begin_copy_data(std::shared_ptr<wire::session> on, std::string statement,
                                                              query_options options, std::uint64_t block) {
  asio::awaitable<std::shared_ptr<copying>> begun_copy =
      begin_copy(std::move(on), std::move(statement), {}, options, block);
  std::shared_ptr<copying> work = co_await std::move(begun_copy);
  co_return copy_data_writer{std::move(work)};
}

/// The same in a thread.
class detail::blocking_copying {
 public:
  blocking_copying(const std::shared_ptr<blocking_connection>& on, std::string_view statement,
                   std::vector<written_column> columns, const query_options& options, std::uint64_t block)
      : work_{on->begin(copy_from{statement}, options, block), std::move(columns)}, running_{on, work_.query()} {
    send();
  }

  [[nodiscard]] copying& work() noexcept { return work_; }
  void send_if_full() {
    if (work_.is_full()) send_with({});
  }
  void write(std::string_view data) {
    work_.require_open();
    if (data.size() >= copying::buffer_bytes) return send_with(data);
    work_.add(data);
    send_if_full();
  }
  std::uint64_t finish(bool has_trailer) {
    work_.hand_over_last(has_trailer);
    try {
      (void)running_.next();
    } catch (const error& failure) {
      throw copying::with_row(failure);
    }
    return command_result_of(running_.tag()).affected_rows;
  }

 private:
  void send_with(std::string_view behind) {
    work_.hand_over(behind);
    send();
    work_.sent();
  }
  void send() {
    try {
      running_.send();
    } catch (const error& failure) {
      throw copying::with_row(failure);
    }
  }

  copying work_;
  blocking_query running_;
};

namespace {

using work_ptr = std::unique_ptr<detail::blocking_copying>;

detail::blocking_copying& require_work(const work_ptr& work) {
  if (work == nullptr) fail_moved_copy();
  return *work;
}

work_ptr begin_copy_into(const std::shared_ptr<detail::blocking_connection>& on, std::string_view table,
                         std::vector<std::string> columns, const query_options& options, std::uint64_t block) {
  detail::copy_target target{table, std::move(columns)};
  {
    const query question = target.question();
    detail::blocking_query answers{on, on->begin(question, query_options{.timeout = options.timeout}, block)};
    while (const chunk some = answers.next())
      for (const row each : some) target.note(each);
  }
  auto work = std::make_unique<detail::blocking_copying>(on, target.copy(), target.columns(), options, block);
  work->work().begin_rows();
  return work;
}

}  // namespace

blocking_copy_writer::blocking_copy_writer(work_ptr work) noexcept : work_{std::move(work)} {}
blocking_copy_writer::blocking_copy_writer(blocking_copy_writer&&) noexcept = default;
blocking_copy_writer& blocking_copy_writer::operator=(blocking_copy_writer&&) noexcept = default;
blocking_copy_writer::~blocking_copy_writer() = default;

detail::row_writer& blocking_copy_writer::writer() const {
  require_work(work_).work().require_open();
  return work_->work().rows();
}
void blocking_copy_writer::send_if_full() { work_->send_if_full(); }
std::uint64_t blocking_copy_writer::finish() { return require_work(work_).finish(true); }
std::uint64_t blocking_copy_writer::rows() const noexcept { return work_ == nullptr ? 0 : work_->work().rows().rows(); }

blocking_copy_data_writer::blocking_copy_data_writer(work_ptr work) noexcept : work_{std::move(work)} {}
blocking_copy_data_writer::blocking_copy_data_writer(blocking_copy_data_writer&&) noexcept = default;
blocking_copy_data_writer& blocking_copy_data_writer::operator=(blocking_copy_data_writer&&) noexcept = default;
blocking_copy_data_writer::~blocking_copy_data_writer() = default;

void blocking_copy_data_writer::write(std::string_view data) { require_work(work_).write(data); }
std::uint64_t blocking_copy_data_writer::finish() { return require_work(work_).finish(false); }

blocking_copy_writer client::copy_into(std::string_view table, std::vector<std::string> columns,
                                       query_options options) {
  return blocking_copy_writer{begin_copy_into(held(), table, std::move(columns), options, 0)};
}
blocking_copy_data_writer client::copy_data(std::string_view statement, query_options options) {
  return blocking_copy_data_writer{std::make_unique<detail::blocking_copying>(
      held(), statement, std::vector<detail::written_column>{}, options, 0U)};
}
blocking_copy_writer blocking_transaction::copy_into(std::string_view table, std::vector<std::string> columns,
                                                     query_options options) {
  require_open();
  return blocking_copy_writer{begin_copy_into(connection_, table, std::move(columns), options, block_)};
}
blocking_copy_data_writer blocking_transaction::copy_data(std::string_view statement, query_options options) {
  require_open();
  return blocking_copy_data_writer{std::make_unique<detail::blocking_copying>(
      connection_, statement, std::vector<detail::written_column>{}, options, block_)};
}

}  // namespace sluice
