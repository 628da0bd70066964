// Batches out of chunks, and the queries that give such chunks.
#include <iterator>
#include <utility>

#include <sluice/arrow/batch.hpp>
#include <sluice/wire/error.hpp>

#include "arrow/batch_builder.hpp"

namespace sluice {

namespace {

format_choice formats_for(const arrow_options& how) {
  detail::check_options(how);
  return [how](const result_column& column) { return detail::comes_as_text(column, how); };
}

}  // namespace

query arrow_query(query what, const arrow_options& how) { return std::move(what).as_columns(formats_for(how)); }
query arrow_query(relation what, const arrow_options& how) { return arrow_relation(std::move(what), how).build(); }
relation arrow_relation(relation what, const arrow_options& how) { return std::move(what).formats(formats_for(how)); }

namespace detail {

batch_assembly::batch_assembly(const arrow_options& how) : how_{how} { check_options(how); }
batch_assembly::batch_assembly(batch_assembly&&) noexcept = default;
batch_assembly& batch_assembly::operator=(batch_assembly&&) noexcept = default;
batch_assembly::~batch_assembly() = default;

void batch_assembly::take(const chunk& rows, std::span<const result_column> columns) {
  try {
    if (builder_ == nullptr && (rows || !columns.empty())) {
      if (columns.empty())
        throw error{errc::bad_state, "these rows are documents: for batches, ask for an arrow_query"};
      builder_ = std::make_unique<batch_builder>(columns, how_);
    }
    if (!rows) {
      is_over_ = true;
      return;
    }
    at_ = rows.begin();
    has_rows_ = true;
    fill();
  } catch (...) {
    fail(std::current_exception());
  }
}

void batch_assembly::fail(std::exception_ptr why) noexcept {
  failure_ = std::move(why);
  has_rows_ = false;
  is_over_ = true;
}

/// Adds rows until the batch is full, or the chunk is used up.
void batch_assembly::fill() {
  if (!has_rows_) return;
  for (; at_ != std::default_sentinel; ++at_) {
    is_full_ = builder_->is_full() || !builder_->add(*at_);
    if (is_full_) return;
  }
  has_rows_ = false;
  is_full_ = builder_->is_full();
}

arrow_batch batch_assembly::next() {
  if (builder_ == nullptr || builder_->rows() == 0) {
    if (failure_) std::rethrow_exception(failure_);
    return {};
  }
  try {
    arrow_batch made = builder_->finish();
    is_full_ = false;
    try {
      fill();
    } catch (...) {
      fail(std::current_exception());
    }
    return made;
  } catch (...) {
    builder_.reset();
    fail(std::current_exception());
    throw;
  }
}

arrow_schema batch_assembly::schema() const {
  if (builder_ != nullptr) return builder_->schema();
  if (failure_) std::rethrow_exception(failure_);
  throw error{errc::bad_state, "the statement returns no rows: there are no columns"};
}

}  // namespace detail

}  // namespace sluice
