#include "api/batching.hpp"

#include <iterator>

#include "api/error_note.hpp"

namespace sluice::detail {

void batching::require_open() const {
  if (is_ != state::open) throw error{errc::bad_state, "the batch is over"};
}

void batching::add(std::span<bind_value> row) {
  require_open();
  if (columns_.value_or(row.size()) != row.size())
    throw error{errc::bad_query, "row " + std::to_string(rows() + 1) + " of the batch has " +
                                     std::to_string(row.size()) + " values, the rows before have " +
                                     std::to_string(*columns_)};
  if (group_ == 0) begin_group(row.size());
  values_.insert(values_.end(), std::make_move_iterator(row.begin()), std::make_move_iterator(row.end()));
  columns_ = row.size();
  if (left_over_ == 0 && joins_the_group(std::span{values_}.last(row.size())))
    ++group_;
  else
    ++left_over_;
}

void batching::begin_group(std::size_t columns) {
  types_.assign(columns, 0);
  has_type_.assign(columns, false);
}

/// One group has one type for each column; a NULL fits any.
bool batching::joins_the_group(std::span<const bind_value> row) noexcept {
  const auto is_open = [](const bind_value& value) { return value.type() == 0 && !value.text(); };
  for (std::size_t i = 0; i < row.size(); ++i)
    if (has_type_[i] && !is_open(row[i]) && row[i].type() != types_[i]) return false;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (is_open(row[i])) continue;
    has_type_[i] = true;
    types_[i] = row[i].type();
  }
  return true;
}

repeated_command batching::take() {
  require_open();
  is_ = state::sending;
  return {.text = statement_,
          .types = types_,
          .values = std::span{values_}.first(group_ * columns_.value_or(0)),
          .rows = group_,
          .each_by_itself = block_ == 0};
}

error batching::in_row(std::uint64_t row, const error& why) const {
  return with_note(why, "row " + std::to_string(row) + " of the batch", result_.rows);
}

error batching::not_sent(const error& why) const { return not_run(why, sent_ + 1); }

error batching::not_run(const error& why, std::uint64_t first) const {
  return with_note(why, "row " + std::to_string(first) + " of the batch and those behind it were not run",
                   result_.rows);
}

error batching::with_progress(const error& why, std::uint64_t first) const {
  if (why.connection_usable() && why.server()) return not_run(why, first);  // of the statement itself
  return with_note(why,
                   std::to_string(result_.rows) + " of " + std::to_string(sent_) +
                       " rows of the batch that were sent have been answered",
                   result_.rows);
}

void batching::settle(running_query& sent, const std::optional<error>& failure) {
  const wire::repetition& rows = *sent.reader().repeated();
  const std::uint64_t first = sent_ + 1;
  const std::size_t values_sent = group_ * *columns_;
  sent_ += std::exchange(group_, 0);
  result_.rows += rows.answered();
  result_.failed += rows.failures().size();
  result_.affected_rows += rows.affected_rows();
  const auto refusal = [&](const wire::repetition::failure& of) {
    return in_row(first + of.row, sent.link().server_error(of.why, !sent.session().is_broken()));
  };
  if (how_.on_failure)
    for (const auto& each : rows.failures()) how_.on_failure(first + each.row, refusal(each));
  if (failure) throw rows.ended_at() ? in_row(first + *rows.ended_at(), *failure) : with_progress(*failure, first);
  if (!how_.on_failure && !rows.failures().empty()) throw refusal(rows.failures().front());
  values_.erase(values_.begin(), values_.begin() + static_cast<std::ptrdiff_t>(values_sent));
  begin_group(*columns_);
  for (; left_over_ != 0 && joins_the_group(std::span{values_}.subspan(group_ * *columns_, *columns_)); --left_over_)
    ++group_;
  is_ = state::open;
}

void batching::end() {
  require_open();
  is_ = state::over;
}

}  // namespace sluice::detail
