#pragma once
/// @file
/// One query on a session, from its flight to ReadyForQuery. Asks for input and never reads.
///
/// Use: construct; then `advance`, and while it is hungry, `link::transfer` with `wanted()` and `advance` again.
///
/// Answers come in the order of the flights, which the session remembers. A query in pages sends a flight per page, the
/// next one as soon as it hands out the first rows of the one before, so that a page is always on its way; between its
/// flights the session may carry others. Whoever reads on the session and meets rows of such a query sets them aside
/// for it. Its portal lives in a transaction block: the caller's, or one that the first of them begins and the last
/// one ends.

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/proto/row_walk.hpp>
#include <sluice/wire/result_columns.hpp>
#include "engine/binary_copy.hpp"
#include "engine/kept_rows.hpp"
#include "engine/portal.hpp"
#include "engine/prepared_use.hpp"
#include "engine/session.hpp"
#include "engine/statement.hpp"
#include "engine/undecided_statement.hpp"
#include "machines/query_machine.hpp"
#include "messages/backend.hpp"

namespace sluice::wire {

class flight;

class exchange {
 public:
  enum class state : std::uint8_t {
    rows,    ///< `rows()` has at least one
    over,    ///< nothing of it is left on the session
    hungry,  ///< more input is needed
  };

  /// Puts the flight into the session's output; sends nothing.
  /// @pre the session outlives this
  /// @par Errors  throws error: bad_state when the session is closed or another query is under way that cannot be set
  ///              aside; bad_query when the protocol cannot carry it. The session is then as before
  exchange(session& on, const statement& what);
  /// A simple query: one or more statements without parameters. Rows are not wanted.
  /// @par Errors  as above
  exchange(session& on, std::string_view statements);
  /// Behind `before`, which need not be over: their flights can go out together.
  /// @par Errors  as above, and bad_query when the shape is `detect`, which needs an answer before it can go on
  exchange(const exchange& before, const statement& what);
  exchange(const exchange&) = delete;
  exchange& operator=(const exchange&) = delete;
  /// Before its end it leaves the session broken: nobody knows its answers then.
  ~exchange();

  /// Deals with what has arrived. Ends the rows handed out before, on whichever query of this session.
  /// @par Errors  throws error: the server's when the query is over (the session may then go on), protocol_violation,
  ///              row_too_large, unsupported_result (all of these leave the session broken or the query to be left),
  ///              stream_too_large, bad_state when an earlier query has to be read first
  [[nodiscard]] state advance();
  /// Nothing more will arrive.
  /// @par Errors  always throws error: what the server said before it went, or connection_lost
  [[noreturn]] void on_end();

  /// From now on rows are passed over by their headers only, errors are kept, not thrown, and no page is asked for.
  /// @pre `is_free` for a query in pages
  void abandon();
  /// How long a query that nobody wants may go on by itself: not at all, or up to a time, unless it brings bytes more
  /// often than `reads`.
  struct grace {
    clock::time_point until{clock::time_point::min()};
    std::uint64_t reads{std::numeric_limits<std::uint64_t>::max()};
  };
  /// Says that it is going to be abandoned. If it may go on, it is even begun for that; then, or at once, a request to
  /// cancel may hit it.
  void disown(grace how_long) noexcept { given_ = how_long; }
  [[nodiscard]] grace given() const noexcept { return given_.value_or(grace{}); }
  [[nodiscard]] bool may_go_on() const noexcept { return given().until != clock::time_point::min(); }
  /// A query that was sent behind it must not be hit: somebody wants it, or it may go on by itself.
  [[nodiscard]] bool has_wanted_followers() const noexcept;
  /// Asks for no page ahead, until `fetch_on`.
  /// @pre `is_paged`
  void hold() noexcept { portal_->hold(true); }
  void fetch_on();
  /// Reads what is under way, and sets its rows aside.
  /// @return whether nothing is under way any more; otherwise more input is needed
  /// @par Errors  as `advance`, without the server's, which are kept until then
  [[nodiscard]] bool set_aside();
  /// Reads until its columns are known, and the rest of it is sent: before that nothing may be sent behind it.
  /// @return whether that is so; otherwise more input is needed
  /// @par Errors  as `set_aside`
  [[nodiscard]] bool decide();
  /// The query in pages behind which nothing can be sent, because its columns are not known by what has arrived; or
  /// null.
  /// @par Errors  as `set_aside`
  [[nodiscard]] static exchange* undecided(const session& on);

  [[nodiscard]] const proto::row_batch& rows() const noexcept { return batch_; }
  /// Of a result that was asked for by columns; null for documents.
  [[nodiscard]] const result_columns* columns() const noexcept { return by_columns_ ? &columns_ : nullptr; }
  /// Of these rows, only those from `first` up to `last` are to be handed out: the ones before are passed over, the
  /// ones behind come with the next `advance`.
  void keep(const std::byte* first, const std::byte* last) noexcept;
  [[nodiscard]] std::size_t wanted() const noexcept { return wanted_; }
  [[nodiscard]] bool is_over() const noexcept { return flights_ == 0 && !is_fetching(); }
  /// Has a portal with a row limit.
  [[nodiscard]] bool is_paged() const noexcept { return portal_.has_value(); }
  /// Nothing else was sent on the session behind it.
  [[nodiscard]] bool is_last() const noexcept { return session_.flights.empty() || session_.flights.back() == this; }
  /// A query in front of it has to be read to its end first.
  [[nodiscard]] bool is_behind_another() const noexcept;
  /// What the server is answering now is this query.
  [[nodiscard]] bool is_first() const noexcept { return !session_.flights.empty() && session_.flights.front() == this; }
  /// The SQLSTATE of the error that ended the query, or empty.
  [[nodiscard]] std::string_view sqlstate() const noexcept;
  /// The server's error, if nobody was told it.
  [[nodiscard]] std::optional<error> failure() const;
  /// From now on the connection's errors speak of this query.
  void take_context() const noexcept;
  /// Of the last CommandComplete, such as "SELECT 42".
  [[nodiscard]] const std::string& tag() const noexcept { return tag_; }
  [[nodiscard]] std::uint64_t row_count() const noexcept { return rows_; }
  /// Of the documents so far, without the protocol's.
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::uint64_t pages() const noexcept { return portal_ ? portal_->pages() : 0; }
  /// Bytes of its rows that are set aside now.
  [[nodiscard]] std::size_t aside_bytes() const noexcept { return kept_.size(); }
  /// Its statement was found in the cache.
  [[nodiscard]] bool was_prepared() const noexcept { return prepared_.was_found(); }
  [[nodiscard]] session& on() const noexcept { return session_; }

