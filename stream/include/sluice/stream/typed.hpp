#pragma once
/// @file
/// Rows as values of a C++ type: `row.as<T>()`, and `client.stream<T>(query)` for a loop over them. The supported
/// types, and how they are read: <sluice/stream/from_json.hpp>. For coroutines: <sluice/stream/typed_stream.hpp>.
///
///     for (user u : db.stream<user>(sluice::from("v_user"))) ...
///
/// A row that does not fit is an error of that row only: it ends the loop, or, after `skip_bad_rows()`, is counted and
/// the loop continues with the next row. The connection stays usable either way.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <sluice/stream/chunk.hpp>
#include <sluice/stream/client.hpp>
#include <sluice/stream/from_json.hpp>
#include <sluice/stream/json.hpp>
#include <sluice/stream/pause.hpp>
#include <sluice/stream/row.hpp>
#include <sluice/stream/stats.hpp>

namespace sluice {

/// Reads a row's document into `into`. SQL NULL is an error unless T is a std::optional.
/// @param number  of the row, from 1, for error messages; 0: not mentioned
/// @par Lifetime  `std::string_view` members are valid as long as the row and until the next use of `parser`
/// @par Errors    throws error: bad_json
template <class T>
void read_row(const row& from, T& into, json_parser& parser, std::uint64_t number = 0) {
  const json_place place{number};
  if (from.is_null()) {
    if constexpr (detail::is_optional<T>) {
      into.reset();
      return;
    } else {
      place.fail("a document", "SQL NULL");
    }
  }
  json_document document = parser.parse(from.text());
  if constexpr (has_json_members<T>) {
    simdjson::ondemand::object object;
    const simdjson::error_code refused = document.get_object().get(object);
    if (refused == simdjson::SUCCESS) return detail::read_object(object, into, place);
    if (refused != simdjson::INCORRECT_TYPE) place.fail("a document", "no JSON");
  }
  simdjson::ondemand::value whole;
  if (document.get_value().get(whole) != simdjson::SUCCESS) {
    if (!detail::is_one_scalar(from.text())) place.fail("a document", "no JSON");
    // A scalar is a document, too, but simdjson has no `value` for it, so it is read as the only element of an array.
    const std::string wrapped = '[' + std::string{from.text()} + ']' + std::string(simdjson::SIMDJSON_PADDING, ' ');
    json_document array = parser.parse(std::string_view{wrapped}.substr(0, from.text().size() + 2));
    if (array.at(0).get(whole) != simdjson::SUCCESS) place.fail("a document", "no JSON");
    if constexpr (std::is_same_v<T, std::string_view> || std::is_same_v<T, raw_json>)
      place.fail("an object or an array", "a scalar");
    else
      from_json(whole, into, place);
    return;
  }
  from_json(whole, into, place);
  if constexpr (detail::is_read_whole<T>)
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) place.fail("a document", "no JSON");
}

template <class T>
T row::as() const {
  thread_local json_parser parser;
  T value{};
  read_row(*this, value, parser);
  return value;
}

namespace detail {

/// Reads rows into one value, which their iterators show.
template <class T>
struct typed_reader {
  /// @return whether the row fits; false only if such rows are skipped
  bool take(const row& each) {
    ++number;
    try {
      read_row(each, value = T{}, parser, number);
      return true;
    } catch (const error& failure) {
      if (!skips || failure.code() != errc::bad_json) throw;
      ++skipped;
      return false;
    }
  }

  json_parser parser{};
  T value{};
  std::uint64_t number{0};  // of rows that were read, those that did not fit included
  std::uint64_t skipped{0};
  bool skips{false};
};

}  // namespace detail

/// Steps over rows that do not fit if they are skipped. A std::input_iterator; at the end it equals
/// std::default_sentinel.
/// @par Lifetime  its value is valid until the next step
/// @par Errors    `++` throws error: as the rows' own iterator, and bad_json for a row that does not fit
template <class T, class Rows>
class typed_iterator {
 public:
  using value_type = T;
  using difference_type = std::ptrdiff_t;
  using iterator_concept = std::input_iterator_tag;

  typed_iterator() = default;
  typed_iterator(detail::typed_reader<T>& reader, Rows at) : reader_{&reader}, at_{std::move(at)} { read(); }

  [[nodiscard]] const T& operator*() const noexcept { return reader_->value; }
  [[nodiscard]] const T* operator->() const noexcept { return &reader_->value; }
  typed_iterator& operator++() {
    ++at_;
    read();
    return *this;
  }
  void operator++(int) { ++*this; }
  friend bool operator==(const typed_iterator& it, std::default_sentinel_t end) noexcept { return it.at_ == end; }

 private:
  void read() {
    while (at_ != std::default_sentinel && !reader_->take(*at_)) ++at_;
  }

  detail::typed_reader<T>* reader_{};
  Rows at_{};
};

/// The rows of one chunk as values: a single-pass input range, empty at the end of the stream. Each value is read when
/// the iterator reaches it, into the same object.
///
///     while (auto users = rows.next())
///       for (const user& each : users) ...
///
/// @par Lifetime  a view: valid until the next read of its stream, and no longer than the stream; a value and views in
///                it until the iterator moves on
template <class T>
class typed_chunk {
 public:
  using iterator = typed_iterator<T, chunk::iterator>;

