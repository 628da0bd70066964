#include "adbc/session.hpp"

#include <utility>

#include <sluice/stream/columns.hpp>

#include "adbc/open_result.hpp"

namespace sluice::adbc {

owner new_owner() noexcept {
  static std::atomic<owner> last{the_connection};
  return ++last;
}

session::session(conninfo where) : where_{std::move(where)}, connection_{where_} {}
session::~session() = default;

session::turn::turn(session& of, owner by) : of_{of}, lock_{of.use_} {
  if (of_.is_released()) throw failure{status::invalid_state, "the connection was released"};
  of_.begin_turn(by, before_);
}
session::turn::~turn() { of_.end_turn(before_); }

void session::begin_turn(owner by, std::optional<owner>& before) {
  close_results(true);
  drop_what_was_left();
  forget_interrupt();
  const std::lock_guard lock{guard_};
  before = std::exchange(running_, by);
}

void session::end_turn(std::optional<owner> before) noexcept {
  const std::lock_guard lock{guard_};
  running_ = before;
}

/// Not inside of another turn, which may be writing.
void session::drop_what_was_left() {
  std::vector<std::unique_ptr<batch_source>> left;
  const std::lock_guard lock{guard_};
  if (!running_) left.swap(left_);
}

/// An interrupt that came when nothing waited any more would end the next call.
void session::forget_interrupt() {
  {
    const std::lock_guard lock{guard_};
    if (running_ || !std::exchange(is_interrupted_, false)) return;
  }
  try {
    (void)connection_.execute("");
  } catch (const error&) {  // this is it; anything else shows again
  }
}

bool session::cancel(owner by) noexcept {
  const std::lock_guard lock{guard_};
  const auto is_meant = [&](owner each) { return by == the_connection || each == by; };
  bool found = false;
  for (open_result* const each : results_)
    if (is_meant(each->by())) found = each->cancel() || found;
  if (!running_ || !is_meant(*running_)) return found;
  if (!std::exchange(is_interrupted_, true)) connection_.interrupt();
  return true;
}

void session::add(open_result& result) {
  const std::lock_guard lock{guard_};
  left_.reserve(left_.size() + results_.size() + 1);  // so that `leave` needs no memory
  results_.push_back(&result);
}
void session::remove(open_result& result) noexcept {
  const std::lock_guard lock{guard_};
  std::erase(results_, &result);
}

void session::leave(std::unique_ptr<batch_source> from) noexcept {
  const std::lock_guard lock{guard_};
  left_.push_back(std::move(from));
}

/// A result that is being destroyed in another thread waits for this thread's turn to end, so none goes away meanwhile.
void session::close_results(bool only_cancelled) noexcept {
  for (std::size_t i = 0;; ++i) {
    open_result* result = nullptr;
    {
      const std::lock_guard lock{guard_};
      if (i >= results_.size()) return;
      result = results_[i];
    }
    if (!only_cancelled || result->is_cancelled()) result->close();
  }
}

blocking_transaction& session::transaction() {
  if (transaction_ && !transaction_->is_open()) transaction_.reset();
  if (!transaction_) transaction_.emplace(connection_.begin());
  return *transaction_;
}

row_range session::stream(const query& what, const query_options& how) {
  return autocommit_ ? connection_.stream(what, how) : transaction().stream(what, how);
}
command_result session::execute(const query& what, const query_options& how) {
  return autocommit_ ? connection_.execute(what, how) : transaction().execute(what, how);
}
command_result session::execute(std::string_view statements, const query_options& how) {
  return autocommit_ ? connection_.execute(statements, how) : transaction().execute(statements, how);
}

text_rows session::look(query what) {
  text_rows all;
  row_range rows = connection_.stream(std::move(what).as_text_columns());
  while (const chunk some = rows.next())
    for (const row each : some) {
      std::vector<std::optional<std::string>>& values = all.emplace_back();
      for (const binary_field field : each.fields())
        if (field.is_null)
          values.emplace_back();
        else
          values.emplace_back(std::in_place, reinterpret_cast<const char*>(field.bytes.data()), field.bytes.size());
    }
  return all;
}

void session::configure(std::string_view statements) { (void)connection_.execute(statements); }

std::string session::catalog() { return look(sql("select pg_catalog.current_database()")).at(0).at(0).value_or(""); }

void session::end_transaction() {
  if (transaction_ && !transaction_->is_open()) transaction_.reset();
}

void session::commit() {
  if (autocommit_) throw failure{status::invalid_state, "there is nothing to commit: autocommit is on"};
  if (!transaction_) return;
  try {
    transaction_->commit();
  } catch (...) {
    end_transaction();
    throw;
  }
  transaction_.reset();
}

void session::rollback() {
  if (autocommit_) throw failure{status::invalid_state, "there is nothing to roll back: autocommit is on"};
  close_results(false);
  if (!transaction_) return;
  try {
    transaction_->rollback();
  } catch (...) {
    end_transaction();
    throw;
  }
  transaction_.reset();
}

void session::set_autocommit(bool on) {
  if (on && !autocommit_) commit();
  autocommit_ = on;
}

}  // namespace sluice::adbc
