#pragma once
/// @file
/// One query on a session, from its flight to ReadyForQuery. Asks for input and never reads.
///
/// Use: construct; then `advance`, and while it is hungry, `link::transfer` with `wanted()` and `advance` again.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/proto/frontend.hpp>
#include <sluice/proto/query_machine.hpp>
#include <sluice/proto/row_walk.hpp>
#include <sluice/wire/result_columns.hpp>
#include <sluice/wire/session.hpp>

namespace sluice::wire {

/// A query as it is sent.
struct statement {
  /// What a row is made into.
  enum class shape : std::uint8_t {
    document,  ///< the query gives one column: its text is the document. One flight
    object,    ///< the query's columns become one JSON object, on the server. One flight
    detect,    ///< one json or jsonb column is taken as it is, anything else becomes an object. One round trip more
    columns,   ///< the columns stay as they are, in the binary format. One flight
  };
  std::string_view text{};
  std::span<const std::uint32_t> types{};  ///< OIDs of the parameters; 0 or left out: the server infers
  std::span<const proto::parameter> values{};
  shape as{shape::document};
};

class SLUICE_API exchange {
 public:
  enum class state : std::uint8_t {
    rows,    ///< `rows()` has at least one
    over,    ///< ReadyForQuery was seen: the session is idle
    hungry,  ///< more input is needed
  };

  /// Puts the flight into the session's output; sends nothing.
  /// @pre the session is idle, and outlives this
  /// @par Errors  throws error: bad_query when the protocol cannot carry it; the session is then still idle
  exchange(session& on, const statement& what);
  /// A simple query: one or more statements without parameters. Rows are not wanted.
  /// @par Errors  as above
  exchange(session& on, std::string_view statements);
  exchange(const exchange&) = delete;
  exchange& operator=(const exchange&) = delete;

  /// Deals with what has arrived. Ends the rows handed out before.
  /// @par Errors  throws error: the server's at ReadyForQuery (the session is then idle), protocol_violation,
  ///              row_too_large, unsupported_result (all of these leave the session broken or the query to be left)
  [[nodiscard]] state advance();
  /// Nothing more will arrive.
  /// @par Errors  always throws error: what the server said before it went, or connection_lost
  [[noreturn]] void on_end();

  /// From now on rows are passed over by their headers only, and errors are kept, not thrown.
  void skip_rows() noexcept { skipping_ = quiet_ = true; }

  [[nodiscard]] const proto::row_batch& rows() const noexcept { return batch_; }
  /// Of a result that was asked for by columns; null for documents.
  [[nodiscard]] const result_columns* columns() const noexcept { return by_columns_ ? &columns_ : nullptr; }
  /// Of these rows, only those from `first` up to `last` are to be handed out: the ones before are passed over, the
  /// ones behind come with the next `advance`.
  void keep(const std::byte* first, const std::byte* last) noexcept;
  [[nodiscard]] std::size_t wanted() const noexcept { return wanted_; }
  [[nodiscard]] bool is_over() const noexcept { return machine_.is_idle(); }
  /// The SQLSTATE of the error that ended the query, or empty.
  [[nodiscard]] std::string_view sqlstate() const noexcept;
  /// Of the last CommandComplete, such as "SELECT 42".
  [[nodiscard]] const std::string& tag() const noexcept { return tag_; }
  [[nodiscard]] std::uint64_t row_count() const noexcept { return session_.io.where.rows; }
  /// Of the documents so far, without the protocol's.
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] session& on() const noexcept { return session_; }

 private:
  void settle_walk() noexcept;
  [[nodiscard]] bool skip_partial_row(std::span<const std::byte> arrived);
  void on_message(const proto::framing& next);
  void on_columns(const proto::frame& message);
  void execute(std::string_view wrapped);
  void answer_copy_in();
  void finish();

  session& session_;
  proto::query_machine machine_;
  proto::row_batch batch_{};
  proto::walk_end walked_{};
  std::size_t wanted_{0};
  std::size_t to_skip_{0};  // of a row whose beginning was passed over already
  std::uint64_t bytes_{0};
  std::optional<server_message> said_{};
  std::optional<std::string> unsuitable_{};  // why the result cannot be streamed
  std::string tag_{};
  result_columns columns_{};
  bool by_columns_{false};
  bool skipping_{false};
  bool quiet_{false};
  // Until the columns are known:
  std::string text_{};
  std::vector<std::uint32_t> types_{};
  proto::output execution_{};
};

/// Reads until `query` is over, in a coroutine; its rows must be passed over.
/// @par Errors  throws error: what `advance` does, connection_lost, deadline_exceeded, cancelled
[[nodiscard]] SLUICE_API asio::awaitable<void> read_to_end(exchange& query);

}  // namespace sluice::wire
