#include <sluice/arrow/reader.hpp>

#include <cerrno>
#include <exception>
#include <new>
#include <string>
#include <utility>

#include <sluice/wire/error.hpp>

namespace sluice {

/// Rows of either kind, and what is made of them.
class arrow_reader::source {
 public:
  explicit source(const arrow_options& how) : made_{how} {}
  virtual ~source() = default;
  source(const source&) = delete;
  source& operator=(const source&) = delete;

  arrow_batch next() {
    while (made_.is_hungry()) read();
    return made_.next();
  }
  arrow_schema schema() {
    while (!made_.is_known() && made_.is_hungry()) read();
    return made_.schema();
  }
  [[nodiscard]] virtual stream_stats stats() const = 0;
  virtual leaving cancel() = 0;

 private:
  void read() {
    try {
      const chunk rows = next_rows();
      made_.take(rows, columns());
    } catch (...) {
      made_.fail(std::current_exception());
    }
  }
  [[nodiscard]] virtual chunk next_rows() = 0;
  [[nodiscard]] virtual std::span<const result_column> columns() const = 0;

  detail::batch_assembly made_;
};

namespace {

template <class Rows>
class rows_of final : public arrow_reader::source {
 public:
  rows_of(Rows rows, const arrow_options& how) : source{how}, rows_{std::move(rows)} {}

  [[nodiscard]] stream_stats stats() const override { return rows_.stats(); }
  leaving cancel() override { return rows_.cancel(); }

 private:
  [[nodiscard]] chunk next_rows() override { return rows_.next(); }
  [[nodiscard]] std::span<const result_column> columns() const override { return rows_.columns(); }

  Rows rows_;
};

/// What an exported stream points to.
struct exported_stream {
  std::unique_ptr<arrow_reader::source> from;
  std::string last_error{};
};

int number_of(const error& failure) noexcept {
  switch (failure.kind()) {
    case condition::usage: return EINVAL;
    case condition::timeout: return ETIMEDOUT;
    case condition::cancelled: return ECANCELED;
    case condition::limit: return failure.code() == errc::out_of_memory ? ENOMEM : EIO;
    default: return EIO;
  }
}

/// Runs a call of the C interface, through which no exception may pass.
template <class Call>
int guarded(ArrowArrayStream* stream, const Call& call) noexcept {
  auto& self = *static_cast<exported_stream*>(stream->private_data);
  self.last_error.clear();
  int number = EIO;
  try {
    try {
      call(*self.from);
      return 0;
    } catch (const error& failure) {
      number = number_of(failure);
      self.last_error = failure.what();
    } catch (const std::bad_alloc&) {
      number = ENOMEM;
      self.last_error = "out of memory";
    } catch (const std::exception& failure) {
      self.last_error = failure.what();
    }
  } catch (...) {  // no memory for the text
    self.last_error.clear();
  }
  return number;
}

int get_schema(ArrowArrayStream* stream, ArrowSchema* out) {
  return guarded(stream, [&](arrow_reader::source& from) { from.schema().export_to(out); });
}
int get_next(ArrowArrayStream* stream, ArrowArray* out) {
  return guarded(stream, [&](arrow_reader::source& from) { from.next().export_to(out); });
}
const char* get_last_error(ArrowArrayStream* stream) {
  const std::string& text = static_cast<exported_stream*>(stream->private_data)->last_error;
  return text.empty() ? nullptr : text.c_str();
}
void release(ArrowArrayStream* stream) {
  delete static_cast<exported_stream*>(stream->private_data);
  stream->release = nullptr;
}

}  // namespace

arrow_reader::arrow_reader(std::unique_ptr<source> from) noexcept : from_{std::move(from)} {}
arrow_reader::arrow_reader(row_range rows, const arrow_options& how)
    : arrow_reader{std::make_unique<rows_of<row_range>>(std::move(rows), how)} {}
arrow_reader::arrow_reader(parallel_range rows, const arrow_options& how)
    : arrow_reader{std::make_unique<rows_of<parallel_range>>(std::move(rows), how)} {}
arrow_reader::arrow_reader(partition_range rows, const arrow_options& how)
    : arrow_reader{std::make_unique<rows_of<partition_range>>(std::move(rows), how)} {}
arrow_reader::arrow_reader(arrow_reader&&) noexcept = default;
arrow_reader& arrow_reader::operator=(arrow_reader&&) noexcept = default;
arrow_reader::~arrow_reader() = default;

arrow_reader::source& arrow_reader::held() const {
  if (from_ == nullptr) throw error{errc::bad_state, "the reader was moved from or exported"};
  return *from_;
}

arrow_batch arrow_reader::next() { return held().next(); }
arrow_schema arrow_reader::schema() { return held().schema(); }
stream_stats arrow_reader::stats() const { return held().stats(); }
leaving arrow_reader::cancel() { return held().cancel(); }

void arrow_reader::export_to(ArrowArrayStream* to) {
  (void)held();
  auto owned = std::make_unique<exported_stream>();
  owned->from = std::move(from_);
  *to = {.get_schema = get_schema,
         .get_next = get_next,
         .get_last_error = get_last_error,
         .release = release,
         .private_data = owned.release()};
}

}  // namespace sluice
