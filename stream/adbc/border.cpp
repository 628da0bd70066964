#include "adbc/border.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <optional>

#include "arrow/bad_input.hpp"

namespace sluice::adbc {

namespace {

struct meaning {
  std::string_view prefix;  // of a SQLSTATE
  status code;
};
// The longest prefix comes first.
// @see PostgreSQL documentation, "PostgreSQL Error Codes"
constexpr std::array meanings{
    meaning{"42P04", status::already_exists},
    meaning{"42P05", status::already_exists},
    meaning{"42P06", status::already_exists},
    meaning{"42P07", status::already_exists},
    meaning{"42710", status::already_exists},
    meaning{"42723", status::already_exists},
    meaning{"42P01", status::not_found},
    meaning{"42703", status::not_found},
    meaning{"42704", status::not_found},
    meaning{"42883", status::not_found},
    meaning{"3D000", status::not_found},
    meaning{"3F000", status::not_found},
    meaning{"42501", status::unauthorized},
    meaning{"57014", status::cancelled},
    meaning{"0A", status::not_implemented},
    meaning{"08", status::io},
    meaning{"22", status::invalid_data},
    meaning{"23", status::integrity},
    meaning{"25", status::invalid_state},
    meaning{"28", status::unauthenticated},
    meaning{"40", status::invalid_state},
    meaning{"42", status::invalid_argument},
    meaning{"44", status::integrity},
    meaning{"53", status::io},
    meaning{"54", status::invalid_argument},
    meaning{"55", status::invalid_state},
    meaning{"57", status::io},
    meaning{"58", status::io},
    meaning{"XX", status::internal},
};

status meaning_of(const error& why) noexcept {
  if (why.code() == errc::deadline_exceeded) return status::timeout;
  if (why.code() == errc::cancelled) return status::cancelled;
  if (why.code() == errc::partition_lost) return status::not_found;
  const auto found =
      std::ranges::find_if(meanings, [&](const meaning& each) { return why.sqlstate().starts_with(each.prefix); });
  if (!why.sqlstate().empty() && found != meanings.end()) return found->code;
  if (why.code() == errc::bad_state || why.code() == errc::rolled_back || why.code() == errc::result_changed)
    return status::invalid_state;
  switch (why.kind()) {
    case condition::usage: return status::invalid_argument;
    case condition::connection:
    case condition::tls:
    case condition::protocol: return status::io;
    case condition::auth: return status::unauthenticated;
    case condition::json: return status::invalid_data;
    case condition::limit: return status::internal;
    case condition::timeout: return status::timeout;
    case condition::cancelled: return status::cancelled;
    case condition::sql: break;
  }
  return status::unknown;
}

void add_details(told& to, const server_message& from) {
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) to.details.emplace_back(key, value);
  };
  const auto number = [](const std::optional<std::uint32_t>& position) {
    return position ? std::to_string(*position) : std::string{};
  };
  add("PG_DIAG_SEVERITY_NONLOCALIZED", from.severity);
  add("PG_DIAG_SQLSTATE", from.sqlstate);
  add("PG_DIAG_MESSAGE_PRIMARY", from.message);
  add("PG_DIAG_MESSAGE_DETAIL", from.detail);
  add("PG_DIAG_MESSAGE_HINT", from.hint);
  add("PG_DIAG_STATEMENT_POSITION", number(from.position));
  add("PG_DIAG_INTERNAL_POSITION", number(from.internal_position));
  add("PG_DIAG_INTERNAL_QUERY", from.internal_query);
  add("PG_DIAG_CONTEXT", from.where);
  add("PG_DIAG_SCHEMA_NAME", from.schema);
  add("PG_DIAG_TABLE_NAME", from.table);
  add("PG_DIAG_COLUMN_NAME", from.column);
  add("PG_DIAG_DATATYPE_NAME", from.data_type);
  add("PG_DIAG_CONSTRAINT_NAME", from.constraint);
}

// What an error points to, so that one function can release it.
struct owned_error {
  told what;
};

void release_message(AdbcError* of) {
  if (of == nullptr) return;
  std::free(of->message);  // NOLINT(cppcoreguidelines-no-malloc): without private_data there is nothing else
  of->message = nullptr;
  of->release = nullptr;
}
void release_owned(AdbcError* of) {
  if (of == nullptr) return;
  delete static_cast<owned_error*>(of->private_data);
  of->private_data = nullptr;
  of->message = nullptr;
  of->release = nullptr;
}
void release_literal(AdbcError* of) {
  if (of == nullptr) return;
  of->message = nullptr;
  of->release = nullptr;
}

