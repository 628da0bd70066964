#include "changes/replication_slot.hpp"

#include <algorithm>
#include <charconv>

#include <sluice/stream/query.hpp>

#include "api/error_note.hpp"
#include "query/quoting.hpp"
#include "tables/sqlstate.hpp"

namespace sluice::detail {

namespace {

bool is_slot_name(std::string_view name) noexcept {
  constexpr std::size_t longest = 63;
  const auto is_allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  return !name.empty() && name.size() <= longest && std::ranges::all_of(name, is_allowed);
}

std::string text_of(const std::optional<std::string>& value) { return value.value_or(""); }

template <class Number>
Number number_of(const std::optional<std::string>& value) noexcept {
  Number read{};
  if (value) std::from_chars(value->data(), value->data() + value->size(), read);
  return read;
}

/// A file of the log has its timeline in its name, as the first eight hexadecimal digits.
std::uint32_t timeline_of(std::string_view file) noexcept {
  constexpr std::size_t digits = 8;
  constexpr int hexadecimal = 16;
  std::uint32_t read{};
  const std::string_view first = file.substr(0, digits);
  std::from_chars(first.data(), first.data() + first.size(), read, hexadecimal);
  return read;
}

/// In a command of the replication protocol, which knows no E'...': there a backslash is a character like any other.
std::string quote_for_command(std::string_view text) {
  std::string quoted{"'"};
  for (const char each : text) quoted.append(each == '\'' ? 2 : 1, each);
  return quoted + '\'';
}

/// What a pooler says to the start-up parameter of a connection for replication.
bool is_about_replication(const error& why) noexcept {
  return std::string_view{why.what()}.find("replication") != std::string_view::npos;
}

template <class Quote>
std::string list_of(const std::vector<std::string>& names, const Quote& quote) {
  std::string list;
  for (const std::string& each : names) list += (list.empty() ? "" : ",") + quote(each);
  return list;
}

}  // namespace

std::string names_in_sql(const std::vector<std::string>& names) {
  return "array[" + list_of(names, quote_literal) + "]::pg_catalog.text[]";
}

void check(const change_options& how) {
  if (!is_slot_name(how.slot))
    throw error{errc::bad_query,
                "a slot's name has 1 to 63 lower case letters, digits and underscores: \"" + how.slot + "\" has not"};
  if (how.publications.empty()) throw error{errc::bad_query, "no publication was named"};
  for (const std::string& each : how.publications) (void)quote_identifier(each);
  if (how.snapshot == initial_snapshot::when_created && how.create == slot_creation::never)
    throw error{errc::bad_query, "a snapshot is taken when the slot is created: let it be created"};
  if (how.snapshot_connections == 0) throw error{errc::bad_query, "a snapshot is read by at least one connection"};
  if (how.snapshot == initial_snapshot::when_created && how.from)
    throw error{errc::bad_query, "a snapshot has no use for changes from a position on"};
  if (how.create == slot_creation::temporary && how.reconnect)
    throw error{errc::bad_query, "a temporary slot ends with its connection: there is nothing to reconnect to"};
  if (how.create == slot_creation::temporary && how.failover)
    throw error{errc::bad_query, "a temporary slot ends with its connection: there is nothing to fail over to"};
  if (how.columns && (how.where || !how.where_of.empty()))
    throw error{errc::bad_query, "conditions read rows as objects, and these are to come as columns"};
  if (how.heartbeat.count() > 0 && how.heartbeat_prefix.empty())
    throw error{errc::bad_query, "a heartbeat needs a prefix, by which it is known"};
  (void)heartbeat(how.heartbeat_prefix);
  if (how.status_interval.count() <= 0 || how.slot_patience.count() < 0 || how.acknowledge_interval.count() < 0 ||
      how.heartbeat.count() < 0 || how.health_interval.count() < 0)
    throw error{errc::bad_query, "an interval of a change stream is not positive"};
}

std::string question_about_slot(std::string_view name) {
  return "select pg_catalog.current_setting('server_version_num'),"
         " case when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_last_wal_replay_lsn()"
         " else pg_catalog.pg_current_wal_insert_lsn() end,"
         " slot_name, plugin, database, database operator(pg_catalog.=) pg_catalog.current_database(),"
         " wal_status operator(pg_catalog.=) 'lost', confirmed_flush_lsn, (select setting from pg_catalog.pg_settings"
         " where name operator(pg_catalog.=) 'wal_sender_timeout'), pg_catalog.pg_is_in_recovery(),"
         " pg_catalog.to_jsonb(s.*) operator(pg_catalog.->>) 'failover',"
         " pg_catalog.to_jsonb(s.*) operator(pg_catalog.->>) 'synced', case when pg_catalog.pg_is_in_recovery() then"
         " null else pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()) end"
         " from (select) one left join pg_catalog.pg_replication_slots s on slot_name operator(pg_catalog.=) " +
         quote_literal(name);
}

std::optional<slot_facts> read_slot(const std::vector<wire::text_row>& answer) {
  constexpr std::size_t columns = 13;
  if (answer.size() != 1 || answer.front().size() != columns) return std::nullopt;
  const wire::text_row& row = answer.front();
  slot_facts slot;
  slot.server_version = number_of<std::uint32_t>(row[0]);
  slot.server_end = lsn::parse(text_of(row[1])).value_or(lsn{});
  slot.exists = row[2].has_value();
  slot.plugin = text_of(row[3]);
  slot.database = text_of(row[4]);
  slot.is_of_this_database = row[5] == "t";
  slot.is_lost = row[6] == "t";
  if (row[7]) slot.confirmed = lsn::parse(*row[7]);
  slot.sender_timeout = std::chrono::milliseconds{number_of<std::uint32_t>(row[8])};
  slot.is_standby = row[9] == "t";
  slot.is_failover = row[10] == "true";
  slot.is_copy = row[11] == "true";
  slot.timeline = timeline_of(text_of(row[12]));
  return slot;
}

std::optional<refusal> refuse_slot(const slot_facts& slot, const change_options& how, std::optional<position> from) {
  const std::string name = "the slot \"" + how.slot + '"';
  if (!slot.exists)
    return refusal{errc::position_lost, name +
                                            " does not exist: it was never created, or dropped. Create it"
                                            " (slot_creation::if_missing) and begin with a snapshot"};
  if (slot.database.empty())
    return refusal{errc::bad_state, name + " is one of physical replication: choose another name"};
  if (!slot.is_of_this_database)
    return refusal{errc::bad_state, name + " is of the database \"" + slot.database +
                                        "\": connect to that, or choose"
                                        " another name"};
  if (slot.plugin != "pgoutput")
    return refusal{errc::bad_state,
                   name + " uses the output plug-in \"" + slot.plugin + "\", not pgoutput: choose another name"};
  if (slot.is_lost)
    return refusal{errc::position_lost, name +
                                            " was invalidated: the server has removed changes that were not"
                                            " acknowledged (max_slot_wal_keep_size). Drop it, and begin anew with"
                                            " a snapshot"};
  if (slot.is_standby && slot.is_copy)
    return refusal{errc::bad_state, name +
                                        " is the copy of a standby, which can be read once that is promoted: name both"
                                        " servers, with target_session_attrs=read-write"};
  if (!from) return std::nullopt;
  if (slot.confirmed && *slot.confirmed > from->commit)
    return refusal{errc::position_lost, name + " has moved to " + slot.confirmed->to_string() +
                                            ", beyond the position " + from->to_string() +
                                            ": changes between them are lost. Begin anew with"
                                            " a snapshot"};
  if (from->commit > slot.server_end)
    return refusal{errc::position_lost, "the position " + from->to_string() +
                                            " lies beyond the server's log, which"
                                            " ends at " +
                                            slot.server_end.to_string() + ": it is another server's"};
  return std::nullopt;
}

std::optional<refusal> refuse_server(const slot_facts& server, const change_options& how) {
  constexpr std::uint32_t has_failover = 170000;
  constexpr std::uint32_t decodes_in_recovery = 160000;
  constexpr std::uint32_t has_two_phase = 150000;
  constexpr std::uint32_t has_binary_and_streaming = 140000;
  const std::string version = "; the server is " + std::to_string(server.server_version / 10'000) + '.' +
                              std::to_string(server.server_version % 10'000);
  if (server.is_standby && server.server_version < decodes_in_recovery)
    return refusal{errc::bad_state, "the server is a standby, which has logical replication from Postgres 16 on" +
                                        version + ": follow the primary"};
  if (server.server_version < has_binary_and_streaming && (how.columns || how.streaming))
    return refusal{errc::bad_query,
                   "changes come as columns, and while their transactions run, from Postgres 14 on" + version};
  if (server.server_version < has_two_phase && how.two_phase)
    return refusal{errc::bad_query, "prepared transactions (two_phase) are sent from Postgres 15 on" + version};
  if (server.is_standby && how.heartbeat.count() > 0)
    return refusal{errc::bad_query, "a heartbeat writes, which a standby does not: follow without one"};
  if (!how.failover) return std::nullopt;
  if (server.server_version < has_failover)
    return refusal{errc::bad_query, "slots are copied to standbys (failover) from Postgres 17 on" + version};
  if (server.is_standby)
    return refusal{errc::bad_query, "a slot of a standby is not copied to others: ask for failover at the primary"};
  return std::nullopt;
}

std::string question_about_publications(const std::vector<std::string>& names) {
  return "select name from pg_catalog.unnest(" + names_in_sql(names) +
         ") name where not exists (select from pg_catalog.pg_publication where pubname operator(pg_catalog.=) name)";
}

std::string create_slot(std::string_view name, slot_kind how) {
  return "CREATE_REPLICATION_SLOT " + quote_identifier(name) + (how.is_temporary ? " TEMPORARY" : "") +
         " LOGICAL pgoutput " + (how.exports_snapshot ? "EXPORT_SNAPSHOT" : "NOEXPORT_SNAPSHOT");
}
std::string drop_slot(std::string_view name) { return "DROP_REPLICATION_SLOT " + quote_identifier(name); }
std::string let_fail_over(std::string_view name) {
  return "ALTER_REPLICATION_SLOT " + quote_identifier(name) + " (FAILOVER true)";
}
std::string copy_slot(std::string_view from, std::string_view to) {
  return "select pg_catalog.pg_copy_logical_replication_slot(" + quote_literal(from) + ", " + quote_literal(to) +
         ", false)";
}

std::string timeline_history(std::uint32_t timeline) { return "TIMELINE_HISTORY " + std::to_string(timeline); }

std::optional<lsn> end_of_timeline(std::string_view history, std::uint32_t timeline) noexcept {
  while (!history.empty()) {
    std::string_view line = history.substr(0, history.find('\n'));
    history.remove_prefix(std::min(line.size() + 1, history.size()));
    std::uint32_t number{};
    const auto [rest, failure] = std::from_chars(line.data(), line.data() + line.size(), number);
    if (failure != std::errc{} || number != timeline) continue;
    line.remove_prefix(static_cast<std::size_t>(rest - line.data()));
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    return lsn::parse(line.substr(0, line.find_first_of(" \t\r")));
  }
  return std::nullopt;
}

std::string heartbeat(std::string_view prefix) {
  return "select pg_catalog.pg_logical_emit_message(true, " + quote_literal(prefix) + ", ''::pg_catalog.text)";
}

std::string start_replication(const change_options& how, std::string_view slot, lsn from,
                              std::uint32_t server_version) {
  constexpr std::uint32_t has_messages = 140000;
  const char* const version = how.two_phase ? "3" : how.streaming ? "2" : "1";
  std::string command = "START_REPLICATION SLOT " + quote_identifier(slot) + " LOGICAL " + from.to_string() +
                        " (proto_version '" + version + "', publication_names " +
                        quote_for_command(list_of(how.publications, quote_identifier));
  if (how.messages && server_version >= has_messages) command += ", messages 'true'";
  if (how.columns) command += ", binary 'true'";
  if (how.streaming) command += ", streaming 'on'";
  if (how.two_phase) command += ", two_phase 'on'";
  return command + ')';
}

error with_advice(const error& why, const change_options& how) {
  using proto::sqlstate;
  constexpr sqlstate refused_parameter{"08P01"};
  const sqlstate code{why.sqlstate()};
  std::string advice;
  if (code == sqlstate::object_not_in_prerequisite_state)
    advice =
        "logical replication needs wal_level = logical, set before the server was started, and a slot that was not"
        " invalidated";
  else if (code == sqlstate::insufficient_privilege)
    advice = "the user needs the attribute REPLICATION, and SELECT on the tables for a snapshot";
  else if (code == sqlstate::configuration_limit_exceeded)
    advice = "drop slots that nobody uses, or raise max_replication_slots";
  else if (code == sqlstate::object_in_use)
    advice = "another connection uses the slot \"" + how.slot + "\": each consumer needs one of its own";
  else if (code == sqlstate::undefined_object)
    advice = "a publication has to exist before the changes that it is to publish: create it before the slot";
  else if (code == refused_parameter && is_about_replication(why))
    advice =
        "a pooler such as PgBouncer stands between, and does not pass connections for replication on: connect to the"
        " server itself, with its own host and port";
  else
    return why;
  return with_note(why, advice, why.rows());
}

}  // namespace sluice::detail
