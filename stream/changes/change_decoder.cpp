#include "changes/change_decoder.hpp"

#include <utility>

#include "rows/postgres_epoch.hpp"

namespace sluice::detail {

namespace pgoutput = proto::pgoutput;
using std::chrono::microseconds;

namespace {

microseconds since_1970(std::int64_t since_2000) noexcept {
  constexpr std::int64_t epoch = microseconds{postgres_epoch.time_since_epoch()}.count();
  std::int64_t sum{};
  return microseconds{__builtin_add_overflow(since_2000, epoch, &sum) ? since_2000 : sum};
}

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

bool fits(const pgoutput::tuple& row, const relation_rows& relation) noexcept {
  return row.empty() || row.size() == relation.relation().columns.size();
}

}  // namespace

void change_decoder::restart() noexcept {
  xid_ = 0;
  left_ = 0;
  told_first_.reset();
  pending_.reset();
}

change_decoder::outcome change_decoder::take(std::span<const std::byte> data) {
  const std::optional<pgoutput::kind> is = pgoutput::kind_of(data);
  if (!is) return malformed("an empty message");
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
    case type: return pgoutput::decode_type(data, false) ? outcome::nothing : malformed("a Type with other fields");
    default: break;
  }
  return malformed("a message '" + std::string(1, static_cast<char>(*is)) + "', which was not asked for");
}

change_decoder::outcome change_decoder::on_begin(std::span<const std::byte> data) {
  const auto told = pgoutput::decode_begin(data);
  if (!told || told->xid == 0) return malformed("a Begin with other fields");
  if (is_in_transaction()) return malformed("a Begin inside a transaction");
  xid_ = told->xid;
  at_ = {.commit = {told->commit_lsn}, .index = 1};
  committed_at_ = since_1970(told->committed_at);
  return wanted_.transactions ? hand_out(operation::begin, nullptr) : outcome::nothing;
}

change_decoder::outcome change_decoder::on_commit(std::span<const std::byte> data) {
  const auto told = pgoutput::decode_commit(data);
  if (!told) return malformed("a Commit with other fields");
  if (!is_in_transaction() || told->commit_lsn != at_.commit.value || told->end_lsn <= told->commit_lsn)
    return malformed("a Commit of another transaction");
  bool is_change = false;
  if (wanted_.transactions) {
    ++at_.index;
    is_change = hand_out(operation::commit, nullptr) == outcome::change;
  }
  ended_ = {.last = at_, .end = {told->end_lsn}, .is_change = is_change};
  xid_ = 0;
  return outcome::committed;
}

change_decoder::outcome change_decoder::on_relation(std::span<const std::byte> data) {
  const auto told = pgoutput::decode_relation(data, false);
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
  for (const std::uint32_t each : missing_types()) types_.add(each, {});  // dropped meanwhile: a text
  return add_pending();
}

change_decoder::outcome change_decoder::add_pending() {
  const std::uint32_t id = pending_->id;
  auto made = std::make_unique<relation_rows>(*std::exchange(pending_, std::nullopt), types_, session_);
  std::unique_ptr<relation_rows>& known = relations_[id];
  if (known != nullptr && known->is_announced() && known->relation() == made->relation()) made->announce();
  known = std::move(made);
  return outcome::nothing;
}

change_decoder::outcome change_decoder::on_row(operation what, std::span<const std::byte> data) {
  const auto told = pgoutput::decode_row_change(data, false);
  if (!told) return malformed("a row with other fields");
  if (!is_in_transaction()) return malformed("a row outside of a transaction");
  relation_rows* const relation = find(told->relation);
  if (relation == nullptr)
    return malformed("a row of the relation " + std::to_string(told->relation) + ", which was not described");
  if (!fits(told->before, *relation) || !fits(told->after, *relation))
    return malformed("a row of " + relation->relation().qualified_name() + " with other columns than it has");
  now_.row = *told;
  ++at_.index;
  return hand_out(what, relation);
}

change_decoder::outcome change_decoder::on_truncate(std::span<const std::byte> data) {
  const auto told = pgoutput::decode_truncate(data, false);
  if (!told || !is_in_transaction()) return malformed("a Truncate with other fields, or outside of a transaction");
  now_.truncated = *told;
  next_ = now_.truncated.relations.begin();
  left_ = now_.truncated.relations.size();
  return left_ == 0 ? outcome::nothing : next_truncated();
}

change_decoder::outcome change_decoder::take_more() {
  if (const std::optional<operation> what = std::exchange(told_first_, std::nullopt))
    return hand_out(*what, now_.relation);
  return next_truncated();
}

change_decoder::outcome change_decoder::next_truncated() {
  const std::uint32_t id = *next_;
  ++next_;
  --left_;
  relation_rows* const relation = find(id);
  if (relation == nullptr)
    return malformed("a Truncate of the relation " + std::to_string(id) + ", which was not described");
  ++at_.index;
  return hand_out(operation::truncate, relation);
}

change_decoder::outcome change_decoder::on_message(std::span<const std::byte> data) {
  const auto told = pgoutput::decode_message(data, false);
  if (!told || told->is_transactional != is_in_transaction())
    return malformed("a Message with other fields, or at the wrong place");
  now_.prefix = told->prefix;
  now_.content = {reinterpret_cast<const char*>(told->content.data()), told->content.size()};
  if (!told->is_transactional) {
    at_ = {.commit = {told->lsn}, .index = 0};
    committed_at_ = {};
  }
  ++at_.index;
  return hand_out(operation::message, nullptr);
}

change_decoder::outcome change_decoder::hand_out(operation what, relation_rows* relation) {
  if (at_ <= seen_) return outcome::nothing;
  if (wanted_.schema && relation != nullptr && !relation->is_announced()) {
    relation->announce();
    told_first_ = std::exchange(what, operation::schema);
  } else {
    seen_ = at_;
  }
  now_.what = what;
  now_.at = what == operation::schema ? position{.commit = at_.commit, .index = at_.index - 1} : at_;
  now_.xid = xid_;
  now_.committed_at = committed_at_;
  now_.relation = relation;
  return outcome::change;
}

change_decoder::outcome change_decoder::malformed(std::string why) {
  why_ = std::move(why);
  return outcome::malformed;
}

relation_rows* change_decoder::find(std::uint32_t relation) {
  const auto found = relations_.find(relation);
  return found == relations_.end() ? nullptr : found->second.get();
}

}  // namespace sluice::detail
