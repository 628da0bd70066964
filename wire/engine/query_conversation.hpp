#pragma once
/// @file
/// One query, from its first flight to the answer to its last Sync. It is fed the server's messages and says what it
/// wants; what it sends goes into the connection's output. No socket, no clock.
///
/// A query in pages sends one flight per page. Its portal lives in a transaction block: the caller's, or one that the
/// first paged query begins and the last one ends. A query whose SQL depends on its result columns is described first
/// and continues in the same turn when the decision is made. Rows do not pass through here while `may_have_rows()`:
/// whoever reads them walks them in place, checked by `shape()`.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <sluice/proto/row_walk.hpp>
#include <sluice/wire/error.hpp>

#include "engine/action.hpp"
#include "engine/binary_copy.hpp"
#include "engine/connection_engine.hpp"
#include "engine/known_results.hpp"
#include "engine/portal.hpp"
#include "engine/prepared_use.hpp"
#include "engine/repetition.hpp"
#include "engine/statement.hpp"
#include "engine/undecided_statement.hpp"
#include "machines/query_machine.hpp"
#include "messages/backend.hpp"

namespace sluice::wire {

class query_reader;

class query_conversation {
 public:
  /// @param reader  who reads its rows
  /// @pre both outlive this
  explicit query_conversation(connection_engine& on, query_reader* reader = nullptr) noexcept;
  query_conversation(const query_conversation&) = delete;
  query_conversation& operator=(const query_conversation&) = delete;

  /// Sends the first flight.
  /// @param may_wait  false: it must not be described first, because other queries are sent behind it at once
  /// @pre `may_wait`, or the statement has no `decides`, or `runs_undescribed`
  /// @return why the protocol cannot carry it: then nothing was sent
  /// @par Errors  throws error: as the statement's `decides`
  [[nodiscard]] proto::fault begin(const statement& what, bool may_wait = true);
  /// The same for a simple query: one or more statements without parameters.
  [[nodiscard]] proto::fault begin(std::string_view statements);
  /// The same for a COPY FROM STDIN whose data is to be sent: `is_taking_data` says from when on.
  [[nodiscard]] proto::fault begin_copy(std::string_view statement);

  /// Handles a message of one of its turns.
  /// @param skips_rows  they are not wanted: what is wrong with them does not matter
  /// @par Errors  throws error: as the statement's decider
  [[nodiscard]] action on(const proto::frame& message, bool skips_rows);
  /// Answers a COPY FROM STDIN; an ErrorResponse follows.
  void refuse_copy_in();

  /// Data for a COPY; how it is divided does not matter.
  /// @pre `is_taking_data`
  [[nodiscard]] proto::fault send_data(std::span<const std::byte> data);
  /// All data was sent.
  /// @pre `is_taking_data`
  void end_data();

  /// @pre `is_fetching`, and a query may be sent on the connection
  void request_page();
  /// The result is not wanted any more: no page is requested.
  /// @param runs_on  a statement that has not begun is still run, for its effects
  void let_go(bool runs_on);
  /// Whether to stop requesting pages ahead of the consumer.
  /// @pre `is_paged`
  void hold_pages(bool holds) noexcept { portal_->hold(holds); }

  [[nodiscard]] query_reader& reader() const noexcept { return *reader_; }
  [[nodiscard]] bool is_over() const noexcept { return turns_ == 0 && !is_fetching(); }
  /// How many of the connection's turns are its own.
  [[nodiscard]] std::size_t turns() const noexcept { return turns_; }
  /// Whether its columns have to be known before anything can be sent after it.
  [[nodiscard]] bool is_undecided() const noexcept { return undecided_ != nullptr && !undecided_->is_running(); }
  /// Whether its rows have to wait for what is being asked about their columns.
  [[nodiscard]] bool is_asking() const noexcept { return undecided_ != nullptr && undecided_->is_running(); }
  /// Whether nothing may be sent after it yet: the rest of it, or a question about its columns, comes first.
  [[nodiscard]] bool bars_others() const noexcept { return undecided_ != nullptr; }
  /// Whether other queries may be sent after it: its rows can be buffered for its reader.
  [[nodiscard]] bool lets_others_in() const noexcept { return is_paged() && !bars_others(); }
  /// Whether the server waits for the data of a COPY that was begun with `begin_copy`.
  [[nodiscard]] bool is_taking_data() const noexcept { return data_ == copy_in::open; }
  [[nodiscard]] bool is_copy_in() const noexcept { return data_ != copy_in::refused; }
  /// Whether it has a portal with a row limit.
  [[nodiscard]] bool is_paged() const noexcept { return portal_.has_value(); }
  /// Whether another page may be requested.
  [[nodiscard]] bool is_fetching() const noexcept { return portal_ && portal_->is_open(); }
  /// Whether another page should be on its way while the consumer has one.
  /// @param ahead  how many should be
  [[nodiscard]] bool wants_page_ahead(std::size_t ahead) const noexcept {
    return is_fetching() && turns_ <= ahead && !portal_->is_held();
  }
  /// Whether it waits for a page of which nothing has arrived yet.
  [[nodiscard]] bool is_before_a_page() const noexcept { return portal_ && portal_->is_before_a_page(); }
  [[nodiscard]] std::uint64_t pages() const noexcept { return portal_ ? portal_->pages() : 0; }

