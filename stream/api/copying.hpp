#pragma once
// A COPY FROM STDIN: what is collected, and how it gets to the server.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sluice/stream/to_binary.hpp>
#include <sluice/wire/error.hpp>

#include "api/error_note.hpp"
#include "api/running_query.hpp"

namespace sluice::detail {

// What becomes of a COPY is decided by calls that may fail anywhere.
class copying {
 public:
  static constexpr std::size_t buffer_bytes = std::size_t{64} << 10U;

  enum class state : std::uint8_t {
    open,
    sending,  // if this is left by an exception, nothing more can be sent
    over,
    dropped,
  };

  // @param columns  of a copy in the binary format; none: the data is passed through
  copying(std::shared_ptr<running_query> query, std::vector<written_column> columns)
      : query_{std::move(query)}, rows_{std::move(columns)} {}

  // Throws error: cancelled when the copy was dropped.
  [[nodiscard]] const std::shared_ptr<running_query>& query() const {
    require_wanted();
    return query_;
  }
  // Of a copy that is dropped. A call that has not begun by then finds nothing to do.
  [[nodiscard]] std::shared_ptr<running_query> release() noexcept {
    is_ = state::dropped;
    return std::move(query_);
  }
  [[nodiscard]] row_writer& rows() noexcept { return rows_; }
  [[nodiscard]] bool is_full() noexcept { return rows_.bytes().size() >= buffer_bytes; }

  void require_open() const {
    require_wanted();
    if (is_ != state::open)
      throw error{error_info{.code = errc::bad_state,
                             .message = "the copy is over",
                             .server = {},
                             .connection_usable = query_->link().is_open()}};
  }
  // The server waits for data now: the copy in the binary format begins with a header.
  void begin_rows() {
    constexpr std::string_view header{"PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19};
    add(header);
  }
  void add(std::string_view data) {
    const std::span<const std::byte> bytes = std::as_bytes(std::span{data});
    rows_.bytes().insert(rows_.bytes().end(), bytes.begin(), bytes.end());
  }
  // Puts what was collected, and data behind it that need not be collected, into the session's output. Then
  // `query()->send` has to return true, and `sent` be called.
  void hand_over(std::string_view behind = {}) {
    require_open();
    is_ = state::sending;
    if (!rows_.bytes().empty()) query_->reader().send_data(rows_.bytes());
    if (!behind.empty()) query_->reader().send_data(std::as_bytes(std::span{behind}));
    rows_.bytes().clear();
    if (rows_.bytes().capacity() > 4 * buffer_bytes) rows_.bytes() = {};  // there was a row as large as that
  }
  void sent() noexcept { is_ = state::open; }
  // The same at the end. Then the query has to be read to its end.
  void hand_over_last(bool has_trailer) {
    constexpr std::string_view trailer{"\377\377"};
    require_open();
    if (query_->is_late())  // the data's end, once sent, could not be taken back
      query_->link().fail(errc::deadline_exceeded, "the query's deadline passed before the copy was finished");
    if (has_trailer) add(trailer);
    hand_over();
    query_->reader().end_data();
    is_ = state::over;
  }
  // The same error, with the row that the server was at.
  [[nodiscard]] static error with_row(const error& failure) {
    if (!failure.server() || failure.server()->where.empty()) return failure;
    return with_note(failure, failure.server()->where, failure.rows());
  }

 private:
  void require_wanted() const {
    if (is_ == state::dropped)
      throw error{error_info{.code = errc::cancelled,
                             .message = "cancelled: the copy was dropped before the call had begun",
                             .server = {},
                             .connection_usable = true}};
  }

  std::shared_ptr<running_query> query_;
  row_writer rows_;
  state is_{state::open};
};

}  // namespace sluice::detail
