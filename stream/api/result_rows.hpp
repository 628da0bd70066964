#pragma once
// What is handed out of the rows that a query has received: all of them as they come, those that the client's part of
// the query selects, or objects made of their columns.
#include <cstdint>
#include <memory>

#include <sluice/stream/query.hpp>
#include <sluice/wire/result_columns.hpp>
#include "engine/query_reader.hpp"

#include "query/client_filter.hpp"
#include "query/client_part.hpp"
#include "query/result_shape.hpp"
#include "rows/object_rows.hpp"

namespace sluice::detail {

class result_rows {
 public:
  /// From now on, those of this query; until then, of statements whose rows are not wanted.
  void begin(wire::session& on, const query& what);

  [[nodiscard]] query::shape wanted() const noexcept { return wanted_; }
  /// Null: documents or columns are handed out as they come.
  [[nodiscard]] const std::shared_ptr<result_shape>& shape() const noexcept { return shape_; }

  /// Takes the rows that have arrived, or some of them.
  /// @return whether there are any to hand out
  /// @par Errors  throws error: row_too_large, protocol_violation, result_changed; what a local condition throws
  bool take(wire::query_reader& from);
  /// @par Lifetime  until the next `take`, or the reader's next `advance`
  [[nodiscard]] const proto::row_batch& batch() const noexcept { return batch_; }
  /// The consumer is done with the rows that were handed out last.
  void were_read() noexcept;
  /// Everything that was wanted has been handed out, although the server may send more.
  [[nodiscard]] bool are_enough() const noexcept { return rest_.limit == 0U; }

  /// Null for documents.
  [[nodiscard]] const result_columns* columns(const wire::query_reader& of);
  /// Bytes of the documents or values so far.
  [[nodiscard]] std::uint64_t bytes(const wire::query_reader& of) const noexcept;

 private:
  [[nodiscard]] bool make_objects(wire::query_reader& from);
  [[nodiscard]] bool select(wire::query_reader& from);
  [[nodiscard]] object_rows::verdict judge(const row& each);
  [[noreturn]] void fail_malformed(const wire::query_reader& from) const;

  query::shape wanted_{query::shape::document};
  std::shared_ptr<result_shape> shape_{};
  client_part rest_{};                       // left for the client to do
  std::unique_ptr<client_filter> filter_{};  // null: the client has nothing to filter
  result_columns texts_{};                   // the columns, if their values are texts
  object_rows objects_{};
  proto::row_batch batch_{};
  std::uint64_t object_bytes_{0};
  std::uint64_t unread_bytes_{0};  // of the objects that were handed out last
};

}  // namespace sluice::detail
