#include "changes/receipts.hpp"

#include <algorithm>

namespace sluice::detail {

receipts::receipts(position start, lsn confirmed, lsn server, bool keeps_position) noexcept
    : written_{confirmed},
      server_{server},
      confirmed_{confirmed},
      last_{start},
      due_{start},
      safe_{start},
      keeps_position_{keeps_position} {}

void receipts::received(lsn end, lsn server) noexcept {
  const std::lock_guard locked{mutex_};
  written_ = std::max(written_, end);
  server_ = std::max(server_, server);
}

void receipts::handed_out(position at) noexcept {
  const std::lock_guard locked{mutex_};
  last_ = std::max(last_, at == ended_last_ ? position{.commit = ended_} : at);
  due_ = std::max(due_, at);
  ++changes_;
}

void receipts::reached(position at) noexcept {
  const std::lock_guard locked{mutex_};
  last_ = std::max(last_, at);
  due_ = std::max(due_, at);
}

void receipts::committed(const transaction_end& now) noexcept {
  const std::lock_guard locked{mutex_};
  ended_last_ = now.is_change || due_.commit != now.last.commit ? now.last : due_;
  ended_ = now.end;
  if (now.is_change) return;
  last_ = std::max(last_, position{.commit = now.end});
  confirm_rest();
}

bool receipts::idle(lsn end) noexcept {
  const std::lock_guard locked{mutex_};
  written_ = std::max(written_, end);
  server_ = std::max(server_, end);
  if (!keeps_position_ && !is_all_safe()) return false;
  last_ = std::max(last_, position{.commit = end});
  confirm_rest();
  const bool is_news = keeps_position_ && last_ > std::max(safe_, due_);
  if (is_news) due_ = last_;
  return is_news;
}

bool receipts::acknowledge(position safe) noexcept {
  const std::lock_guard locked{mutex_};
  if (safe > last_) return false;
  if (safe <= safe_) return true;
  safe_ = safe;
  // Inside a transaction: from the record of its commit on, so that all of it is sent again. Its last change: behind
  // it.
  const bool is_whole = safe.commit == ended_last_.commit && safe >= ended_last_ && !keeps_position_;
  confirm(is_whole ? ended_ : safe.commit);
  confirm_rest();
  return true;
}

void receipts::confirm_rest() noexcept {
  if (keeps_position_ || !is_all_safe()) return;
  safe_ = std::max(safe_, last_);
  confirm(last_.commit);
}

position receipts::last() const noexcept {
  const std::lock_guard locked{mutex_};
  return last_;
}
position receipts::acknowledged() const noexcept {
  const std::lock_guard locked{mutex_};
  return safe_;
}
lsn receipts::confirmed() const noexcept {
  const std::lock_guard locked{mutex_};
  return confirmed_;
}
bool receipts::are_due() const noexcept {
  const std::lock_guard locked{mutex_};
  return told_ < confirmed_;
}
receipts::counts receipts::now() const noexcept {
  const std::lock_guard locked{mutex_};
  return {.received = written_,
          .acknowledged = told_,
          .server = server_,
          .changes = changes_,
          .is_all_safe = is_all_safe()};
}

proto::standby_status_update receipts::status(std::int64_t sent_at, bool wants_reply) noexcept {
  const std::lock_guard locked{mutex_};
  told_ = confirmed_;
  return {.written = std::max(written_, confirmed_).value,
          .flushed = confirmed_.value,
          .applied = confirmed_.value,
          .sent_at = sent_at,
          .wants_reply = wants_reply};
}

void receipts::confirm(lsn upto) noexcept { confirmed_ = std::max(confirmed_, upto); }

}  // namespace sluice::detail