  /// Whether a row may be next.
  [[nodiscard]] bool may_have_rows() const noexcept { return machine_.may_have_rows(); }
  /// A row was taken by a walk.
  void note_row() noexcept {
    if (portal_) portal_->has_row();
  }
  /// What the rows look like.
  [[nodiscard]] const proto::row_shape& shape() const noexcept { return shape_; }
  /// The connection's limit for rows may have changed.
  void limit_changed() noexcept { shape_.max_body = engine_.largest_row(); }
  /// The columns of a result that is read by columns; null for others, and until they are known.
  [[nodiscard]] const result_columns* columns() const noexcept {
    return by_columns_ && result_ != nullptr ? &result_->columns : nullptr;
  }

  /// Why the result cannot be streamed.
  struct refusal {
    errc code{errc::unsupported_result};
    std::string why;
  };
  [[nodiscard]] const std::optional<refusal>& unsuitable() const noexcept { return unsuitable_; }
  /// Of a statement for several rows of values: how far it has got.
  [[nodiscard]] const std::optional<repetition>& repeated() const noexcept { return rows_; }
  /// The server's error that ended it.
  [[nodiscard]] const std::optional<server_message>& said() const noexcept { return said_; }
  /// The same, which then counts as reported.
  [[nodiscard]] std::optional<server_message> take_said() noexcept { return std::exchange(said_, std::nullopt); }
  /// The tag of the last CommandComplete, such as "SELECT 42".
  [[nodiscard]] const std::string& tag() const noexcept { return tag_; }
  /// Whether its statement was found in the cache.
  [[nodiscard]] bool was_prepared() const noexcept { return prepared_.was_found(); }

 private:
  /// What is still wanted of it.
  enum class wish : std::uint8_t {
    result,
    effects,  ///< it is run, although nobody reads its result
    nothing,
  };

  /// Of a COPY FROM STDIN.
  enum class copy_in : std::uint8_t {
    refused,  ///< it was not meant to be one
    wanted,
    open,  ///< the server waits for data
    ended,
  };

  /// Of another query's block: it was the one that was answered last.
  enum class owed_end : std::uint8_t { none, committing, rolling_back };

  void end_flight();
  void add_query(flight& to, const statement& what, const known_result_ptr& prepared, bool may_wait);
  void add_rows(flight& to, const statement& what, const known_result_ptr& prepared);
  void run_prepared(flight& to, const known_result_ptr& prepared, const proto::bind& bind);
  void describe(flight& to, const statement& what, const proto::bind& bind, bool is_prepared);
  void add_run(const undecided_statement& of);
  void set_result(const result_columns& columns);
  void finish_flight(flight& to) const;
  [[nodiscard]] action go_on(const decision& how);
  [[nodiscard]] proto::fault execute(undecided_statement& of, const decision& how);
  [[nodiscard]] proto::fault copy(const undecided_statement& of, const decision& how);
  void end_unbegun();
  void end_pages();
  void close_portal();

  [[nodiscard]] action on_columns(const proto::frame& message, bool skips_rows);
  [[nodiscard]] action on_no_columns();
  [[nodiscard]] action on_described();
  [[nodiscard]] action on_columns_of_running();
  [[nodiscard]] action on_parameters(const proto::frame& message);
  [[nodiscard]] action on_answer(const proto::frame& message);
  [[nodiscard]] action on_told();
  [[nodiscard]] action on_row(const proto::frame& message, bool skips_rows);
  [[nodiscard]] action on_copy_data(const proto::frame& message);
  [[nodiscard]] action on_copying(const proto::frame& message);
  [[nodiscard]] action on_refusal(const proto::frame& message);
  [[nodiscard]] action on_row_refused(const proto::frame& message);
  [[nodiscard]] action on_complete(const proto::frame& message);
  [[nodiscard]] action on_page_end(const proto::frame& message, bool skips_rows);
  [[nodiscard]] action on_ready(const proto::frame& message);
  [[nodiscard]] bool end_block();
  [[nodiscard]] bool end_blocks();
  void remember();
  void result_changed();

  connection_engine& engine_;
  query_reader* reader_;
  proto::query_machine machine_{};
  proto::row_shape shape_{};
  bool by_columns_{false};        // of the statement
  bool restores_timeout_{false};  // likewise
  std::string (*refuses_)(const proto::row_description&){};
  std::optional<known_results::key> key_{};  // under which its result is remembered, if it is
  known_result_ptr expected_{};              // its result, as it was the last time: to be confirmed
  known_result_ptr result_{};                // once it is known
  wish wants_{wish::result};
  copy_in data_{copy_in::refused};
  owed_end adopted_{owed_end::none};
  std::size_t turns_{0};
  prepared_use prepared_;
  std::unique_ptr<undecided_statement> undecided_{};  // until it is decided how to continue
  std::optional<portal> portal_{};                    // of a paged query
  std::optional<binary_copy> copy_{};
  std::optional<repetition> rows_{};  // of values
  std::optional<refusal> unsuitable_{};
  std::optional<server_message> said_{};
  std::string tag_{};
};

}  // namespace sluice::wire
