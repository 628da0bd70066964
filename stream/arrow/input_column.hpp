#pragma once
// Reads the columns of an Arrow array from elsewhere: one value at a time, as a C++ value.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/arrow/abi.hpp>
#include <sluice/stream/columns.hpp>
#include <sluice/stream/uuid.hpp>

namespace sluice::arrow_input {

class input_column;

/// A decimal, as its digits.
struct decimal_text {
  std::string digits{};
};
/// A document.
struct json_text {
  std::string_view text{};
};
/// Some neighbours in the column of a list's elements.
struct input_list {
  const input_column* of{};
  std::int64_t begin{};
  std::int64_t end{};
};

/// A column, of which one array after the other is read.
class input_column {
 public:
  /// @param name  of the column that errors name: a list's element has its list's
  /// @par Errors  throws bad_input: for a type that cannot be written to Postgres
  input_column(const ArrowSchema& schema, std::string name);

  /// The type that a table gets for it.
  [[nodiscard]] std::string sql_type() const;
  /// OID of the type that its values are sent as; 0: the server infers it.
  [[nodiscard]] std::uint32_t parameter_type() const;
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  /// Reads this array from now on.
  /// @par Lifetime  as long as values are read
  /// @par Errors    throws bad_input: an array that is not of the type
  void read(const ArrowArray& array);

  /// Calls `use` with the value: std::nullopt for NULL.
  /// @param row  from 0, below the array's length
  /// @par Errors  throws bad_input: a value that Postgres does not have; what `use` throws
  template <class Use>
  void with(std::int64_t row, const Use& use) const;

 private:
  enum class kind : std::uint8_t {
    null,
    boolean,
    int8,
    uint8,
    int16,
    uint16,
    int32,
    uint32,
    int64,
    uint64,
    float16,
    float32,
    float64,
    decimal,
    text,
    text64,
    text_view,
    bytes,
    bytes64,
    bytes_view,
    fixed_bytes,
    uuid,
    date32,
    date64,
    time32,
    time64,
    timestamp,
    timestamptz,
    duration,
    months,
    days_and_milliseconds,
    months_days_nanoseconds,
    list,
    list64,
    fixed_list,
    dictionary
  };

  void parse(std::string_view format);
  void parse_temporal(std::string_view format);
  void parse_nested(std::string_view format, const ArrowSchema& schema);
  void note_extension(const char* metadata);
  [[noreturn]] void fail_type(std::string_view format) const;
  [[noreturn]] void fail_value(std::string_view why) const;
  [[nodiscard]] bool is_null(std::int64_t at) const noexcept;
  template <class T>
  [[nodiscard]] T at(std::int64_t index, std::size_t buffer = 1) const noexcept;
  template <class Offset>
  [[nodiscard]] std::string_view slice(std::int64_t index) const noexcept;
  [[nodiscard]] std::string_view view(std::int64_t index) const noexcept;
  [[nodiscard]] std::string_view fixed(std::int64_t index) const noexcept;
  [[nodiscard]] std::int64_t key(std::int64_t index) const;
  [[nodiscard]] decimal_text decimal(std::int64_t index) const;
  [[nodiscard]] double half(std::int64_t index) const noexcept;
  [[nodiscard]] std::chrono::microseconds microseconds(std::int64_t count) const;
  [[nodiscard]] interval period(std::int64_t index) const;
  [[nodiscard]] std::chrono::sys_days day(std::int64_t index) const;

  std::string name_;
  kind is_{kind::null};
  kind keys_{kind::int32};  // of a dictionary
  bool is_json_{false};
  std::int64_t per_second_{1};  // of a unit of time
  std::size_t width_{0};        // bytes of a value, elements of a list
  int precision_{0};
  int scale_{0};
  std::unique_ptr<input_column> inner_{};  // a list's elements, a dictionary's values
  const ArrowArray* array_{};
};

/// The columns of a struct array, which is what a batch is.
class input_batch {
 public:
  /// @par Errors  throws bad_input: not a struct, or a column of an impossible type
  explicit input_batch(const ArrowSchema& schema);

