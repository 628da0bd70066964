#include <sluice/stream/batch.hpp>

#include <optional>
#include <string>
#include <utility>

#include <sluice/stream/pool.hpp>
#include "pool/session_pool.hpp"

#include "api/batching.hpp"
#include "api/blocking_connection.hpp"
#include "api/free_session.hpp"
#include "api/reading.hpp"
#include "api/run_to_end.hpp"

namespace sluice {

using detail::batching;

namespace {

[[noreturn]] void fail_moved_batch() { throw error{errc::bad_state, "the batch was moved from"}; }

void require_no_handler(const batch_options& how) {
  if (how.on_failure)
    throw error{errc::bad_state, "in a transaction no row of a batch can fail by itself: leave out on_failure"};
}

struct releasing {
  std::shared_ptr<batching> of;
  ~releasing() { of->release_if_over(); }
};

/// A session of a pool for as long as a group takes.
class borrowed {
 public:
  borrowed(std::shared_ptr<wire::session_pool> from, std::shared_ptr<wire::session> what) noexcept
      : from_{std::move(from)}, session_{std::move(what)} {}
  ~borrowed() { from_->give_back(std::move(session_)); }
  borrowed(const borrowed&) = delete;
  borrowed& operator=(const borrowed&) = delete;

 private:
  std::shared_ptr<wire::session_pool> from_;
  std::shared_ptr<wire::session> session_;
};

asio::awaitable<void> run_group(std::shared_ptr<wire::session> on, std::shared_ptr<batching> self,
                                detail::repeated_command group, wire::clock::time_point asked) {
  co_await detail::until_free(on, asked, self->options(), detail::beginning::with_statement, self->block());
  const auto query = std::make_shared<detail::running_query>(on, group, self->options());
  query->launch(asked);
  const std::optional<error> failure = co_await detail::failure_at_end(query);
  self->settle(*query, failure);
}

asio::awaitable<void> send_group(std::shared_ptr<wire::session> on, std::shared_ptr<batching> self) {
  const releasing at_end{self};
  const detail::repeated_command group = self->take();
  asio::awaitable<void> run = run_group(std::move(on), self, group, wire::clock::now());
  co_await std::move(run);
}

asio::awaitable<void> send_group_in(std::shared_ptr<wire::session_pool> from, std::shared_ptr<batching> self) {
  const detail::repeated_command group = self->take();
  const auto asked = wire::clock::now();
  std::shared_ptr<wire::session> on = from->lend_at_once({});
  std::optional<error> failure;
  if (on == nullptr) {
    try {
      on = co_await from->acquire(detail::latest_start(asked, self->options()), {});
    } catch (const error& why) {
      failure = why;
    }
  }
  if (failure) throw self->not_sent(*failure);
  const borrowed until_answered{std::move(from), on};
  asio::awaitable<void> run = run_group(std::move(on), std::move(self), group, asked);
  co_await std::move(run);
}

asio::awaitable<void> send_group(std::shared_ptr<wire::session> on, std::shared_ptr<wire::session_pool> from,
                                 std::shared_ptr<batching> self) {
  return on == nullptr ? send_group_in(std::move(from), std::move(self)) : send_group(std::move(on), std::move(self));
}

asio::awaitable<batch_result> finish_on(std::shared_ptr<wire::session> on, std::shared_ptr<wire::session_pool> from,
                                        std::shared_ptr<batching> self) {
  const releasing at_end{self};
  while (!self->is_empty()) {
    asio::awaitable<void> sent = send_group(on, from, self);
    co_await std::move(sent);
  }
  self->end();
  co_return self->result();
}

}  // namespace

batch_writer::batch_writer() noexcept = default;
batch_writer::batch_writer(std::shared_ptr<wire::session> on, std::shared_ptr<batching> work) noexcept
    : session_{std::move(on)}, work_{std::move(work)} {}
batch_writer::batch_writer(std::shared_ptr<wire::session_pool> from, std::shared_ptr<batching> work) noexcept
    : pool_{std::move(from)}, work_{std::move(work)} {}
batch_writer::batch_writer(batch_writer&&) noexcept = default;
batch_writer& batch_writer::operator=(batch_writer&&) noexcept = default;
batch_writer::~batch_writer() = default;

void batch_writer::add(std::span<bind_value> row) {
  if (work_ == nullptr) fail_moved_batch();
  work_->add(row);
}
asio::awaitable<void> batch_writer::sent_if_full() {
  return work_->is_full() ? send_group(session_, pool_, work_) : detail::nothing_to_send();
}
asio::awaitable<batch_result> batch_writer::finish() {
  if (work_ == nullptr) fail_moved_batch();
  return finish_on(session_, pool_, work_);
}
std::uint64_t batch_writer::rows() const noexcept { return work_ == nullptr ? 0 : work_->rows(); }
asio::any_io_executor batch_writer::get_executor() const {
  if (work_ == nullptr) fail_moved_batch();
  return session_ == nullptr ? pool_->get_executor() : session_->io.get_executor();
}

batch_writer connection::batch(std::string_view statement, batch_options how) {
  require_open();
  auto use = std::make_unique<const wire::session::use>(session_);
  return {session_, std::make_shared<batching>(std::string{statement}, std::move(how), 0U, std::move(use))};
}
batch_writer pool::batch(std::string_view statement, batch_options how) {
  return {held(), std::make_shared<batching>(std::string{statement}, std::move(how), 0U)};
}
batch_writer transaction::batch(std::string_view statement, batch_options how) {
  require_open();
  require_no_handler(how);
  return {session_, std::make_shared<batching>(std::string{statement}, std::move(how), block_)};
}

/// The same in a thread.
class detail::blocking_batching {
 public:
  blocking_batching(std::shared_ptr<blocking_connection> on, std::string_view statement, batch_options how,
                    std::uint64_t block)
      : connection_{std::move(on)}, work_{std::string{statement}, std::move(how), block} {}

