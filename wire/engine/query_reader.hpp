#pragma once
/// @file
/// The reading of one query: its rows in place, its turn among the queries of the session, and what becomes of it when
/// nobody wants it any more. What the messages mean is the `query_conversation`'s business. It asks for input and never
/// reads.
///
/// Construct it, then call `advance`; while that returns hungry, call `link::transfer` with `wanted()` and `advance`
/// again.
///
/// Answers come in the order of the flights. A paged query sends the flight for its next page as soon as it hands out
/// the first rows of the page before, so that a page is always on its way, or several (`pages_ahead`); behind its
/// flights the session may carry others. Rows of a paged query that arrive while another query is being read are
/// buffered for it.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/proto/row_walk.hpp>
#include <sluice/wire/result_columns.hpp>
#include "engine/ending.hpp"
#include "engine/kept_rows.hpp"
#include "engine/pages_ahead.hpp"
#include "engine/query_conversation.hpp"
#include "engine/session.hpp"
#include "engine/statement.hpp"

namespace sluice::wire {

class query_reader {
 public:
  enum class state : std::uint8_t {
    rows,    ///< `rows()` has at least one
    over,    ///< nothing of the query is left on the session
    hungry,  ///< more input is needed
  };

  /// Puts the flight into the session's output; sends nothing.
  /// @pre the session outlives this
  /// @par Errors  throws error: bad_state when the session is closed, or another query is under way whose rows cannot
  ///              be buffered; bad_query when the protocol cannot carry it. The session is then unchanged
  query_reader(session& on, const statement& what);
  /// A simple query: one or more statements without parameters, whose rows are not wanted.
  /// @par Errors  as above
  query_reader(session& on, std::string_view statements);
  /// A COPY FROM STDIN whose data is to be sent. `advance` returns hungry while the server waits for it.
  struct copy_from {
    std::string_view statement;
  };
  /// @par Errors  as above
  query_reader(session& on, copy_from what);
  /// Sent after `before`, which need not be over: their flights can go out together.
  /// @par Errors  as above, and bad_query for a statement that has to be described before it can run
  query_reader(const query_reader& before, const statement& what);
  query_reader(const query_reader&) = delete;
  query_reader& operator=(const query_reader&) = delete;
  /// Destroyed before its end it leaves the session broken, because its remaining answers can no longer be assigned.
  ~query_reader();

  /// Processes what has arrived. Invalidates the rows that it has handed out before; those of other queries stay valid.
  /// @par Errors  throws error: the server's when the query is over (the session may then go on); protocol_violation,
  ///              row_too_large, unsupported_result (after these the session is broken or the query has to be
  ///              cancelled); stream_too_large; bad_state when an earlier query has to be read first
  [[nodiscard]] state advance();
  /// The connection has ended; nothing more will arrive.
  /// @par Errors  always throws error: the server's last message, or connection_lost
  [[noreturn]] void on_end();

  /// Whether the server waits for the data of a COPY.
  [[nodiscard]] bool is_taking_data() const noexcept { return query_.is_taking_data(); }
  /// Whether it is such a COPY, wherever it has got to.
  [[nodiscard]] bool was_copying_in() const noexcept { return query_.is_copy_in(); }
  /// Of a statement for several rows of values.
  [[nodiscard]] const std::optional<repetition>& repeated() const noexcept { return query_.repeated(); }
  /// Puts data for a COPY into the session's output.
  /// @pre `is_taking_data`
  /// @par Errors  throws error: bad_query when it is too long
  void send_data(std::span<const std::byte> data);
  /// All data was sent.
  void end_data() { query_.end_data(); }

  /// From now on rows are skipped by their headers only, errors are kept instead of thrown, and no page is requested.
  void abandon();
  using grace = ending::grace;
  /// Announces that the query is going to be abandoned. If it may continue on its own, it is even started for that
  /// purpose; after that, or at once, a cancel request may hit it.
  void disown(grace how_long) noexcept { given_ = how_long; }
  [[nodiscard]] grace given() const noexcept { return given_.value_or(grace{}); }
  [[nodiscard]] bool may_go_on() const noexcept { return given().until != clock::time_point::min(); }
  /// Whether a query sent after it must not be hit: its result is wanted, or it may continue on its own.
  [[nodiscard]] bool has_wanted_followers(clock::time_point now) const noexcept;
  /// Requests no page ahead, until `fetch_on`.
  /// @pre `is_paged`
  void hold() noexcept { query_.hold_pages(true); }
  void fetch_on();
  /// Reads what is under way, and buffers its rows.
  /// @return whether nothing is under way any more; otherwise more input is needed
  /// @par Errors  as `advance`, except the server's, which are kept until then
  [[nodiscard]] bool set_aside();
  /// Reads until its columns are known and the rest of it is sent: before that nothing may be sent after it.
  /// @return whether that is done; otherwise more input is needed
  /// @par Errors  as `set_aside`
  [[nodiscard]] bool decide();
  /// The paged query after which nothing can be sent, because what has arrived does not tell its columns; or null.
  /// @par Errors  as `set_aside`
  [[nodiscard]] static query_reader* undecided(const session& on);
  /// Whether nothing can be sent only because of queries that nobody wants any more.
  [[nodiscard]] static bool will_be_free(const session& on) noexcept;

