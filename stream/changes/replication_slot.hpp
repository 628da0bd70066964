#pragma once
// Slots and publications: what is asked about them, and the commands of the replication protocol.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/stream/change.hpp>
#include <sluice/stream/changes.hpp>

#include "engine/text_query.hpp"

namespace sluice::detail {

/// @par Errors  throws error: bad_query for options that cannot be
void check(const change_options& how);

/// What a server says about itself and a slot.
struct slot_facts {
  std::uint32_t server_version{};  ///< 170002 is 17.2
  lsn server_end{};                ///< of its log
  bool exists{};
  std::string plugin{};
  std::string database{};
  bool is_of_this_database{};
  bool is_lost{};  ///< the server has thrown away what it needs
  std::optional<lsn> confirmed{};
  bool is_standby{};
  bool is_failover{};
  bool is_copy{};                              ///< of another server's, kept up by a standby; also after its promotion
  std::uint32_t timeline{};                    ///< of the log that it writes; 0: it does not write one, as a standby
  std::chrono::milliseconds sender_timeout{};  ///< after this much silence of the client it ends the stream; 0: never
};
[[nodiscard]] std::string question_about_slot(std::string_view name);
/// @return nothing: that is no answer to the question
[[nodiscard]] std::optional<slot_facts> read_slot(const std::vector<wire::text_row>& answer);

/// Why the changes from `from` on cannot be read from the slot, or nothing.
struct refusal {
  errc code{};
  std::string why{};
};
[[nodiscard]] std::optional<refusal> refuse_slot(const slot_facts& slot, const change_options& how,
                                                 std::optional<position> from);

/// Why the options cannot be met by this server, or nothing.
[[nodiscard]] std::optional<refusal> refuse_server(const slot_facts& server, const change_options& how);

[[nodiscard]] std::string question_about_publications(const std::vector<std::string>& names);

struct slot_kind {
  bool is_temporary{};
  bool exports_snapshot{};
};
[[nodiscard]] std::string create_slot(std::string_view name, slot_kind how);
[[nodiscard]] std::string drop_slot(std::string_view name);
/// The slot is copied to standbys from now on; from Postgres 17 on.
[[nodiscard]] std::string let_fail_over(std::string_view name);
/// A permanent slot at the place of a temporary one.
[[nodiscard]] std::string copy_slot(std::string_view from, std::string_view to);
[[nodiscard]] std::string start_replication(const change_options& how, std::string_view slot, lsn from,
                                            std::uint32_t server_version);

[[nodiscard]] std::string timeline_history(std::uint32_t timeline);
/// Where a timeline in a history ends and the next one begins, because a standby was promoted there.
/// @return nothing: the history does not come from that timeline
[[nodiscard]] std::optional<lsn> end_of_timeline(std::string_view history, std::uint32_t timeline) noexcept;

/// A transaction with a message in it.
[[nodiscard]] std::string heartbeat(std::string_view prefix);

/// The same error, with what to do about it.
[[nodiscard]] error with_advice(const error& why, const change_options& how);

/// Names as an array in SQL.
[[nodiscard]] std::string names_in_sql(const std::vector<std::string>& names);

}  // namespace sluice::detail
