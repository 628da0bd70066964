#include "api/result_rows.hpp"

#include <cstddef>
#include <string>
#include <utility>

#include "rows/own_types.hpp"

namespace sluice::detail {

void result_rows::begin(wire::session& on, const query& what) {
  wanted_ = what.rows();
  shape_.reset();
  filter_.reset();
  if (wanted_ == query::shape::object || wanted_ == query::shape::detect)
    shape_ = std::make_shared<result_shape>(on, wanted_, what.places());
  if (wanted_ == query::shape::chosen_columns) shape_ = std::make_shared<result_shape>(on, what.choice(), what.check());
  if (what.left() == nullptr) return;
  rest_ = *what.left();
  filter_ = std::make_unique<client_filter>(rest_.filter);
}

bool result_rows::take(wire::query_reader& from) {
  if (shape_ != nullptr && !shape_->is_known()) throw from.failure().value();  // its types could not be asked about
  if (shape_ != nullptr && shape_->makes_objects()) return make_objects(from);
  if (filter_ != nullptr && !select(from)) return false;
  batch_ = from.rows();
  return true;
}

void result_rows::were_read() noexcept { object_bytes_ += std::exchange(unread_bytes_, 0); }

bool result_rows::make_objects(wire::query_reader& from) {
  constexpr std::size_t enough = 64U << 10U;  // bytes: what a processor keeps close while they are read
  const object_rows::judge judges = [this](const std::byte* body) { return judge(row{body}); };
  const wire::link& io = from.on().io;
  const object_rows::made now =
      objects_.make(from.rows(), shape_->objects(), enough, io.limits.row, filter_ == nullptr ? nullptr : judges);
  switch (now.is) {
    case object_rows::made::kind::malformed: fail_malformed(from);
    case object_rows::made::kind::too_large:
      io.fail(errc::row_too_large, "a row's object has more bytes than the limit of " + std::to_string(io.limits.row));
    case object_rows::made::kind::rows: break;
  }
  *from.rows().walked = {.at = now.rest, .rows = now.count};
  batch_ = now.rows;
  unread_bytes_ = now.bytes;
  return now.count != 0;
}

/// A value whose bytes are none of its type's, as far as that is known here.
void result_rows::fail_malformed(const wire::query_reader& from) const {
  wire::session& on = from.on();
  const result_columns& columns = *from.columns();
  const std::size_t which = shape_->objects().culprit();
  if (which >= columns.size()) on.io.fail(errc::protocol_violation, "a row has other columns than the result");
  const result_column& column = columns[which];
  const std::string what = "a value of the column \"" + column.name + "\" is not of its type";
  if (column.type < first_own_type) on.io.fail(errc::protocol_violation, what);
  types_of(on).known = {};  // the type was altered since it was asked about
  throw error{error_info{.code = errc::result_changed,
                         .message = on.io.where.after(what + ", which may have been altered: run the query again"),
                         .server = {},
                         .rows = on.io.where.rows,
                         .retryable = !on.engine.is_in_callers_block(),
                         .connection_usable = true}};
}

/// Narrows the current rows to the first contiguous run that matches.
/// @return whether any row matched
bool result_rows::select(wire::query_reader& from) {
  const proto::row_batch rows = from.rows();
  const std::byte* first = nullptr;
  const std::byte* at = rows.begin;
  while (const std::size_t size = proto::row_at(at, rows.end, rows.shape)) {
    const object_rows::verdict verdict = judge(row{at + proto::header_size});
    const bool is_kept = verdict != object_rows::verdict::drop;
    if (!is_kept && first != nullptr) break;
    if (is_kept && first == nullptr) first = at;
    at += size;
    if (verdict == object_rows::verdict::keep_as_last) break;
  }
  from.keep(first == nullptr ? at : first, at);
  return first != nullptr;
}

object_rows::verdict result_rows::judge(const row& each) {
  using enum object_rows::verdict;
  if (!filter_->matches(each)) return drop;
  if (rest_.offset != 0) {
    --rest_.offset;
    return drop;
  }
  return rest_.limit && --*rest_.limit == 0 ? keep_as_last : keep;
}

const result_columns* result_rows::columns(const wire::query_reader& of) {
  if (shape_ != nullptr) return shape_->columns();
  if (of.columns() == nullptr) return nullptr;
  if (wanted_ != query::shape::text_columns) return of.columns();
  if (texts_.empty()) {
    texts_ = *of.columns();
    for (result_column& each : texts_) each.is_text = true;
  }
  return &texts_;
}

std::uint64_t result_rows::bytes(const wire::query_reader& of) const noexcept {
  return shape_ != nullptr && shape_->makes_objects() ? object_bytes_ : of.bytes();
}

}  // namespace sluice::detail
