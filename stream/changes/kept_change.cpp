#include "changes/kept_change.hpp"

#include <algorithm>

#include <sluice/stream/change_fan_out.hpp>
#include <sluice/wire/error.hpp>

#include "changes/change_condition.hpp"

namespace sluice {

namespace detail {

bool has_relation(operation what) noexcept {
  return has_row(what) || what == operation::truncate || what == operation::schema;
}

namespace {

/// Where only the end of a record is told, its position lies inside of it: a server that is told so passes over it.
position needed_after(const change& each, position previous) noexcept {
  const bool is_inside =
      (each.operation() == operation::message && each.xid() == 0) || each.operation() == operation::rollback_prepared;
  const position at = each.position();
  return is_inside ? previous : position{.commit = at.commit, .index = at.index == 0 ? 0 : at.index - 1};
}

}  // namespace

std::shared_ptr<const kept_change> change_keeper::keep(const change& each, position previous) {
  auto made = std::make_shared<kept_change>();
  made->what = each.operation();
  made->at = each.position();
  made->needed_after = needed_after(each, previous);
  made->xid = each.xid();
  made->gid = each.gid();
  made->committed_at = each.committed_at();
  if (has_relation(made->what)) made->relation = known(each.relation());
  const std::string_view text = each.text();
  const std::string_view old = each.old_text();
  const std::string_view prefix = each.prefix();
  made->texts.reserve(text.size() + old.size() + prefix.size());
  made->texts.append(text).append(old).append(prefix);
  made->text_size = text.size();
  made->old_size = old.size();
  made->old_is_key = each.old_is_key();
  made->is_cascade = each.is_cascade();
  made->restarts_identity = each.restarts_identity();
  for (const std::string_view name : each.unchanged())
    made->unchanged.emplace_back(
        std::ranges::find(made->relation->columns, name, &changed_relation::column::name)->name);
  return made;
}

std::shared_ptr<const changed_relation> change_keeper::known(const changed_relation& what) {
  std::shared_ptr<const changed_relation>& last = relations_[what.id];
  if (last == nullptr || *last != what) last = std::make_shared<const changed_relation>(what);
  return last;
}

}  // namespace detail

operation shared_change::operation() const noexcept { return kept_->what; }
position shared_change::position() const noexcept { return kept_->at; }
std::uint32_t shared_change::xid() const noexcept { return kept_->xid; }
std::string_view shared_change::gid() const noexcept { return kept_->gid; }
std::chrono::sys_time<std::chrono::microseconds> shared_change::committed_at() const noexcept {
  return kept_->committed_at;
}
const changed_relation& shared_change::relation() const {
  if (kept_->relation == nullptr)
    throw error{errc::bad_state, "a change of the kind " + std::string{to_string(operation())} + " has no relation"};
  return *kept_->relation;
}
std::string_view shared_change::text() const noexcept {
  return std::string_view{kept_->texts}.substr(0, kept_->text_size);
}
std::string_view shared_change::old_text() const noexcept {
  return std::string_view{kept_->texts}.substr(kept_->text_size, kept_->old_size);
}
bool shared_change::old_is_key() const noexcept { return kept_->old_is_key; }
std::span<const std::string_view> shared_change::unchanged() const noexcept { return kept_->unchanged; }
std::string_view shared_change::prefix() const noexcept {
  return std::string_view{kept_->texts}.substr(kept_->text_size + kept_->old_size);
}
bool shared_change::is_cascade() const noexcept { return kept_->is_cascade; }
bool shared_change::restarts_identity() const noexcept { return kept_->restarts_identity; }

}  // namespace sluice
