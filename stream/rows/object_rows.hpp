#pragma once
// Rows of columns, made into rows of one document: in memory that is laid out like received rows, so that whoever reads
// rows reads these.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include <sluice/proto/row_walk.hpp>

#include "json/object_writer.hpp"
#include "json/text_buffer.hpp"

namespace sluice::detail {

class object_rows {
 public:
  /// What to do with a row that was made.
  enum class verdict : std::uint8_t { keep, drop, keep_as_last };
  using judge = std::function<verdict(const std::byte* body)>;

  struct made {
    enum class kind : std::uint8_t { rows, malformed, too_large };
    kind is{kind::rows};
    proto::row_batch rows{};  ///< none: there was no row to keep
    const std::byte* rest{};  ///< of the rows it was made of: the first that is still to be made
    std::uint64_t bytes{};    ///< of the documents in `rows`
    std::uint64_t count{};    ///< rows
  };

  /// Makes rows, about as many bytes as `enough`.
  /// @param largest  bytes of a document
  /// @param keeps    null: all rows are kept
  /// @return `malformed` or `too_large` for the first row only: those before it are returned first
  /// @par Lifetime  until the next call
  [[nodiscard]] made make(const proto::row_batch& from, object_writer& objects, std::size_t enough, std::size_t largest,
                          const judge& keeps);

 private:
  [[nodiscard]] made::kind write(object_writer& objects, std::span<const std::byte> body, std::size_t largest);

  text_buffer text_;
};

}  // namespace sluice::detail