  [[nodiscard]] const std::vector<input_column>& columns() const noexcept { return columns_; }
  [[nodiscard]] std::int64_t rows() const noexcept { return rows_; }
  void read(const ArrowArray& array);
  /// Calls `use` with a value of a row.
  template <class Use>
  void with(std::size_t column, std::int64_t row, const Use& use) const {
    columns_[column].with(row + offset_, use);
  }

 private:
  std::vector<input_column> columns_{};
  std::int64_t rows_{0};
  std::int64_t offset_{0};
};

template <class T>
T input_column::at(std::int64_t index, std::size_t buffer) const noexcept {
  return static_cast<const T*>(array_->buffers[buffer])[index];
}

template <class Use>
void input_column::with(std::int64_t row, const Use& use) const {
  const std::int64_t index = row + array_->offset;
  if (is_null(index)) return use(std::nullopt);
  const auto as_text = [&](std::string_view text) { is_json_ ? use(json_text{text}) : use(text); };
  const auto as_bytes = [&](std::string_view bytes) { use(std::as_bytes(std::span{bytes})); };
  using std::chrono::local_time;
  using std::chrono::sys_time;
  switch (is_) {
    case kind::null: return use(std::nullopt);
    case kind::boolean: return use(((at<std::uint8_t>(index / 8) >> static_cast<unsigned>(index % 8)) & 1U) != 0);
    case kind::int8: return use(at<std::int8_t>(index));
    case kind::uint8: return use(at<std::uint8_t>(index));
    case kind::int16: return use(at<std::int16_t>(index));
    case kind::uint16: return use(at<std::uint16_t>(index));
    case kind::int32: return use(at<std::int32_t>(index));
    case kind::uint32: return use(at<std::uint32_t>(index));
    case kind::int64: return use(at<std::int64_t>(index));
    case kind::uint64: return use(at<std::uint64_t>(index));
    case kind::float16: return use(static_cast<float>(half(index)));
    case kind::float32: return use(at<float>(index));
    case kind::float64: return use(at<double>(index));
    case kind::decimal: return use(decimal(index));
    case kind::text: return as_text(slice<std::int32_t>(index));
    case kind::text64: return as_text(slice<std::int64_t>(index));
    case kind::text_view: return as_text(view(index));
    case kind::bytes: return as_bytes(slice<std::int32_t>(index));
    case kind::bytes64: return as_bytes(slice<std::int64_t>(index));
    case kind::bytes_view: return as_bytes(view(index));
    case kind::fixed_bytes: return as_bytes(fixed(index));
    case kind::uuid: {
      sluice::uuid value{};
      const auto bytes = std::as_bytes(std::span{fixed(index)});
      std::copy(bytes.begin(), bytes.end(), value.bytes.begin());
      return use(value);
    }
    case kind::date32:
    case kind::date64: return use(day(index));
    case kind::time32: return use(microseconds(at<std::int32_t>(index)));
    case kind::time64: return use(microseconds(at<std::int64_t>(index)));
    case kind::timestamp: return use(local_time<std::chrono::microseconds>{microseconds(at<std::int64_t>(index))});
    case kind::timestamptz: return use(sys_time<std::chrono::microseconds>{microseconds(at<std::int64_t>(index))});
    case kind::duration:
    case kind::months:
    case kind::days_and_milliseconds:
    case kind::months_days_nanoseconds: return use(period(index));
    case kind::list: return use(input_list{inner_.get(), at<std::int32_t>(index), at<std::int32_t>(index + 1)});
    case kind::list64: return use(input_list{inner_.get(), at<std::int64_t>(index), at<std::int64_t>(index + 1)});
    case kind::fixed_list: {
      const auto each = static_cast<std::int64_t>(width_);
      return use(input_list{inner_.get(), index * each, (index + 1) * each});
    }
    case kind::dictionary: return inner_->with(key(index), use);
  }
}

}  // namespace sluice::arrow_input