  [[nodiscard]] batching& work() noexcept { return work_; }
  void send_group() {
    const repeated_command group = work_.take();
    const std::shared_ptr<running_query> query = connection_->begin(group, work_.options(), work_.block());
    blocking_query running{connection_, query};
    std::optional<error> failure;
    try {
      (void)running.next();
    } catch (const error& why) {
      failure = why;
    }
    work_.settle(*query, failure);
  }
  batch_result finish() {
    while (!work_.is_empty()) send_group();
    work_.end();
    return work_.result();
  }

 private:
  std::shared_ptr<blocking_connection> connection_;
  batching work_;
};

blocking_batch_writer::blocking_batch_writer(std::unique_ptr<detail::blocking_batching> work) noexcept
    : work_{std::move(work)} {}
blocking_batch_writer::blocking_batch_writer(blocking_batch_writer&&) noexcept = default;
blocking_batch_writer& blocking_batch_writer::operator=(blocking_batch_writer&&) noexcept = default;
blocking_batch_writer::~blocking_batch_writer() = default;

void blocking_batch_writer::add(std::span<bind_value> row) {
  if (work_ == nullptr) fail_moved_batch();
  work_->work().add(row);
  if (work_->work().is_full()) work_->send_group();
}
batch_result blocking_batch_writer::finish() {
  if (work_ == nullptr) fail_moved_batch();
  return work_->finish();
}
std::uint64_t blocking_batch_writer::rows() const noexcept { return work_ == nullptr ? 0 : work_->work().rows(); }

blocking_batch_writer client::batch(std::string_view statement, batch_options how) {
  return blocking_batch_writer{
      std::make_unique<detail::blocking_batching>(held(), statement, std::move(how), std::uint64_t{0})};
}
blocking_batch_writer blocking_transaction::batch(std::string_view statement, batch_options how) {
  require_open();
  require_no_handler(how);
  return blocking_batch_writer{
      std::make_unique<detail::blocking_batching>(connection_, statement, std::move(how), block_)};
}

}  // namespace sluice
