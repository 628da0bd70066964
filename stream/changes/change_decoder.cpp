#include "changes/change_decoder.hpp"

#include <utility>

#include "rows/postgres_epoch.hpp"

namespace sluice::detail {

namespace pgoutput = proto::pgoutput;
namespace {

replica_identity identity_of(pgoutput::replica_identity told) noexcept {
  switch (told) {
    case pgoutput::replica_identity::nothing: return replica_identity::nothing;
    case pgoutput::replica_identity::full: return replica_identity::full;
    case pgoutput::replica_identity::index: return replica_identity::index;
    case pgoutput::replica_identity::default_key: break;
  }
  return replica_identity::primary_key;
}

changed_relation owned(const pgoutput::relation& told) {
  changed_relation made{.id = told.id,
                        .schema = std::string{told.schema.empty() ? "pg_catalog" : told.schema},
                        .name = std::string{told.name},
                        .identity = identity_of(told.identity),
                        .columns = {}};
  for (const pgoutput::relation_column& each : told.columns)
    made.columns.push_back(
        {.name = std::string{each.name}, .type = each.type, .modifier = each.modifier, .is_key = each.is_key});
  return made;
}

std::string unexpected(pgoutput::kind is) {
  return "a message '" + std::string(1, static_cast<char>(is)) + "', which was not asked for";
}

bool fits(const pgoutput::tuple& row, const relation_rows& relation) noexcept {
  return row.empty() || row.size() == relation.relation().columns.size();
}

}  // namespace

std::chrono::microseconds change_decoder::moment_of(std::int64_t since_2000) noexcept {
  constexpr std::int64_t epoch = std::chrono::microseconds{postgres_epoch.time_since_epoch()}.count();
  std::int64_t sum{};
  return std::chrono::microseconds{__builtin_add_overflow(since_2000, epoch, &sum) ? since_2000 : sum};
}

void change_decoder::restart(lsn from) {
  begins_ = from;
  is_late_ = false;
  again_.reset();
  xid_ = 0;
  left_ = 0;
  told_first_.reset();
  pending_.reset();
  segment_ = nullptr;
  for (const auto& [xid, told] : running_) void_.push_back(xid);
  running_.clear();
}

change_decoder::outcome change_decoder::take(std::span<const std::byte> data) {
  const std::optional<pgoutput::kind> is = pgoutput::kind_of(data);
  if (!is) return malformed("an empty message");
  if (!is_asked_for(*is)) return malformed(unexpected(*is));
  switch (*is) {
    using enum pgoutput::kind;
    case begin: return on_begin(data);
    case commit: return on_commit(data);
    case relation: return on_relation(data);
    case insert: return on_row(operation::insert, data);
    case update: return on_row(operation::update, data);
    case remove: return on_row(operation::remove, data);
    case truncate: return on_truncate(data);
    case message: return on_message(data);
    case origin: return pgoutput::decode_origin(data) ? outcome::nothing : malformed("an Origin with other fields");
    case type:
      return pgoutput::decode_type(data, segment_ != nullptr) ? outcome::nothing
                                                              : malformed("a Type with other fields");
    case begin_prepare: return on_begin_prepare(data);
    case prepare: return on_prepare(data);
    case commit_prepared: return on_commit_prepared(data);
    case rollback_prepared: return on_rollback_prepared(data);
    case stream_start: return on_stream_start(data);
    case stream_stop: return on_stream_stop(data);
    case stream_commit: return on_stream_commit(data);
    case stream_prepare: return on_stream_prepare(data);
    case stream_abort: return on_stream_abort(data);
  }
  return malformed(unexpected(*is));
}

bool change_decoder::is_asked_for(pgoutput::kind what) const noexcept {
  switch (what) {
    using enum pgoutput::kind;
    case begin_prepare:
    case prepare:
    case commit_prepared:
    case rollback_prepared: return wanted_.prepared;
    case stream_start:
    case stream_stop:
    case stream_commit:
    case stream_abort: return wanted_.running;
    case stream_prepare: return wanted_.prepared && wanted_.running;
    default: return true;
  }
}

/// @return false: there is one already
bool change_decoder::begin_transaction(std::uint32_t xid, lsn end, std::int64_t at) {
  if (is_in_transaction()) return false;
  xid_ = subxid_ = xid;
  at_ = {.commit = end, .index = 1};
  committed_at_ = moment_of(at);
  gid_.clear();
  is_late_ = false;
  return true;
}

change_decoder::outcome change_decoder::end_transaction(operation what, bool is_wanted, lsn end) {
  bool is_change = false;
  if (is_wanted) {
    ++at_.index;
    is_change = hand_out(what, nullptr) == outcome::change;
  }
  ended_ = {.last = at_, .end = end, .is_change = is_change};
  xid_ = 0;
  return outcome::committed;
}

change_decoder::outcome change_decoder::on_begin(std::span<const std::byte> data) {
  const auto told = pgoutput::decode_begin(data);
  if (!told || told->xid == 0) return malformed("a Begin with other fields");
  if (!begin_transaction(told->xid, {told->commit_lsn}, told->committed_at))
    return malformed("a Begin inside a transaction");
  return wanted_.transactions ? hand_out(operation::begin, nullptr) : outcome::nothing;
}

change_decoder::outcome change_decoder::on_commit(std::span<const std::byte> data) {
  const auto told = pgoutput::decode_commit(data);
  if (!told) return malformed("a Commit with other fields");
  const bool fits = is_in_transaction() && segment_ == nullptr && gid_.empty();
  if (!fits || told->commit_lsn != at_.commit.value || told->end_lsn <= told->commit_lsn)
    return malformed("a Commit of another transaction");
  return end_transaction(operation::commit, wanted_.transactions, {told->end_lsn});
}

change_decoder::outcome change_decoder::on_relation(std::span<const std::byte> data) {
  const auto told = pgoutput::decode_relation(data, segment_ != nullptr);
  if (!told) return malformed("a Relation with other fields");
  pending_ = owned(*told);
  if (!missing_types().empty()) return outcome::asking;
  return add_pending();
}

std::vector<std::uint32_t> change_decoder::missing_types() const {
  std::vector<std::uint32_t> types;
  if (pending_)
    for (const changed_relation::column& each : pending_->columns) types.push_back(each.type);
  return types_.missing(types);
}

change_decoder::outcome change_decoder::resume() {
  if (segment_ == nullptr)
    for (const std::uint32_t each : missing_types()) types_.add(each, {});  // dropped meanwhile: a text
  return add_pending();
}

change_decoder::outcome change_decoder::add_pending() {
  const bool is_guessed = !missing_types().empty();
  described_relation told{.what = *std::exchange(pending_, std::nullopt), .number = ++told_, .is_guessed = is_guessed};
  const std::uint32_t id = told.what.id;
  auto made = wanted_.columns ? std::make_unique<relation_rows>(std::move(told), types_)
                              : std::make_unique<relation_rows>(std::move(told), types_, session_);
  const relation_rows* const known = find(id);
  if (known != nullptr && known->is_announced() && known->relation() == made->relation()) made->announce();
  told_relations& where = segment_ != nullptr ? segment_->relations : relations_;
  where[id] = std::move(made);
  return outcome::nothing;
}

change_decoder::outcome change_decoder::on_row(operation what, std::span<const std::byte> data) {
  const auto told = pgoutput::decode_row_change(data, segment_ != nullptr);
  if (!told) return malformed("a row with other fields");
  if (!is_in_transaction()) return malformed("a row outside of a transaction");
  relation_rows* const relation = find(told->relation);
  if (relation == nullptr)
    return malformed("a row of the relation " + std::to_string(told->relation) + ", which was not described");
  if (relation->is_guessed() && !is_own(told->relation)) {  // it has been committed: its types can be asked about
    pending_ = relation->relation();
    again_ = data;
    return outcome::asking;
  }
  if (!fits(told->before, *relation) || !fits(told->after, *relation))
    return malformed("a row of " + relation->relation().qualified_name() + " with other columns than it has");
  now_.row = *told;
  count(told->xid);
  return hand_out(what, relation);
}

change_decoder::outcome change_decoder::on_truncate(std::span<const std::byte> data) {
  const auto told = pgoutput::decode_truncate(data, segment_ != nullptr);
  if (!told || !is_in_transaction()) return malformed("a Truncate with other fields, or outside of a transaction");
  now_.truncated = *told;
  next_ = now_.truncated.relations.begin();
  left_ = now_.truncated.relations.size();
  return left_ == 0 ? outcome::nothing : next_truncated();
}

change_decoder::outcome change_decoder::take_more() {
  if (const std::optional<operation> what = std::exchange(told_first_, std::nullopt))
    return hand_out(*what, now_.relation);
  if (left_ != 0) return next_truncated();
  if (const auto data = std::exchange(again_, std::nullopt)) return take(*data);
  const std::uint32_t xid = void_.back();
  void_.pop_back();
  return hand_out_abort(xid, xid);
}

change_decoder::outcome change_decoder::next_truncated() {
  const std::uint32_t id = *next_;
  ++next_;
  --left_;
  relation_rows* const relation = find(id);
  if (relation == nullptr)
    return malformed("a Truncate of the relation " + std::to_string(id) + ", which was not described");
  count(now_.truncated.xid);
  return hand_out(operation::truncate, relation);
}

change_decoder::outcome change_decoder::on_message(std::span<const std::byte> data) {
  const auto told = pgoutput::decode_message(data, segment_ != nullptr);
  if (!told || told->is_transactional != is_in_transaction())
    return malformed("a Message with other fields, or at the wrong place");
  now_.prefix = told->prefix;
  now_.content = {reinterpret_cast<const char*>(told->content.data()), told->content.size()};
  if (!told->is_transactional) {
    if (told->lsn == 0) return malformed("a Message without a place");
    at_ = {.commit = last_byte_before(told->lsn), .index = 0};
    committed_at_ = {};
    gid_.clear();
  }
  count(told->xid);
  return hand_out(operation::message, nullptr);
}

/// @param part  of a running transaction
void change_decoder::count(std::uint32_t part) {
  if (segment_ == nullptr) {
    ++at_.index;
    return;
  }
  subxid_ = part;
  segment_->count(part);
}

change_decoder::outcome change_decoder::hand_out(operation what, relation_rows* relation) {
  const bool is_running = segment_ != nullptr || is_late_;
  if (!is_running && at_ <= seen_) return outcome::nothing;
  if (wanted_.schema && relation != nullptr && !relation->is_announced()) {
    relation->announce();
    told_first_ = std::exchange(what, operation::schema);
  } else if (!is_running) {
    seen_ = at_;
  }
  now_.what = what;
  now_.at = is_running ? seen_ : at_;
  if (what == operation::schema && !is_running) --now_.at.index;
  now_.xid = xid_;
  now_.subxid = is_running ? subxid_ : xid_;
  now_.is_running = is_running;
  now_.gid = gid_;
  now_.committed_at = committed_at_;
  now_.relation = relation;
  return outcome::change;
}

change_decoder::outcome change_decoder::malformed(std::string why) {
  why_ = std::move(why);
  return outcome::malformed;
}

bool change_decoder::is_own(std::uint32_t relation) const {
  return segment_ != nullptr && segment_->relations.contains(relation);
}

relation_rows* change_decoder::find(std::uint32_t relation) {
  if (segment_ != nullptr)
    if (const auto own = segment_->relations.find(relation); own != segment_->relations.end()) return own->second.get();
  const auto found = relations_.find(relation);
  return found == relations_.end() ? nullptr : found->second.get();
}

}  // namespace sluice::detail
