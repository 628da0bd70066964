#include "adbc/open_result.hpp"

#include <cerrno>
#include <utility>

namespace sluice::adbc {

open_result::open_result(std::shared_ptr<session> on, std::unique_ptr<batch_source> from, owner by, kind is)
    : on_{std::move(on)}, from_{std::move(from)}, by_{by}, is_{is} {
  if (on_ != nullptr) on_->add(*this);
}

/// The source goes first, and then the connection, if nobody else has it.
open_result::~open_result() {
  if (on_ == nullptr) return;
  on_->remove(*this);
  if (is_ == kind::in_memory) return;
  if (!on_->use_.lock_if_possible()) {
    on_->leave(std::move(from_));
    return;
  }
  const std::lock_guard lock{on_->use_, std::adopt_lock};
  from_.reset();
}

template <class Call>
auto open_result::read(const Call& call) {
  const auto require_open = [&] {
    if (is_cancelled_) throw failure{status::cancelled, "the query was cancelled"};
    if (is_closed_)
      throw failure{status::invalid_state,
                    "this result was closed, because its statement was executed again or its transaction rolled back"};
  };
  if (is_ == kind::in_memory) {
    require_open();
    return call(*from_);
  }
  const std::lock_guard lock{on_->use_};
  if (is_being_read_) throw failure{status::invalid_state, "this result is read by what was bound to its statement"};
  std::optional<owner> before;
  on_->begin_turn(by_, before);
  struct ending {
    open_result& of;
    std::optional<owner> before;
    ~ending() {
      of.is_being_read_ = false;
      if (of.is_closed_) of.from_.reset();
      of.on_->end_turn(before);
    }
  } const end{*this, before};
  require_open();
  is_being_read_ = true;
  auto made = call(*from_);
  require_open();
  return made;
}

arrow_schema open_result::schema() {
  return read([](batch_source& from) { return from.schema(); });
}

arrow_batch open_result::next() {
  arrow_batch made = read([](batch_source& from) { return from.next(); });
  if (!made) is_over_ = true;
  return made;
}

bool open_result::cancel() noexcept {
  if (is_over_) return false;
  is_cancelled_ = true;
  return true;
}

void open_result::close() noexcept {
  if (is_ == kind::in_memory) return;  // it holds nothing up
  is_closed_ = true;
  is_over_ = true;
  if (!is_being_read_) from_.reset();
}

namespace {

/// What an exported stream points to.
struct exported_result {
  std::shared_ptr<open_result> from;
  AdbcError last{};
  status code{status::ok};

  explicit exported_result(std::shared_ptr<open_result> result) noexcept : from{std::move(result)} { clear(); }
  ~exported_result() { clear(); }
  exported_result(const exported_result&) = delete;
  exported_result& operator=(const exported_result&) = delete;

  void clear() noexcept {
    if (last.release != nullptr) last.release(&last);
    last = {};
    last.vendor_code = has_private_data;
    code = status::ok;
  }
};

exported_result& result_of(ArrowArrayStream* stream) noexcept {
  return *static_cast<exported_result*>(stream->private_data);
}

template <class Call>
int answered(ArrowArrayStream* stream, const Call& call) noexcept {
  if (stream == nullptr || stream->private_data == nullptr) return EINVAL;
  exported_result& self = result_of(stream);
  self.clear();
  try {
    call(*self.from);
  } catch (...) {
    report(&self.last, std::current_exception(), self.code);
  }
  return error_number(self.code);
}

int get_result_schema(ArrowArrayStream* stream, ArrowSchema* out) {
  return answered(stream, [&](open_result& from) { from.schema().export_to(required(out, "the schema")); });
}
int get_next_batch(ArrowArrayStream* stream, ArrowArray* out) {
  return answered(stream, [&](open_result& from) { from.next().export_to(required(out, "the array")); });
}
const char* get_last_result_error(ArrowArrayStream* stream) {
  return stream == nullptr || stream->private_data == nullptr ? nullptr : result_of(stream).last.message;
}
void release_result(ArrowArrayStream* stream) {
  if (stream == nullptr) return;
  delete static_cast<exported_result*>(stream->private_data);
  stream->private_data = nullptr;
  stream->release = nullptr;
}

class tree_in_memory final : public batch_source {
 public:
  explicit tree_in_memory(std::unique_ptr<column_tree> rows) noexcept : rows_{std::move(rows)} {}

  arrow_schema schema() override { return arrow_schema{rows_->schema()}; }
  arrow_batch next() override { return rows_->length() == 0 ? arrow_batch{} : arrow_batch{rows_->take()}; }

 private:
  std::unique_ptr<column_tree> rows_;
};

std::shared_ptr<open_result> hand_over(std::shared_ptr<open_result> result, ArrowArrayStream* to) {
  auto owned = std::make_unique<exported_result>(result);
  *required(to, "the stream") = {.get_schema = get_result_schema,
                                 .get_next = get_next_batch,
                                 .get_last_error = get_last_result_error,
                                 .release = release_result,
                                 .private_data = owned.release()};
  return result;
}

}  // namespace

std::shared_ptr<open_result> export_result(std::shared_ptr<session> on, std::unique_ptr<batch_source> from, owner by,
                                           ArrowArrayStream* to) {
  return hand_over(std::make_shared<open_result>(std::move(on), std::move(from), by, open_result::kind::of_server), to);
}

void export_tree(std::shared_ptr<session> on, std::unique_ptr<column_tree> rows, ArrowArrayStream* to) {
  auto from = std::make_unique<tree_in_memory>(std::move(rows));
  (void)hand_over(
      std::make_shared<open_result>(std::move(on), std::move(from), the_connection, open_result::kind::in_memory), to);
}
void export_nothing(ArrowArrayStream* to) { export_tree(nullptr, std::make_unique<column_tree>("+s", ""), to); }

const AdbcError* error_of_stream(ArrowArrayStream* stream, AdbcStatusCode* code) noexcept {
  if (stream == nullptr || stream->release != release_result || stream->private_data == nullptr) return nullptr;
  const exported_result& self = result_of(stream);
  if (code != nullptr) *code = static_cast<AdbcStatusCode>(self.code);
  return self.code == status::ok ? nullptr : &self.last;
}

}  // namespace sluice::adbc
