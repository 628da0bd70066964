#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include <sluice/arrow/copy.hpp>

#include "arrow/bad_input.hpp"
#include "arrow/input_rows.hpp"

namespace sluice {

namespace {

using arrow_input::bad_input;

/// The rows of a stream, as `write_each` asks for their values.
class copied_rows {
 public:
  explicit copied_rows(ArrowArrayStream& from) : rows_{from} {}

  /// Goes to the next row.
  [[nodiscard]] bool advance() {
    if (count_ != 0 && asked_ != columns()) fail_width(std::to_string(asked_));
    return rows_.advance();
  }
  void operator()(binary_place& to, std::size_t column) {
    if (column >= columns()) fail_width("more");
    asked_ = column + 1;
    rows_.write(to, column);
  }
  void written() noexcept { ++count_; }
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

 private:
  [[nodiscard]] std::size_t columns() { return rows_.batch().columns().size(); }
  [[noreturn]] void fail_width(const std::string& of_the_copy) {
    throw bad_input{bad_input::part::array,
                    "the batches have " + std::to_string(columns()) + " columns, and the COPY has " + of_the_copy};
  }

  arrow_input::input_rows rows_;
  std::size_t asked_{0};  // of the columns, in the last row
  std::uint64_t count_{0};
};

asio::awaitable<std::uint64_t> write_rows(std::unique_ptr<copied_rows> rows, copy_writer& to) {
  const auto value = [&](binary_place& place, std::size_t column) { (*rows)(place, column); };
  for (; rows->advance(); rows->written()) {
    asio::awaitable<void> written = to.write_each(value);
    co_await std::move(written);
  }
  co_return rows->count();
}

}  // namespace

std::uint64_t write_arrow(ArrowArrayStream& from, blocking_copy_writer& to) {
  copied_rows rows{from};
  for (; rows.advance(); rows.written())
    to.write_each([&](binary_place& place, std::size_t column) { rows(place, column); });
  return rows.count();
}

asio::awaitable<std::uint64_t> write_arrow(ArrowArrayStream& from, copy_writer& to) {
  return write_rows(std::make_unique<copied_rows>(from), to);
}

}  // namespace sluice
