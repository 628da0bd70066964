// The part of change_decoder about transactions that are sent while they run, and about prepared ones.
#include <utility>

#include "changes/change_decoder.hpp"

namespace sluice::detail {

namespace pgoutput = proto::pgoutput;

change_decoder::outcome change_decoder::on_begin_prepare(std::span<const std::byte> data) {
  const auto told = pgoutput::decode_begin_prepare(data);
  if (!told || told->xid == 0 || told->gid.empty()) return malformed("a Begin Prepare with other fields");
  if (!begin_transaction(told->xid, {told->prepare_lsn}, told->prepared_at))
    return malformed("a Begin Prepare inside a transaction");
  gid_ = told->gid;
  is_late_ = at_.commit < begins_;
  if (is_late_) running_.try_emplace(told->xid);
  return wanted_.transactions ? hand_out(operation::begin, nullptr) : outcome::nothing;
}

change_decoder::outcome change_decoder::on_prepare(std::span<const std::byte> data) {
  const auto told = pgoutput::decode_prepare(data);
  if (!told) return malformed("a Prepare with other fields");
  if (!is_in_transaction() || told->xid != xid_ || told->gid != gid_ || told->prepare_lsn != at_.commit.value ||
      told->end_lsn <= told->prepare_lsn)
    return malformed("a Prepare of another transaction");
  if (!is_late_) return end_transaction(operation::prepare, true, {told->end_lsn});
  const outcome prepared = hand_out(operation::prepare, nullptr);
  is_late_ = false;
  xid_ = 0;
  return prepared;
}

/// @pre `gid_` is its
change_decoder::outcome change_decoder::end_prepared(std::uint32_t xid, operation what, lsn at, lsn end) {
  xid_ = subxid_ = xid;
  at_ = {.commit = at};
  return end_transaction(what, true, end);
}

change_decoder::outcome change_decoder::on_commit_prepared(std::span<const std::byte> data) {
  const auto told = pgoutput::decode_commit_prepared(data);
  if (!told || told->xid == 0 || told->gid.empty() || told->end.end_lsn <= told->end.commit_lsn)
    return malformed("a Commit Prepared with other fields");
  if (is_in_transaction()) return malformed("a Commit Prepared inside a transaction");
  gid_ = told->gid;
  committed_at_ = moment_of(told->end.committed_at);
  const bool was_late = running_.erase(told->xid) != 0;
  const outcome ended =
      end_prepared(told->xid, operation::commit_prepared, {told->end.commit_lsn}, {told->end.end_lsn});
  if (was_late && !ended_.is_change) void_.push_back(told->xid);  // it was handed out before, and now a second time
  return ended;
}

change_decoder::outcome change_decoder::on_rollback_prepared(std::span<const std::byte> data) {
  const auto told = pgoutput::decode_rollback_prepared(data);
  if (!told || told->xid == 0 || told->gid.empty() || told->end_lsn == 0)
    return malformed("a Rollback Prepared with other fields");
  if (is_in_transaction()) return malformed("a Rollback Prepared inside a transaction");
  gid_ = told->gid;
  committed_at_ = moment_of(told->rolled_back_at);
  return end_prepared(told->xid, operation::rollback_prepared, last_byte_before(told->end_lsn), {told->end_lsn});
}

change_decoder::outcome change_decoder::on_stream_start(std::span<const std::byte> data) {
  const auto told = pgoutput::decode_stream_start(data);
  if (!told || told->xid == 0) return malformed("a Stream Start with other fields");
  if (is_in_transaction()) return malformed("a Stream Start inside a transaction");
  if (running_.contains(told->xid) == told->is_first)
    return malformed("a Stream Start that is not the next of its transaction");
  segment_ = &running_[told->xid];
  xid_ = subxid_ = told->xid;
  gid_.clear();
  committed_at_ = {};
  return told->is_first && wanted_.transactions ? hand_out(operation::begin, nullptr) : outcome::nothing;
}

change_decoder::outcome change_decoder::on_stream_stop(std::span<const std::byte> data) {
  if (segment_ == nullptr || data.size() != 1) return malformed("a Stream Stop with other fields, or without a start");
  segment_ = nullptr;
  xid_ = 0;
  return outcome::nothing;
}

/// The changes before it get their positions now: those that they have when the transaction is sent at its end.
change_decoder::outcome change_decoder::end_running(std::uint32_t xid, operation what, lsn at, lsn end) {
  const auto found = running_.find(xid);
  if (is_in_transaction() || found == running_.end() || end <= at)
    return malformed("the end of a running transaction that has none");
  for (auto& [id, relation] : found->second.relations) {
    std::unique_ptr<relation_rows>& known = relations_[id];
    const bool is_newer = known == nullptr || known->number() < relation->number();
    if (is_newer) known = std::move(relation);  // it may have been altered meanwhile, if its rows were rolled back
  }
  at_ = {.commit = at, .index = 1 + found->second.changes()};
  running_.erase(found);
  xid_ = subxid_ = xid;
  const outcome ended = end_transaction(what, true, end);
  if (!ended_.is_change) void_.push_back(xid);  // it was handed out before, and now a second time
  return ended;
}

change_decoder::outcome change_decoder::on_stream_commit(std::span<const std::byte> data) {
  const auto told = pgoutput::decode_stream_commit(data);
  if (!told) return malformed("a Stream Commit with other fields");
  gid_.clear();
  committed_at_ = moment_of(told->end.committed_at);
  return end_running(told->xid, operation::commit, {told->end.commit_lsn}, {told->end.end_lsn});
}

change_decoder::outcome change_decoder::on_stream_prepare(std::span<const std::byte> data) {
  const auto told = pgoutput::decode_prepare(data);
  if (!told || told->gid.empty()) return malformed("a Stream Prepare with other fields");
  gid_ = told->gid;
  committed_at_ = moment_of(told->prepared_at);
  return end_running(told->xid, operation::prepare, {told->prepare_lsn}, {told->end_lsn});
}

change_decoder::outcome change_decoder::on_stream_abort(std::span<const std::byte> data) {
  const auto told = pgoutput::decode_stream_abort(data, false);
  if (!told) return malformed("a Stream Abort with other fields");
  const auto found = running_.find(told->xid);
  if (is_in_transaction() || found == running_.end())
    return malformed("a Stream Abort of a transaction that is not running");
  if (told->subxid == told->xid) {
    running_.erase(found);
    void_.push_back(told->xid);
    return take_more();
  }
  found->second.forget(told->subxid);
  return hand_out_abort(told->xid, told->subxid);
}

/// What was handed out of a running transaction, or of a part of it, is void.
change_decoder::outcome change_decoder::hand_out_abort(std::uint32_t xid, std::uint32_t subxid) {
  now_.what = operation::abort;
  now_.at = seen_;
  now_.xid = xid;
  now_.subxid = subxid;
  now_.is_running = true;
  now_.gid = {};
  now_.committed_at = {};
  now_.relation = nullptr;
  return outcome::change;
}

}  // namespace sluice::detail