  typed_chunk() = default;
  /// @param before  how many rows of the stream came before these
  typed_chunk(detail::typed_reader<T>& reader, const chunk& rows, std::uint64_t before) noexcept
      : reader_{&reader}, rows_{rows}, before_{before} {}

  /// Call it only once.
  /// @par Errors  throws error: bad_json for a row that does not fit
  [[nodiscard]] iterator begin() const {
    if (!rows_) return {};
    reader_->number = before_;
    return iterator{*reader_, rows_.begin()};
  }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }
  /// False at the end of the stream. A chunk may have no row that fits.
  explicit operator bool() const noexcept { return static_cast<bool>(rows_); }

 private:
  detail::typed_reader<T>* reader_{};
  chunk rows_{};
  std::uint64_t before_{0};
};

namespace detail {

/// What the typed streams of both APIs have in common.
template <class Stream, class T, class Rows>
class typed_rows {
 public:
  typed_rows(typed_rows&&) noexcept = default;
  typed_rows& operator=(typed_rows&& other) noexcept {
    if (this == &other) return *this;
    leave();
    state_ = std::move(other.state_);
    return *this;
  }
  ~typed_rows() { leave(); }

  /// From now on, rows that do not fit are skipped and counted.
  Stream& skip_bad_rows() & {
    held().reader.skips = true;
    return static_cast<Stream&>(*this);
  }
  Stream&& skip_bad_rows() && { return std::move(skip_bad_rows()); }
  /// The number of rows skipped so far.
  [[nodiscard]] std::uint64_t skipped() const noexcept { return state_ == nullptr ? 0 : state_->reader.skipped; }

  /// As that of the rows.
  auto cancel() { return held().rows->cancel(); }
  /// As those of the rows, if they can pause.
  auto pause(pause_options how = {})
    requires requires(Rows& rows) { rows.pause(how); }
  {
    return held().rows->pause(how);
  }
  void resume()
    requires requires(Rows& rows) { rows.resume(); }
  {
    held().rows->resume();
  }
  /// Those of the stream of rows; skipped rows are counted, too.
  [[nodiscard]] stream_stats stats() const { return held().rows->stats(); }

 protected:
  struct state {
    explicit state(Rows from) : rows{std::move(from)} {}
    /// Rows before these count, too, if their chunk was left before its end and the stream has counted them.
    [[nodiscard]] typed_chunk<T> show(const chunk& next) {
      const std::uint64_t passed = rows ? rows->stats().rows : 0;
      return {reader, next, std::max(reader.number, passed)};
    }

    std::optional<Rows> rows;  // empty once their stream is gone
    typed_reader<T> reader{};
  };

  explicit typed_rows(Rows rows) : state_{std::make_shared<state>(std::move(rows))} {}

  /// @par Errors  throws error: bad_state when it was moved from
  [[nodiscard]] state& held() const { return *owned(); }
  [[nodiscard]] const std::shared_ptr<state>& owned() const {
    if (state_ == nullptr) throw error{errc::bad_state, "the stream was moved from"};
    return state_;
  }

  std::shared_ptr<state> state_;  // a stable address for iterators; kept alive by a waiting call

 private:
  void leave() noexcept {
    if (state_ != nullptr) state_->rows.reset();
  }
};

}  // namespace detail

/// The rows of a query as values: a single-pass input range that blocks while iterating. Movable; iterators stay valid
/// when it moves.
///
///     sluice::typed_range<event, sluice::parallel_range> events{{dsn, sluice::from("events")}};
///
/// @tparam Rows  what it reads: a row_range, or a parallel_range
/// @par Lifetime  as for `row_range`; views in a value are valid until the next step
template <class T, class Rows>
class [[nodiscard]] typed_range : public detail::typed_rows<typed_range<T, Rows>, T, Rows> {
 public:
  using iterator = typed_iterator<T, typename Rows::iterator>;

  explicit typed_range(Rows rows) : detail::typed_rows<typed_range, T, Rows>{std::move(rows)} {}

  /// @par Errors  as for `row_range`, and bad_json for a row that does not fit
  [[nodiscard]] iterator begin() { return iterator{this->held().reader, this->held().rows->begin()}; }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

  /// The next rows, for loops over chunks. Do not mix it with iterators.
  /// @see row_range::next
  [[nodiscard]] typed_chunk<T> next() {
    const chunk rows = this->held().rows->next();
    return this->held().show(rows);
  }

  [[deprecated("use stats()")]] [[nodiscard]] const Rows& rows() const { return *this->held().rows; }
};

namespace detail {

template <class... Ts>
struct row_reader;

/// For `one_row` and `optional_row`: the members have the names of the columns.
template <class T>
  requires has_json_members<T>
struct row_reader<T> {
  using type = T;
  static query prepared(const query& what) { return query{what}.as_object(); }
  static T read(const row& from) { return from.as<T>(); }
};

}  // namespace detail

template <class T>
typed_range<T> client::stream(const query& what, query_options options) {
  return typed_range<T>{stream(what, options)};
}

}  // namespace sluice
