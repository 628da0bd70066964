#include "changes/slot_health.hpp"

#include <charconv>
#include <cstdint>
#include <utility>

#include <sluice/wire/error.hpp>

#include "query/quoting.hpp"

namespace sluice::detail {

namespace {

/// A number of bytes; below 0 for a standby that lags behind its own slot.
std::optional<std::uint64_t> bytes_in(const std::optional<std::string>& value) noexcept {
  std::int64_t read{};
  if (!value || std::from_chars(value->data(), value->data() + value->size(), read).ec != std::errc{})
    return std::nullopt;
  return read < 0 ? 0 : static_cast<std::uint64_t>(read);
}

}  // namespace

std::string question_about_health(std::string_view slot) {
  return "select active, wal_status, pg_catalog.pg_wal_lsn_diff(here, restart_lsn)::pg_catalog.int8,"
         " pg_catalog.pg_wal_lsn_diff(here, confirmed_flush_lsn)::pg_catalog.int8, safe_wal_size, confirmed_flush_lsn,"
         " here from (select case when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_last_wal_replay_lsn()"
         " else pg_catalog.pg_current_wal_lsn() end as here) server, pg_catalog.pg_replication_slots"
         " where slot_name operator(pg_catalog.=) " +
         quote_literal(slot);
}

std::optional<slot_lag> read_health(const std::vector<wire::text_row>& answer) {
  constexpr std::size_t columns = 7;
  if (answer.size() != 1 || answer.front().size() != columns) return std::nullopt;
  const wire::text_row& row = answer.front();
  slot_lag told;
  told.is_active = row[0] == "t";
  told.wal_status = row[1].value_or("");
  told.retained_bytes = bytes_in(row[2]).value_or(0);
  told.behind_bytes = bytes_in(row[3]).value_or(0);
  told.safe_bytes = bytes_in(row[4]);
  told.confirmed = lsn::parse(row[5].value_or("")).value_or(lsn{});
  told.server = lsn::parse(row[6].value_or("")).value_or(lsn{});
  return told;
}

asio::awaitable<slot_lag> ask_health(second_connection& on, std::string slot) {
  std::string question = question_about_health(slot);
  const std::vector<wire::text_row> answer = co_await on.ask(std::move(question));
  if (answer.empty())
    throw error{errc::position_lost, "the slot \"" + slot + "\" does not exist: it was never created, or dropped"};
  const std::optional<slot_lag> told = read_health(answer);
  if (!told) throw error{errc::protocol_violation, "the catalog's answer about the slot has another form"};
  co_return *told;
}

}  // namespace sluice::detail

namespace sluice {

asio::awaitable<slot_lag> lag_of(conninfo where, std::string slot, connection_options how) {
  detail::second_connection on{std::move(where), how};
  asio::awaitable<slot_lag> asking = detail::ask_health(on, std::move(slot));
  slot_lag told = co_await std::move(asking);
  co_return told;
}

}  // namespace sluice