  /// Whether a query may be begun on the session now.
  [[nodiscard]] static bool is_free(const session& on) noexcept;

 private:
  static void require_free(const session& on);
  enum class progress : std::uint8_t { rows, went_on, hungry };
  /// Of what it gives.
  enum class interest : std::uint8_t {
    all,
    outcome,  ///< rows are passed over
    none,     ///< errors are kept besides, and no page is asked for
  };

  void open(const statement& what);
  void check_timeout(const statement& what) const;
  void add_query(flight& to, const statement& what, const statement_cache::known* known);
  void describe(flight& to, const statement& what, const proto::bind& bind);
  void add_run(const undecided_statement& of);
  void finish_flight(flight& to) const;
  void launched();
  void go_on(const decision& how);
  void execute(const undecided_statement& of, const decision& how);
  void copy(const undecided_statement& of, std::string_view sql);
  void end_unbegun();
  void fetch_page();
  void close_portal();

  [[nodiscard]] bool is_fetching() const noexcept { return portal_ && portal_->is_open(); }
  [[nodiscard]] bool is_to_begin() const noexcept { return wants_ != interest::none || may_go_on(); }
  [[nodiscard]] bool skips_rows() const noexcept { return wants_ != interest::all || kept_.has_overflowed(); }
  void settle_walk() noexcept;
  void pass_over(std::size_t size) noexcept;
  [[nodiscard]] bool let_pass();
  [[nodiscard]] bool take_turn();
  [[nodiscard]] bool hand_out_kept();
  [[nodiscard]] state hand_out_arrived();
  void hand_out(const std::byte* begin, const std::byte* end) noexcept;
  [[nodiscard]] progress read_on();
  [[nodiscard]] bool skip_partial_row(std::span<const std::byte> arrived);
  void keep_aside();
  void warn_of_row(std::size_t size) noexcept;
  [[nodiscard]] std::uint32_t largest_body() const noexcept;
  void on_message(const proto::frame& message);
  void on_columns(const proto::frame& message);
  void on_described(const proto::row_description* columns);
  void on_aside(const proto::frame& message);
  void on_copy_data(const proto::frame& message);
  void make_message(std::span<const std::byte> row);
  void on_refusal(const proto::frame& message);
  void on_complete(const proto::frame& message);
  void on_page_end(const proto::frame& message);
  void on_ready(const proto::frame& message);
  void end_block();
  void remember();
  void answer_copy_in();
  [[noreturn]] void fail_unsuitable() const;
  [[noreturn]] void fail_malformed(char type, std::string_view rule) const;
  void finish();

  session& session_;
  proto::query_machine machine_;
  proto::row_batch batch_{};
  proto::walk_end walked_{};
  std::size_t wanted_{0};
  std::size_t unread_{0};   // of the message at hand: it is a message of its own
  std::size_t to_skip_{0};  // of a row whose beginning was passed over already
  std::uint64_t rows_{0};
  std::uint64_t bytes_{0};
  std::size_t flights_{0};  // of the session's, those that are this query's
  std::optional<server_message> said_{};
  struct refusal {
    errc code{errc::unsupported_result};
    std::string why;
  };
  std::optional<refusal> unsuitable_{};  // why the result cannot be streamed
  std::string tag_{};
  result_columns columns_{};
  bool by_columns_{false};
  bool restores_timeout_{false};
  interest wants_{interest::all};
  std::optional<grace> given_{};  // nobody wants it
  std::string_view doing_{"querying"};

  prepared_use prepared_;
  std::unique_ptr<undecided_statement> undecided_{};  // until it is decided how it goes on
  std::optional<portal> portal_{};                    // of a query in pages
  kept_rows kept_{};
  std::optional<binary_copy> copy_{};
};

/// Reads until `query` is over, or has brought bytes so often, in a coroutine; its rows must be passed over.
/// @par Errors  throws error: what `advance` does, connection_lost, deadline_exceeded, cancelled
[[nodiscard]] asio::awaitable<void> read_to_end(exchange& query,
                                                std::uint64_t most_reads = std::numeric_limits<std::uint64_t>::max());
/// Reads until a query can be begun beside those in pages, or until `latest`.
/// @par Errors  as above
[[nodiscard]] asio::awaitable<void> until_decided(session& on, clock::time_point latest = clock::time_point::max());
/// Runs statements of our own to their end, within the session's patience.
/// @par Errors  as above, and the server's
[[nodiscard]] asio::awaitable<void> run_statements(session& on, std::string_view statements);

}  // namespace sluice::wire
