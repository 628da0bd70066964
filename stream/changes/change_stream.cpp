#include <sluice/stream/changes.hpp>

#include <utility>

#include <asio/this_coro.hpp>

#include "changes/change_source.hpp"

namespace sluice {

using detail::change_source;

namespace {

std::shared_ptr<change_source> required(std::shared_ptr<change_source> source) {
  if (source == nullptr) throw error{errc::bad_state, "the change stream was moved from, or never began"};
  return source;
}

asio::awaitable<change_chunk> next_of(std::shared_ptr<change_source> source) {
  asio::awaitable<bool> work = change_source::next(source);
  const bool goes_on = co_await std::move(work);
  co_return goes_on ? change_chunk{source->feed()} : change_chunk{};
}

}  // namespace

change_stream::change_stream() noexcept = default;
change_stream::change_stream(std::shared_ptr<change_source> source) noexcept : source_{std::move(source)} {}
change_stream::change_stream(change_stream&&) noexcept = default;
change_stream& change_stream::operator=(change_stream&& other) noexcept {
  if (this == &other) return *this;
  if (source_ != nullptr) source_->leave();
  source_ = std::move(other.source_);
  return *this;
}
change_stream::~change_stream() {
  if (source_ != nullptr) source_->leave();
}

asio::awaitable<change_chunk> change_stream::next() { return next_of(required(source_)); }
void change_stream::acknowledge(position safe) { required(source_)->acknowledge(safe); }
asio::awaitable<void> change_stream::close() { return change_source::close(required(source_)); }
asio::awaitable<slot_lag> change_stream::lag() { return change_source::lag(required(source_)); }
change_progress change_stream::progress() const noexcept {
  return source_ == nullptr ? change_progress{} : source_->progress();
}
asio::any_io_executor change_stream::get_executor() const { return required(source_)->executor(); }

asio::awaitable<change_stream> follow(conninfo where, change_options how) {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  auto source = std::make_shared<change_source>(std::move(where), std::move(how), on);
  change_stream made{source};
  co_await change_source::begin(std::move(source));
  co_return made;
}

asio::awaitable<change_stream> follow(std::string_view where, change_options how) {
  return follow(conninfo::parse(where), std::move(how));
}

}  // namespace sluice
