#pragma once
/// @file
/// Rows as values of a C++ type: `row.as<T>()`, and `client.stream<T>(query)` for a loop over them. The supported
/// types, and how they are read: <sluice/stream/from_json.hpp>.
///
///     for (user u : db.stream<user>(sluice::from("v_user"))) ...
///
/// A row that does not fit is an error of that row only: it ends the loop, or, after `skip_bad_rows()`, is counted and
/// the loop continues with the next row. The connection stays usable either way.

#include <cstdint>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>

#include <sluice/stream/client.hpp>
#include <sluice/stream/from_json.hpp>
#include <sluice/stream/json.hpp>
#include <sluice/stream/row.hpp>

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

/// The rows of a query as values: a single-pass input range that blocks while iterating. Movable; iterators stay valid
/// when it moves.
/// @par Lifetime  as for `row_range`; views in a value are valid until the next step
template <class T>
class [[nodiscard]] typed_range {
  struct reader;

 public:
  explicit typed_range(row_range rows) : reader_{std::make_unique<reader>(std::move(rows))} {}

  /// From now on, rows that do not fit are skipped and counted.
  typed_range& skip_bad_rows() & noexcept {
    reader_->skips = true;
    return *this;
  }
  typed_range&& skip_bad_rows() && noexcept { return std::move(skip_bad_rows()); }
  [[nodiscard]] std::uint64_t skipped() const noexcept { return reader_->skipped; }
  [[nodiscard]] const row_range& rows() const noexcept { return reader_->rows; }

  class iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    iterator() = default;
    [[nodiscard]] const T& operator*() const noexcept { return from_->value; }
    [[nodiscard]] const T* operator->() const noexcept { return &from_->value; }
    iterator& operator++() {
      ++at_;
      read();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const iterator& it, std::default_sentinel_t end) noexcept { return it.at_ == end; }

   private:
    friend class typed_range;
    iterator(reader& from, row_range::iterator at) : from_{&from}, at_{std::move(at)} { read(); }
    void read() {
      while (at_ != std::default_sentinel && !from_->take(*at_)) ++at_;
    }

    reader* from_{};
    row_range::iterator at_{};
  };

  /// @par Errors  as for `row_range`, and bad_json for a row that does not fit
  [[nodiscard]] iterator begin() { return iterator{*reader_, reader_->rows.begin()}; }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

 private:
  struct reader {
    explicit reader(row_range from) : rows{std::move(from)} {}

    bool take(const row& each) {
      ++number;
      if (!skips) {
        read_row(each, value = T{}, parser, number);
        return true;
      }
      try {
        read_row(each, value = T{}, parser, number);
        return true;
      } catch (const error& failure) {
        if (failure.code() != errc::bad_json) throw;
        ++skipped;
        return false;
      }
    }

    row_range rows;
    json_parser parser{};
    T value{};
    std::uint64_t number{0};
    std::uint64_t skipped{0};
    bool skips{false};
  };

  std::unique_ptr<reader> reader_;  // a stable address for iterators
};

template <class T>
typed_range<T> client::stream(const query& what, query_options options) {
  return typed_range<T>{stream(what, options)};
}

}  // namespace sluice
