#pragma once
// What the messages of pgoutput mean: transactions, the relations that have been told, and the changes with their
// positions. It reads no input and asks nobody.
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <sluice/stream/change.hpp>

#include "changes/relation_rows.hpp"
#include "changes/running_transaction.hpp"
#include "changes/transaction_end.hpp"
#include "json/type_facts.hpp"
#include "json/value_plan.hpp"
#include "messages/pgoutput.hpp"

namespace sluice::detail {

/// One change, as it lies in the receive buffer.
struct change_view {
  sluice::operation what{};
  sluice::position at{};
  std::uint32_t xid{};
  std::uint32_t subxid{};                    ///< the part of a running transaction; else `xid`
  bool is_running{};                         ///< its transaction, or prepared early: it has no position of its own
  std::chrono::microseconds committed_at{};  ///< since 1970
  relation_rows* relation{};
  proto::pgoutput::row_change row{};
  proto::pgoutput::truncate truncated{};
  std::string_view prefix{};
  std::string_view content{};
  std::string_view gid{};
};

/// Which changes are wanted, and how.
struct wanted_changes {
  bool transactions{false};
  bool schema{false};
  bool running{false};   ///< of transactions that still run
  bool prepared{false};  ///< of prepared transactions, when these are prepared
  bool columns{false};   ///< rows as columns
};

class change_decoder {
 public:
  enum class outcome : std::uint8_t {
    nothing,
    change,     ///< `now()`; more of the same message may follow: `has_more`
    committed,  ///< `ended()`; if transactions are wanted it is a change as well: `now()`
    asking,     ///< nothing goes on before `missing_types` have been added to `types`; then call `resume`
    malformed,  ///< `why()`
  };

  change_decoder(wanted_changes wanted, session_settings session) noexcept : wanted_{wanted}, session_{session} {}

  /// Changes up to here are not handed out.
  void pass_over(position seen) noexcept { seen_ = seen; }
  /// The last one that was handed out or passed over.
  [[nodiscard]] position seen() const noexcept { return seen_; }

  /// The changes come from a new stream, of what ends behind `from`. It begins between two transactions. What was
  /// handed out of those that were running is void: `has_more`.
  void restart(lsn from);

  /// @param data  of an XLogData
  /// @pre all of the message before was taken
  [[nodiscard]] outcome take(std::span<const std::byte> data);
  /// Whether the message that was taken last has another change; `take_more` takes it.
  [[nodiscard]] bool has_more() const noexcept { return left_ != 0 || told_first_ || again_ || !void_.empty(); }
  [[nodiscard]] outcome take_more();

  /// Whether it waits for `resume`.
  [[nodiscard]] bool is_asking() const noexcept { return pending_.has_value(); }
  [[nodiscard]] std::vector<std::uint32_t> missing_types() const;
  [[nodiscard]] type_catalog& types() noexcept { return types_; }
  [[nodiscard]] outcome resume();

  /// @par Lifetime  until the next message is taken
  [[nodiscard]] const change_view& now() const noexcept { return now_; }
  [[nodiscard]] const transaction_end& ended() const noexcept { return ended_; }
  [[nodiscard]] const std::string& why() const noexcept { return why_; }
  [[nodiscard]] bool is_in_transaction() const noexcept { return xid_ != 0; }

 private:
  [[nodiscard]] bool is_asked_for(proto::pgoutput::kind what) const noexcept;
  [[nodiscard]] outcome on_begin(std::span<const std::byte> data);
  [[nodiscard]] outcome on_commit(std::span<const std::byte> data);
  [[nodiscard]] outcome on_begin_prepare(std::span<const std::byte> data);
  [[nodiscard]] outcome on_prepare(std::span<const std::byte> data);
  [[nodiscard]] outcome on_commit_prepared(std::span<const std::byte> data);
  [[nodiscard]] outcome on_rollback_prepared(std::span<const std::byte> data);
  [[nodiscard]] outcome on_stream_start(std::span<const std::byte> data);
  [[nodiscard]] outcome on_stream_stop(std::span<const std::byte> data);
  [[nodiscard]] outcome on_stream_commit(std::span<const std::byte> data);
  [[nodiscard]] outcome on_stream_prepare(std::span<const std::byte> data);
  [[nodiscard]] outcome on_stream_abort(std::span<const std::byte> data);
  [[nodiscard]] outcome on_relation(std::span<const std::byte> data);
  [[nodiscard]] outcome on_row(operation what, std::span<const std::byte> data);
  [[nodiscard]] outcome on_truncate(std::span<const std::byte> data);
  [[nodiscard]] outcome on_message(std::span<const std::byte> data);
  [[nodiscard]] outcome add_pending();
  [[nodiscard]] outcome next_truncated();
  /// Of a record of which only its end is told. It lies between all other records' beginnings.
  [[nodiscard]] static lsn last_byte_before(std::uint64_t end) noexcept { return {end - 1}; }
  [[nodiscard]] static std::chrono::microseconds moment_of(std::int64_t since_2000) noexcept;
  [[nodiscard]] bool begin_transaction(std::uint32_t xid, lsn end, std::int64_t at);
  [[nodiscard]] outcome end_transaction(operation what, bool is_wanted, lsn end);
  [[nodiscard]] outcome end_running(std::uint32_t xid, operation what, lsn at, lsn end);
  [[nodiscard]] outcome end_prepared(std::uint32_t xid, operation what, lsn at, lsn end);
  void count(std::uint32_t part);
  [[nodiscard]] outcome hand_out(operation what, relation_rows* relation);
  [[nodiscard]] outcome hand_out_abort(std::uint32_t xid, std::uint32_t subxid);
  [[nodiscard]] outcome malformed(std::string why);
  [[nodiscard]] relation_rows* find(std::uint32_t relation);
  /// Whether only the running transaction sees it so.
  [[nodiscard]] bool is_own(std::uint32_t relation) const;

  wanted_changes wanted_;
  session_settings session_;
  type_catalog types_;
  told_relations relations_;
  std::optional<changed_relation> pending_;          // whose types are not known yet
  std::uint64_t told_{0};                            // relations
  std::optional<std::span<const std::byte>> again_;  // a row, once the types of its relation are known
  std::unordered_map<std::uint32_t, running_transaction> running_;
  running_transaction* segment_{nullptr};  // of which changes come now
  std::vector<std::uint32_t> void_;        // of which that is still to be told

  position seen_{};
  std::uint32_t xid_{0};  // 0: between two transactions
  std::uint32_t subxid_{0};
  std::string gid_;  // empty: the transaction is not prepared
  lsn begins_{};     // the stream
  /// The transaction was prepared before the stream began, and comes only now, before its COMMIT PREPARED: the slot had
  /// no two_phase at that time. Its changes have no positions, as those of one that still runs.
  bool is_late_{false};
  position at_{};
  std::chrono::microseconds committed_at_{};

  change_view now_{};
  transaction_end ended_{};
  std::optional<operation> told_first_{};  // of the same relation, behind its schema
  std::size_t left_{0};                    // relations of the truncate
  proto::packed_list<proto::oid_field>::iterator next_{};
  std::string why_;
};

}  // namespace sluice::detail
