#include "changes/receipts.hpp"

#include <algorithm>

namespace sluice::detail {

receipts::receipts(position start, lsn confirmed, lsn server, bool keeps_position) noexcept
    : written_{confirmed},
      server_{server},
      confirmed_{confirmed},
      last_{start},
      safe_{start},
      keeps_position_{keeps_position} {}

void receipts::received(lsn end, lsn server) noexcept {
  const std::lock_guard locked{mutex_};
  written_ = std::max(written_, end);
  server_ = std::max(server_, server);
}

void receipts::handed_out(position at) noexcept {
  const std::lock_guard locked{mutex_};
  last_ = std::max(last_, at);
  ++changes_;
}

void receipts::reached(position at) noexcept {
  const std::lock_guard locked{mutex_};
  last_ = std::max(last_, at);
}

void receipts::committed(const transaction_end& now) noexcept {
  const std::lock_guard locked{mutex_};
  const bool was_all_safe = is_all_safe();
  ended_last_ = now.last;
  ended_ = now.end;
  last_ = std::max(last_, position{.commit = now.end});
  if (!was_all_safe || now.is_change) return;
  if (now.had_changes || !keeps_position_) {
    safe_ = last_;
    confirm(now.end);
  }
}

bool receipts::idle(lsn end) noexcept {
  const std::lock_guard locked{mutex_};
  written_ = std::max(written_, end);
  server_ = std::max(server_, end);
  const position here{.commit = end};
  if (here <= last_) return false;
  if (keeps_position_) {
    last_ = here;
    return true;
  }
  if (!is_all_safe()) return false;
  last_ = here;
  safe_ = here;
  confirm(end);
  return false;
}

bool receipts::acknowledge(position safe) noexcept {
  const std::lock_guard locked{mutex_};
  if (safe > last_) return false;
  if (safe <= safe_) return true;
  safe_ = safe;
  // Inside a transaction: from the record of its commit on, so that all of it is sent again. Its last change: behind
  // it.
  const bool is_whole = safe.commit == ended_last_.commit && safe.index != 0 && safe.index >= ended_last_.index;
  confirm(is_whole ? ended_ : safe.commit);
  return true;
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
