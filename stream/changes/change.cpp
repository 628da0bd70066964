#include <sluice/stream/change.hpp>

#include <array>
#include <charconv>
#include <utility>

#include <sluice/wire/error.hpp>

#include "changes/change_feed.hpp"

namespace sluice {

using detail::change_feed;

namespace {

constexpr int hexadecimal = 16;

template <class Number>
bool parse_all(std::string_view text, Number& into, int base) noexcept {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), into, base);
  return failure == std::errc{} && end == text.data() + text.size();
}

std::string in_hexadecimal(std::uint32_t number) {
  std::array<char, 8> digits{};
  const auto [end, failure] = std::to_chars(digits.data(), digits.data() + digits.size(), number, hexadecimal);
  std::string text(digits.data(), end);
  for (char& each : text)
    if (each >= 'a') each = static_cast<char>(each - 'a' + 'A');
  return text;
}

}  // namespace

std::optional<lsn> lsn::parse(std::string_view text) noexcept {
  const std::size_t slash = text.find('/');
  std::uint32_t high{};
  std::uint32_t low{};
  if (slash == std::string_view::npos || !parse_all(text.substr(0, slash), high, hexadecimal) ||
      !parse_all(text.substr(slash + 1), low, hexadecimal))
    return std::nullopt;
  return lsn{std::uint64_t{high} << 32U | low};
}
std::string lsn::to_string() const {
  return in_hexadecimal(static_cast<std::uint32_t>(value >> 32U)) + '/' +
         in_hexadecimal(static_cast<std::uint32_t>(value));
}

std::optional<position> position::parse(std::string_view text) noexcept {
  const std::size_t plus = text.find('+');
  const std::optional<lsn> commit = lsn::parse(text.substr(0, plus));
  position read;
  if (!commit) return std::nullopt;
  read.commit = *commit;
  if (plus != std::string_view::npos && !parse_all(text.substr(plus + 1), read.index, 10)) return std::nullopt;
  return read;
}
std::string position::to_string() const {
  return index == 0 ? commit.to_string() : commit.to_string() + '+' + std::to_string(index);
}

std::string_view to_string(operation what) noexcept {
  constexpr std::array<std::string_view, 13> names{
      "insert", "update",   "delete",  "truncate",        "message",           "begin", "commit",
      "schema", "snapshot", "prepare", "commit_prepared", "rollback_prepared", "abort"};
  const auto index = static_cast<std::size_t>(what);
  return index < names.size() ? names[index] : std::string_view{};
}

operation change::operation() const noexcept { return feed_->what(); }
position change::position() const noexcept { return feed_->at(); }
std::uint32_t change::xid() const noexcept { return feed_->is_snapshot() ? 0 : feed_->now().xid; }
std::chrono::sys_time<std::chrono::microseconds> change::committed_at() const noexcept {
  return std::chrono::sys_time<std::chrono::microseconds>{feed_->is_snapshot() ? std::chrono::microseconds{}
                                                                               : feed_->now().committed_at};
}
bool change::is_running() const noexcept { return !feed_->is_snapshot() && feed_->now().is_running; }
std::uint32_t change::subxid() const noexcept { return feed_->is_snapshot() ? 0 : feed_->now().subxid; }
std::string_view change::gid() const noexcept { return feed_->is_snapshot() ? std::string_view{} : feed_->now().gid; }
const changed_relation& change::relation() const {
  const detail::relation_rows* const of = feed_->relation();
  if (of == nullptr)
    throw error{errc::bad_state, "a change of the kind " + std::string{to_string(operation())} + " has no relation"};
  return of->relation();
}
std::string_view change::text() const { return feed_->text(); }
std::string_view change::old_text() const { return feed_->old_text(); }
bool change::old_is_key() const noexcept {
  const bool has_old =
      !feed_->is_snapshot() && (operation() == sluice::operation::update || operation() == sluice::operation::remove);
  return has_old && feed_->now().row.told == proto::pgoutput::old_row::key;
}
row change::columns() const { return feed_->columns(); }
row change::old_columns() const { return feed_->old_columns(); }
std::span<const std::string_view> change::unchanged() const { return feed_->unchanged(); }
std::string_view change::prefix() const noexcept {
  return operation() == sluice::operation::message ? feed_->now().prefix : std::string_view{};
}
bool change::is_cascade() const noexcept {
  return operation() == sluice::operation::truncate && feed_->now().truncated.cascade;
}
bool change::restarts_identity() const noexcept {
  return operation() == sluice::operation::truncate && feed_->now().truncated.restart_identity;
}

position change_chunk::last() const noexcept { return feed_ == nullptr ? position{} : feed_->last(); }

change_chunk::iterator& change_chunk::iterator::operator++() {
  if (feed_->step() != change_feed::found::change) feed_ = nullptr;
  return *this;
}

}  // namespace sluice
