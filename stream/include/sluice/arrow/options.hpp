#pragma once
/// @file
/// How rows become Arrow batches: their size, and what becomes of types and values that have no exact counterpart.

#include <cstddef>
#include <cstdint>

#include <sluice/export.hpp>
#include <sluice/stream/query.hpp>

namespace sluice {

/// How rows become batches. Nothing is rounded or dropped unless an option says so.
///
/// | SQL | Arrow |
/// |---|---|
/// | bool; int2, int4, int8; oid | boolean; int16, int32, int64; uint32 |
/// | float4, float8 | float32, float64 |
/// | numeric(p,s) of at most 38 digits | decimal128(p,s) |
/// | other numeric | as `numeric` says |
/// | text, varchar, char(n), name, xml, citext | utf8 |
/// | enumerations | utf8, or with `dictionaries` a dictionary of them |
/// | json, jsonb | utf8, with the extension type arrow.json |
/// | uuid | fixed-size binary of 16 bytes, with the extension type arrow.uuid |
/// | bytea | binary |
/// | date, time | date32, time64 in microseconds |
/// | timestamp, timestamptz | timestamp in microseconds, without a zone and in UTC |
/// | interval | interval of months, days and nanoseconds |
/// | arrays | list |
/// | composites | struct |
/// | everything else | as `others` says |
///
/// A domain is what it is made of.
struct arrow_options {
  /// What becomes of a value that the Arrow type cannot hold.
  enum class special : std::uint8_t {
    fail,      ///< an error that names the column
    null,      ///< NULL
    saturate,  ///< the first or the last value of the Arrow type; for dates, timestamps and intervals only
  };
  enum class numerics : std::uint8_t { text, float64, decimal };
  enum class arrays : std::uint8_t { lists, text };
  enum class fallback : std::uint8_t { fail, text };

  std::size_t max_rows{65'536};      ///< of a batch; at least 1
  std::size_t max_bytes{8U << 20U};  ///< of a batch: it is closed once its values take as much; at most 1 GiB

  /// A numeric without a precision, or with more than 38 digits: its text; the nearest double; or a decimal of
  /// `precision` and `scale`, where a value with other digits is an error.
  numerics numeric{numerics::text};
  std::uint8_t precision{38};  ///< digits, 1 to 38
  std::uint8_t scale{9};       ///< digits after the point, at most `precision`

  special infinities{special::fail};    ///< of date, timestamp, timestamptz and interval
  special not_a_number{special::fail};  ///< NaN and the infinities in a decimal
  /// Arrays as lists, where one of several dimensions is an error; or as the text that psql shows.
  arrays array{arrays::lists};
  /// Ranges, network addresses, geometries, timetz, money, hstore and all other types: an error before the first row,
  /// which says how to cast; or the text that psql shows. An array or a composite with such a type in it is text as a
  /// whole.
  fallback others{fallback::fail};
  bool extension_types{true};  ///< whether json and uuid are marked; some readers refuse what they do not know
  bool dictionaries{false};    ///< whether enumerations are encoded as dictionaries, one for each batch
};

/// The query with its columns in the formats that the batches are made from.
/// @par Errors  throws error: bad_query for impossible options, and as `query::as_columns`; when it runs, bad_column
///              for a column that has no Arrow type
[[nodiscard]] SLUICE_API query arrow_query(query what, const arrow_options& how = {});
/// The same for a relation: the columns of one `of_columns`, the fields that `select` names, or the document.
[[nodiscard]] SLUICE_API query arrow_query(relation what, const arrow_options& how = {});
/// For reading a relation in parallel.
[[nodiscard]] SLUICE_API relation arrow_relation(relation what, const arrow_options& how = {});

}  // namespace sluice
