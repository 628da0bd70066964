#include "cache/cached_rows.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace sluice::detail {

namespace {

asio::awaitable<chunk> given(chunk rows) { co_return rows; }
asio::awaitable<chunk> refused() {
  throw error{errc::cancelled, "cancelled: the stream was left"};
  co_return chunk{};
}
asio::awaitable<void> nothing() { co_return; }
asio::awaitable<leaving> nothing_to_leave() { co_return leaving::drained; }

}  // namespace

cached_rows::cached_rows(std::shared_ptr<cache_core> core, call asked)
    : core_{std::move(core)}, asked_{std::move(asked)} {}

cached_rows::~cached_rows() { leave(); }

asio::awaitable<chunk> cached_rows::next(shared self) {
  switch (is_) {
    case state::asked:
      if (asked_.how == cache_use::mode::normal && may_be_stored() && write_key(core_->scratch()) &&
          take(core_->scratch(), kind::hit))
        return given(rows_of_hit());
      return begin(std::static_pointer_cast<cached_rows>(std::move(self)));
    case state::deciding: throw error{errc::bad_state, "the stream is being read already"};
    case state::hit:
      release_entry();
      is_ = state::over;
      return given({});
    case state::sent:
      if (filling_ == nullptr) return inner_->next();
      return go_on(std::static_pointer_cast<cached_rows>(std::move(self)));
    case state::over: return given({});
    case state::left: break;
  }
  return refused();
}

/// Whether a result may be served to this call, and its own be stored; not whether the query only reads.
bool cached_rows::may_be_stored() const {
  return asked_.how != cache_use::mode::bypass && asked_.ttl.count() > 0 && asked_.what.left() == nullptr &&
         core_->is_usable();
}

bool cached_rows::write_key(query_key& into) const {
  const declared more{.session = asked_.session, .tags = asked_.tags};
  return detail::write_key(into, asked_.what, asked_.options.mode, more, core_->options().max_entry_bytes);
}

/// Takes the stored result if there is one that is young enough.
bool cached_rows::take(const query_key& key, kind as) {
  entry* const found = core_->results().find(key.statement, key.values);
  if (found == nullptr) return false;
  const std::uint64_t most_bytes = asked_.options.max_stream_bytes;
  if (most_bytes != 0 && found->document_bytes() > most_bytes) return false;  // the query's own error says so
  const clock::duration age = clock::now() - found->began();
  std::chrono::milliseconds oldest = asked_.ttl;
  if (as == kind::stale_hit) {
    const std::chrono::milliseconds more = std::max(core_->options().serve_stale, std::chrono::milliseconds{0});
    oldest = more > std::chrono::milliseconds::max() - oldest ? std::chrono::milliseconds::max() : oldest + more;
  }
  if (std::chrono::ceil<std::chrono::milliseconds>(age) > oldest) return false;
  core_->results().count_hit(*found);
  if (found->row_count() == 0) {
    is_ = state::over;
  } else {
    core_->results().add_reader(*found);
    entry_ = found;
    is_ = state::hit;
  }
  columns_ = found->of().columns;
  counted_.rows = found->row_count();
  counted_.bytes = found->document_bytes();
  counted_.chunks = found->row_count() == 0 ? 0 : 1;
  core_->report(as, age, waited_);
  return true;
}

chunk cached_rows::rows_of_hit() const {
  if (is_ != state::hit) return {};
  return chunk{entry_->rows(), columns_.get()};
}

void cached_rows::release_entry() noexcept {
  if (entry* const was = std::exchange(entry_, nullptr)) core_->results().remove_reader(*was);
}

/// Nobody wants the rows any more.
void cached_rows::leave() noexcept {
  is_ = state::left;
  if (timer_) timer_->cancel();
  end_filling(kind::discarded, flight::outcome::failed);
  release_entry();
}

void cached_rows::drop(shared /*self*/) noexcept {
  try {  // a statement that may write is sent even if nobody has asked for its rows
    if (is_ == state::asked && asked_.what.effects() == query::effect::any) send();
  } catch (const std::exception&) {  // no memory
  }
  leave();
  inner_.reset();
}

asio::awaitable<leaving> cached_rows::cancel(shared /*self*/) {
  if (is_ == state::over || is_ == state::left) return nothing_to_leave();
  if (is_ != state::sent) {
    leave();
    return nothing_to_leave();
  }
  end_filling(kind::discarded, flight::outcome::failed);
  return inner_->cancel();
}

asio::awaitable<void> cached_rows::pause(const pause_options& how) {
  if (is_ == state::sent) {
    record();
    return inner_->pause(how);
  }
  if (is_ == state::asked || is_ == state::deciding) throw error{errc::bad_state, "an empty stream cannot pause"};
  if (asked_.options.mode != fetch_mode::paged) throw error{errc::bad_state, "only a stream in pages can pause"};
  return nothing();
}

void cached_rows::resume() {
  if (inner_) inner_->resume();
}
stream_stats cached_rows::stats() const { return inner_ ? inner_->stats() : counted_; }
std::span<const result_column> cached_rows::columns() const noexcept {
  if (inner_) return inner_->columns();
  return columns_ == nullptr ? std::span<const result_column>{} : *columns_;
}
int cached_rows::attempts() const noexcept { return inner_ ? inner_->attempts() : 0; }
asio::any_io_executor cached_rows::get_executor() const { return core_->executor(); }

}  // namespace sluice::detail
