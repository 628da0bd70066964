#pragma once
// The changes that have arrived, one after the other: what a chunk and its iterator walk over. It reads what is in the
// receive buffer and never waits.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include <sluice/stream/chunk.hpp>
#include <sluice/stream/row.hpp>

#include "changes/change_decoder.hpp"
#include "changes/change_filter.hpp"
#include "changes/receipts.hpp"
#include "engine/wal_stream.hpp"
#include "json/text_buffer.hpp"

namespace sluice::detail {

class change_feed {
 public:
  /// @param largest  bytes of a row's object
  change_feed(wanted_changes wanted, change_filter& filter, const session_settings& session, std::size_t largest,
              receipts& told)
      : decoder_{wanted, session}, filter_{filter}, receipts_{told}, largest_{largest}, has_columns_{wanted.columns} {}

  [[nodiscard]] change_decoder& decoder() noexcept { return decoder_; }

  /// From now on the changes of this stream, of what ends behind `begins`. The relations are told anew.
  void read(wire::session& on, wire::wal_stream& from, lsn begins);
  /// From now on these rows of a snapshot.
  /// @param at  of the row before the first
  void read(const chunk& rows, relation_rows& relation, position at) noexcept;
  /// Nothing is read from now on.
  void stop() noexcept;
  [[nodiscard]] bool is_reading() const noexcept { return !std::holds_alternative<none>(from_); }

  /// What `step` has found.
  enum class found : std::uint8_t {
    change,    ///< the next one is `now()`
    nothing,   ///< more input is needed
    progress,  ///< the position has moved, and the consumer is to be told
    unknown,   ///< types have to be asked about first
    end,       ///< the server has ended the stream
  };
  /// Moves to the next change among what has arrived. What ends the stream counts as nothing: `peek` throws it.
  /// @par Errors  throws what a condition throws; its change is judged again the next time
  [[nodiscard]] found step();
  /// The same, but a change is not handed out yet: the next `step` does that.
  /// @par Errors  also throws error: as `wal_stream::advance`, and protocol_violation; the same each time until `read`
  [[nodiscard]] found peek();
  /// Whether a condition has thrown, of the change that was found: nothing else has failed.
  [[nodiscard]] bool is_judging() const noexcept { return is_unjudged_; }
  /// The types have been asked about.
  void resume();
  /// Whether the server has asked for an answer since the last call.
  [[nodiscard]] bool take_question() noexcept { return is_asked_.exchange(false); }

  [[nodiscard]] const change_view& now() const noexcept { return decoder_.now(); }
  [[nodiscard]] bool is_snapshot() const noexcept;
  [[nodiscard]] position at() const noexcept;
  [[nodiscard]] operation what() const noexcept;
  [[nodiscard]] relation_rows* relation() const noexcept;
  [[nodiscard]] position last() const noexcept { return receipts_.last(); }

  /// @par Errors  throws error: result_changed, row_too_large; bad_state when the rows come as columns
  [[nodiscard]] std::string_view text();
  [[nodiscard]] std::string_view old_text();
  [[nodiscard]] std::span<const std::string_view> unchanged();
  /// @par Errors  throws error: bad_state when the rows come as objects; row_too_large
  [[nodiscard]] row columns();
  [[nodiscard]] row old_columns();

 private:
  struct none {};
  struct live {
    wire::session* on;
    wire::wal_stream* stream;
  };
  struct stored {
    chunk::iterator at;
    relation_rows* relation;
    position place;
    bool has_begun;
  };

  [[nodiscard]] found advance();
  [[nodiscard]] bool is_wanted();
  [[nodiscard]] found step_live(const live& from);
  [[nodiscard]] found step_stored(stored& from);
  [[nodiscard]] std::optional<found> after(change_decoder::outcome what, const live& from);
  template <class Row>
  void write(text_buffer& to, const Row& row) const;
  void copy(std::vector<std::byte>& to, const proto::pgoutput::tuple& tuple, const proto::pgoutput::tuple& before,
            std::vector<std::string_view>& left_out) const;
  /// Values that were not sent are taken from it.
  [[nodiscard]] proto::pgoutput::tuple whole_old_row() const noexcept;
  [[nodiscard]] bool has_new_row() const noexcept;
  [[nodiscard]] bool has_old_row() const noexcept;
  void require_objects() const;
  void require_columns() const;
  [[noreturn]] void fail_no_row(std::string_view which) const;
  [[noreturn]] void refuse_size() const;
  [[nodiscard]] std::string place() const;

  change_decoder decoder_;
  change_filter& filter_;
  receipts& receipts_;
  std::size_t largest_;
  std::variant<none, live, stored> from_{};
  bool is_held_{false};           // the change was found, and not handed out
  bool is_unjudged_{false};       // whether the change that was found is wanted, is not known
  std::optional<error> failure_;  // after which nothing more can be read
  std::atomic<bool> is_asked_{false};
  text_buffer text_;
  text_buffer old_text_;
  std::vector<std::byte> row_;
  std::vector<std::byte> old_row_;
  std::vector<std::string_view> unchanged_;
  bool has_columns_;
  bool has_new_{false};  // as text, or as columns
  bool has_old_{false};
};

}  // namespace sluice::detail
