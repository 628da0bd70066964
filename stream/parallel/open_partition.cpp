// Reads partitions that another process has exported.
#include <optional>
#include <utility>

#include <sluice/stream/partitions.hpp>
#include <sluice/stream/transaction.hpp>
#include <sluice/wire/error.hpp>

#include "parallel/partition_opening.hpp"

namespace sluice {

namespace {

using detail::partition_opening;

query_options limits_of(const partition_read& how) {
  return query_options{.timeout = how.query.timeout,
                       .stall_timeout = how.query.stall_timeout,
                       .server_timeout = how.query.server_timeout};
}

void require_partition(const void* held) {
  if (held == nullptr) throw error{errc::bad_state, "the partition was moved from"};
}

}  // namespace

struct partition_stream::state {
  asio::any_io_executor on;
  transaction block;
  std::optional<row_stream> rows;
};

partition_stream::partition_stream() noexcept = default;
partition_stream::partition_stream(std::shared_ptr<state> of) noexcept : state_{std::move(of)} {}
partition_stream::partition_stream(partition_stream&&) noexcept = default;
partition_stream& partition_stream::operator=(partition_stream&& other) noexcept {
  if (this == &other) return *this;
  leave();
  state_ = std::move(other.state_);
  return *this;
}
partition_stream::~partition_stream() { leave(); }

void partition_stream::leave() noexcept {
  if (state_ == nullptr) return;
  state_->rows.reset();
  state_->block = transaction{};
}

partition_stream::state& partition_stream::held() const {
  require_partition(state_.get());
  return *state_;
}

asio::awaitable<partition_stream> partition_stream::open(asio::any_io_executor on, asio::awaitable<transaction> begun,
                                                         std::string descriptor, partition_read how) {
  const partition_opening opening{descriptor};
  const auto of = std::make_shared<state>();
  partition_stream made{of};  // its destructor ends the transaction if something below throws
  of->on = std::move(on);
  transaction block = co_await std::move(begun);
  of->block = std::move(block);
  const query_options limits = limits_of(how);
  std::optional<error> refusal;
  try {
    const query import = opening.import_snapshot();
    (void)co_await of->block.execute(import, limits);
  } catch (const error& why) {
    refusal = opening.import_failed(why);
  }
  if (refusal) throw *refusal;

  const query question = opening.question();
  row_stream answer = co_await of->block.stream(question, limits);
  for (;;) {
    const chunk some = co_await answer.next();
    if (!some) break;
    opening.take_answer(*some.begin());
  }
  const query description = opening.description();
  row_stream none = co_await of->block.stream(description, limits);
  for (;;) {
    const chunk some = co_await none.next();
    if (!some) break;
  }
  opening.compare(none.columns());
  const query all = opening.rows(how);
  row_stream rows = co_await of->block.stream(all, how.query);
  of->rows.emplace(std::move(rows));
  co_return made;
}

asio::awaitable<chunk> partition_stream::next_of(std::shared_ptr<state> of) {
  if (!of->rows) co_return chunk{};
  const chunk some = co_await of->rows->next();
  if (some || !of->rows || !of->block.is_open()) co_return some;
  co_await of->block.commit();
  co_return some;
}
asio::awaitable<leaving> partition_stream::cancel_of(std::shared_ptr<state> of) {
  if (!of->rows) co_return leaving::drained;
  const leaving how = co_await of->rows->cancel();
  try {
    if (of->block.is_open()) co_await of->block.rollback();
  } catch (const error&) {  // the connection is closed, which `how` says
  }
  co_return how;
}

asio::awaitable<chunk> partition_stream::next() {
  (void)held();
  return next_of(state_);
}
asio::awaitable<leaving> partition_stream::cancel() {
  (void)held();
  return cancel_of(state_);
}
stream_stats partition_stream::stats() const { return held().rows->stats(); }
std::span<const result_column> partition_stream::columns() const { return held().rows->columns(); }
asio::any_io_executor partition_stream::get_executor() const { return held().on; }

asio::awaitable<partition_stream> open_partition(connection& on, std::string_view descriptor, partition_read how) {
  return partition_stream::open(on.get_executor(), on.begin(partition_opening::block()), std::string{descriptor},
                                std::move(how));
}

struct partition_range::state {
  blocking_transaction block;
  std::optional<row_range> rows{};
};

partition_range::partition_range(std::unique_ptr<state> of) noexcept : state_{std::move(of)} {}
partition_range::partition_range(partition_range&&) noexcept = default;
partition_range& partition_range::operator=(partition_range&&) noexcept = default;
partition_range::~partition_range() = default;

partition_range::state& partition_range::held() const {
  require_partition(state_.get());
  return *state_;
}

partition_range::iterator partition_range::begin() { return held().rows->begin(); }
chunk partition_range::next() {
  const chunk some = held().rows->next();
  if (!some && state_->block.is_open()) state_->block.commit();
  return some;
}
leaving partition_range::cancel() {
  const leaving how = held().rows->cancel();
  try {
    if (state_->block.is_open()) state_->block.rollback();
  } catch (const error&) {  // the connection is closed, which `how` says
  }
  return how;
}
stream_stats partition_range::stats() const { return held().rows->stats(); }
std::span<const result_column> partition_range::columns() const { return held().rows->columns(); }

partition_range open_partition(client& on, std::string_view descriptor, const partition_read& how) {
  const partition_opening opening{descriptor};
  auto made =
      std::make_unique<partition_range::state>(partition_range::state{.block = on.begin(partition_opening::block())});
  const query_options limits = limits_of(how);
  try {
    made->block.execute(opening.import_snapshot(), limits);
  } catch (const error& why) {
    throw opening.import_failed(why);
  }
  for (const row answer : made->block.stream(opening.question(), limits)) opening.take_answer(answer);
  {
    row_range none = made->block.stream(opening.description(), limits);
    while (none.next()) continue;
    opening.compare(none.columns());
  }
  made->rows.emplace(made->block.stream(opening.rows(how), how.query));
  return partition_range{std::move(made)};
}

std::string explain_partition(std::string_view descriptor) { return partition_opening{descriptor}.explain(); }

}  // namespace sluice
