#include "engine/repetition.hpp"

#include "messages/frontend.hpp"

namespace sluice::wire {

void repetition::send(flight& to, const statement& what, std::string_view name, bool is_prepared) {
  using proto::describe;
  const proto::parse parse{.statement = name, .sql = what.text, .parameter_types = what.types};
  // Behind a pooler each Sync may lead to another server: there the statement has to come with every row.
  parses_each_ = by_itself_ && name.empty();
  if (!is_prepared && !parses_each_) {
    to << parse << describe{describe::kind::statement, name};
    if (by_itself_) to << proto::sync{};
  }
  for (std::size_t i = 0; i < rows_ && !to.failure(); ++i) {
    if (parses_each_) to.told_later(parse);
    to.told_later(proto::bind{.statement = name, .parameters = what.values.subspan(i * values_, values_)});
    if (parses_each_) to.told_later(describe{});
    to.told_later(proto::execute{});
    if (by_itself_ || i + 1 == rows_) to.told_later(proto::sync{});
  }
}

void repetition::expect_next(proto::query_machine& machine) noexcept {
  if (!has_more()) return;
  ++next_;
  if (parses_each_) machine.sent(proto::parse{});
  machine.sent(proto::bind{});
  if (parses_each_) machine.sent(proto::describe{});
  machine.sent(proto::execute{});
  if (by_itself_ || !has_more()) machine.sent(proto::sync{});
}

void repetition::refused_one(server_message why) {
  if (!is_refused_) failures_.push_back({.row = next_ - 1, .why = std::move(why)});
}

void repetition::refused_rest(proto::query_machine& machine) noexcept {
  is_refused_ = true;
  if (by_itself_) return;  // each of the rows brings an answer of its own
  if (next_ != 0) ended_at_ = next_ - 1;
  next_ = rows_;
  if (machine.needs_sync()) machine.sent(proto::sync{});
}

void repetition::completed(std::uint64_t affected_rows) noexcept {
  ++completed_;
  affected_rows_ += affected_rows;
}

}  // namespace sluice::wire