bool is_extended(const AdbcError& error) noexcept { return error.vendor_code == has_private_data; }

void report_no_memory(AdbcError& to) noexcept {
  static std::array<char, 14> text{"out of memory"};
  if (is_extended(to)) to.private_data = nullptr;
  to.message = text.data();
  to.release = release_literal;
}

}  // namespace

void not_implemented(std::string_view what) {
  throw failure{status::not_implemented, "the driver of sluice has no " + std::string{what}};
}

namespace {

status meaning_of(arrow_input::bad_input::part is) noexcept {
  switch (is) {
    case arrow_input::bad_input::part::type: return status::not_implemented;
    case arrow_input::bad_input::part::array: return status::invalid_argument;
    case arrow_input::bad_input::part::value: break;
  }
  return status::invalid_data;
}

}  // namespace

told tell(const std::exception_ptr& what) {
  try {
    std::rethrow_exception(what);
  } catch (const failure& why) {
    return {.code = why.code(), .message = why.what()};
  } catch (const arrow_input::bad_input& why) {
    return {.code = meaning_of(why.where()), .message = why.what()};
  } catch (const error& why) {
    told made{.code = meaning_of(why), .message = why.what(), .sqlstate = std::string{why.sqlstate()}};
    if (why.server()) add_details(made, *why.server());
    return made;
  } catch (const std::system_error& why) {  // of a stream that was bound
    const bool is_cancelled = why.code() == std::errc::operation_canceled;
    const bool has_no_memory = why.code() == std::errc::not_enough_memory;
    return {.code = is_cancelled    ? status::cancelled
                    : has_no_memory ? status::internal
                                    : status::io,
            .message = why.what()};
  } catch (const std::bad_alloc&) {
    return {.code = status::internal, .message = "out of memory"};
  } catch (const std::exception& why) {
    return {.code = status::internal, .message = why.what()};
  } catch (...) {
    return {.code = status::internal, .message = "an exception of an unknown type"};
  }
}

int error_number(status code) noexcept {
  switch (code) {
    case status::ok: return 0;
    case status::cancelled: return ECANCELED;
    case status::timeout: return ETIMEDOUT;
    case status::invalid_argument:
    case status::invalid_state:
    case status::invalid_data: return EINVAL;
    case status::unauthorized: return EACCES;
    case status::not_implemented: return ENOTSUP;
    default: return EIO;
  }
}

void report(AdbcError* to, told what) noexcept {
  if (to == nullptr) return;
  if (to->release != nullptr) to->release(to);
  std::ranges::fill(to->sqlstate, '\0');
  try {
    std::ranges::copy(what.sqlstate.substr(0, sizeof to->sqlstate), to->sqlstate);
    if (is_extended(*to)) {
      auto owned = std::make_unique<owned_error>(owned_error{std::move(what)});
      to->message = owned->what.message.data();
      to->private_data = owned.release();
      to->release = release_owned;
      return;
    }
    const std::size_t size = what.message.size() + 1;
    // NOLINTNEXTLINE(cppcoreguidelines-no-malloc): as above
    to->message = static_cast<char*>(std::malloc(size));
    if (to->message == nullptr) return report_no_memory(*to);
    std::memcpy(to->message, what.message.c_str(), size);
    to->vendor_code = 0;
    to->release = release_message;
  } catch (...) {
    report_no_memory(*to);
  }
}

void report(AdbcError* to, const std::exception_ptr& what, status& code) noexcept {
  try {
    told all = tell(what);
    code = all.code;
    report(to, std::move(all));
  } catch (...) {
    code = status::internal;
    if (to == nullptr) return;
    if (to->release != nullptr) to->release(to);
    report_no_memory(*to);
  }
}

int detail_count(const AdbcError* of) noexcept {
  if (of == nullptr || !is_extended(*of) || of->release != release_owned) return 0;
  return static_cast<int>(static_cast<const owned_error*>(of->private_data)->what.details.size());
}

AdbcErrorDetail detail(const AdbcError* of, int index) noexcept {
  if (index < 0 || index >= detail_count(of)) return {};
  const auto& [key, value] =
      static_cast<const owned_error*>(of->private_data)->what.details[static_cast<std::size_t>(index)];
  return {.key = key, .value = reinterpret_cast<const std::uint8_t*>(value.data()), .value_length = value.size()};
}

}  // namespace sluice::adbc