  [[nodiscard]] const proto::row_batch& rows() const noexcept { return batch_; }
  /// The columns of a result that was requested as columns; null for documents.
  [[nodiscard]] const result_columns* columns() const noexcept { return query_.columns(); }
  /// Of these rows, hands out only those from `first` up to `last`: the ones before are skipped, the ones after come
  /// with the next `advance`.
  void keep(const std::byte* first, const std::byte* last) noexcept;
  [[nodiscard]] std::size_t wanted() const noexcept { return wanted_; }
  /// Moves bytes without waiting.
  /// @return whether it moved any
  /// @par Errors  throws error: as `link::transfer` and `on_end`
  [[nodiscard]] bool move();
  [[nodiscard]] bool is_over() const noexcept { return query_.is_over(); }
  /// Whether it has a portal with a row limit.
  [[nodiscard]] bool is_paged() const noexcept { return query_.is_paged(); }
  /// Whether nothing else was sent on the session after it.
  [[nodiscard]] bool is_last() const noexcept { return queue().empty() || queue().last() == &query_; }
  /// Whether an earlier query has to be read to its end first.
  [[nodiscard]] bool is_behind_another() const noexcept;
  /// Whether this is the query that the server is answering now.
  [[nodiscard]] bool is_first() const noexcept { return queue().first() == &query_; }
  /// The SQLSTATE of the error that ended the query, or empty.
  [[nodiscard]] std::string_view sqlstate() const noexcept;
  /// The server's error, if it has not been reported yet.
  [[nodiscard]] std::optional<error> failure() const;
  /// From now on the connection's errors refer to this query.
  void take_context() const noexcept;
  /// The tag of the last CommandComplete, such as "SELECT 42".
  [[nodiscard]] const std::string& tag() const noexcept { return query_.tag(); }
  [[nodiscard]] std::uint64_t row_count() const noexcept { return rows_; }
  /// The bytes of the documents so far, without protocol overhead.
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::uint64_t pages() const noexcept { return query_.pages(); }
  /// The bytes of its rows that are buffered now.
  [[nodiscard]] std::size_t aside_bytes() const noexcept { return kept_.size(); }
  /// Whether its statement was found in the cache.
  [[nodiscard]] bool was_prepared() const noexcept { return query_.was_prepared(); }
  [[nodiscard]] session& on() const noexcept { return session_; }

  /// Whether a query may be started on the session now.
  [[nodiscard]] static bool is_free(const session& on) noexcept;

 private:
  static void require_free(const session& on);
  enum class progress : std::uint8_t { rows, went_on, hungry };
  /// What is wanted of the result.
  enum class interest : std::uint8_t {
    all,
    outcome,  ///< rows are skipped
    none,     ///< in addition errors are kept, and no page is requested
  };

  void open(const statement& what, bool may_wait);
  void check_timeout(const statement& what) const;
  [[nodiscard]] const turns& queue() const noexcept { return session_.engine.queue; }
  [[nodiscard]] bool has_nothing_to_process() const noexcept;
  [[nodiscard]] bool skips_rows() const noexcept { return wants_ != interest::all || kept_.has_overflowed(); }
  void settle_walk() noexcept;
  [[nodiscard]] std::size_t count_walk() noexcept;
  void set_rows_apart();
  void pass_over(std::size_t size) noexcept;
  [[nodiscard]] bool let_pass();
  [[nodiscard]] bool take_turn();
  [[nodiscard]] bool hand_out_kept();
  [[nodiscard]] state hand_out_arrived();
  void hand_out(const std::byte* begin, const std::byte* end) noexcept;
  void request_page();
  [[nodiscard]] progress read_on();
  [[nodiscard]] bool skip_partial_row(std::span<const std::byte> arrived);
  void keep_aside();
  void warn_of_row(std::size_t size) noexcept;
  void on_message(const proto::frame& message);
  void take_row(std::span<const std::byte> row);
  void refuse_copy_in();
  [[noreturn]] void fail_unsuitable() const;
  [[noreturn]] void fail_overflow() const;
  void finish();

  session& session_;
  query_conversation query_;
  proto::row_batch batch_{};
  proto::walk_end walked_{};
  std::size_t wanted_{0};
  std::size_t unread_{0};   // of the current message, if it is a separate message
  std::size_t to_skip_{0};  // of a row whose beginning was skipped already
  std::uint64_t rows_{0};
  std::uint64_t bytes_{0};
  interest wants_{interest::all};
  std::optional<grace> given_{};  // set: the query is abandoned
  std::string_view doing_{"querying"};
  kept_rows kept_{};
  pages_ahead ahead_{};
  /// The memory of rows that the consumer still has, while the session goes on without them.
  struct {
    std::unique_ptr<std::byte[]> received{};
    std::vector<std::byte> kept{};
  } apart_;
};

}  // namespace sluice::wire
