#include <sluice/stream/partitions.hpp>

#include <utility>

#include "drive/coroutine_runner.hpp"
#include "parallel/held_snapshot.hpp"

namespace sluice {

namespace {

void require_partitions(const void* held) {
  if (held == nullptr) throw error{errc::bad_state, "the partitions were moved from"};
}

}  // namespace

partitions::partitions() noexcept = default;
partitions::partitions(std::shared_ptr<detail::held_snapshot> held) noexcept : held_{std::move(held)} {}
partitions::partitions(partitions&&) noexcept = default;
partitions& partitions::operator=(partitions&& other) noexcept {
  if (this == &other) return *this;
  leave();
  held_ = std::move(other.held_);
  return *this;
}
partitions::~partitions() { leave(); }

void partitions::leave() noexcept {
  if (held_ != nullptr) held_->leave();
}

asio::awaitable<partitions> partitions::of(conninfo where, relation what, partition_options how) {
  std::string path{how.split.path()};
  const auto held = co_await detail::held_snapshot::of(std::move(where), std::move(what), how, std::move(path));
  co_return partitions{held};
}
asio::awaitable<partitions> partitions::of(conninfo where, query what, partition_options how) {
  std::string path{how.split.path()};
  const auto held = co_await detail::held_snapshot::of(std::move(where), std::move(what), how, std::move(path));
  co_return partitions{held};
}

const std::vector<std::string>& partitions::descriptors() const noexcept {
  static const std::vector<std::string> none;
  return held_ == nullptr ? none : held_->descriptors();
}
asio::awaitable<void> partitions::lost() {
  require_partitions(held_.get());
  return detail::held_snapshot::lost(held_);
}
bool partitions::is_held() const noexcept { return held_ != nullptr && held_->is_held(); }
asio::awaitable<void> partitions::end() {
  require_partitions(held_.get());
  return detail::held_snapshot::end(held_);
}
asio::any_io_executor partitions::get_executor() const {
  require_partitions(held_.get());
  return held_->get_executor();
}

/// The thread that blocks, and the snapshot, which ends before its executor does.
class blocking_partitions::work {
 public:
  work(const conninfo& where, detail::held_snapshot::wanted what, const partition_options& how) {
    std::string path{how.split.path()};
    held_ = runner_.run(detail::held_snapshot::of(where, std::move(what), how, std::move(path)), nullptr);
  }
  ~work() { held_->leave(); }
  work(const work&) = delete;
  work& operator=(const work&) = delete;

  [[nodiscard]] const detail::held_snapshot& held() const noexcept { return *held_; }
  void end() { runner_.run(detail::held_snapshot::end(held_), nullptr); }

 private:
  wire::coroutine_runner runner_;
  std::shared_ptr<detail::held_snapshot> held_;
};

blocking_partitions::blocking_partitions(const conninfo& where, const relation& what, const partition_options& how)
    : work_{std::make_unique<work>(where, what, how)} {}
blocking_partitions::blocking_partitions(const conninfo& where, const query& what, const partition_options& how)
    : work_{std::make_unique<work>(where, what, how)} {}
blocking_partitions::blocking_partitions(blocking_partitions&&) noexcept = default;
blocking_partitions& blocking_partitions::operator=(blocking_partitions&&) noexcept = default;
blocking_partitions::~blocking_partitions() = default;

blocking_partitions::work& blocking_partitions::held() const {
  require_partitions(work_.get());
  return *work_;
}
const std::vector<std::string>& blocking_partitions::descriptors() const { return held().held().descriptors(); }
void blocking_partitions::check() const {
  if (!held().held().is_held()) throw held().held().is_lost();
}
void blocking_partitions::end() { held().end(); }

}  // namespace sluice
