#include "conninfo_settings.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>
#include <vector>

#include <sluice/wire/error.hpp>

namespace sluice::wire {

namespace {

constexpr std::string_view no_oauth{"OAuth is not supported"};
constexpr std::string_view no_scram_keys{"SCRAM keys in place of a password are not supported"};

constexpr std::array keys{
    known_key{.name = "service", .variable = "PGSERVICE"},
    known_key{.name = "servicefile", .variable = "PGSERVICEFILE"},
    known_key{.name = "user", .variable = "PGUSER"},
    known_key{.name = "password", .variable = "PGPASSWORD", .secret = true},
    known_key{.name = "passfile", .variable = "PGPASSFILE"},
    known_key{.name = "channel_binding", .variable = "PGCHANNELBINDING"},
    known_key{.name = "connect_timeout", .variable = "PGCONNECT_TIMEOUT"},
    known_key{.name = "dbname", .variable = "PGDATABASE"},
    known_key{.name = "host", .variable = "PGHOST"},
    known_key{.name = "hostaddr", .variable = "PGHOSTADDR"},
    known_key{.name = "port", .variable = "PGPORT"},
    known_key{.name = "client_encoding", .variable = "PGCLIENTENCODING"},
    known_key{.name = "options", .variable = "PGOPTIONS"},
    known_key{.name = "application_name", .variable = "PGAPPNAME"},
    known_key{.name = "fallback_application_name"},
    known_key{.name = "keepalives"},
    known_key{.name = "keepalives_idle"},
    known_key{.name = "keepalives_interval"},
    known_key{.name = "keepalives_count"},
    known_key{.name = "tcp_user_timeout"},
    known_key{.name = "sslmode", .variable = "PGSSLMODE"},
    known_key{.name = "sslnegotiation", .variable = "PGSSLNEGOTIATION"},
    known_key{.name = "sslcompression", .variable = "PGSSLCOMPRESSION"},
    known_key{.name = "sslcert", .variable = "PGSSLCERT"},
    known_key{.name = "sslkey", .variable = "PGSSLKEY"},
    known_key{.name = "sslcertmode", .variable = "PGSSLCERTMODE"},
    known_key{.name = "sslpassword", .secret = true},
    known_key{.name = "sslrootcert", .variable = "PGSSLROOTCERT"},
    known_key{.name = "sslcrl", .variable = "PGSSLCRL"},
    known_key{.name = "sslcrldir", .variable = "PGSSLCRLDIR"},
    known_key{.name = "sslsni", .variable = "PGSSLSNI"},
    known_key{.name = "sslkeylogfile", .refusal = "session keys are never written to a file"},
    known_key{.name = "requirepeer", .variable = "PGREQUIREPEER"},
    known_key{.name = "require_auth", .variable = "PGREQUIREAUTH"},
    known_key{.name = "min_protocol_version", .variable = "PGMINPROTOCOLVERSION"},
    known_key{.name = "max_protocol_version", .variable = "PGMAXPROTOCOLVERSION"},
    known_key{.name = "ssl_min_protocol_version", .variable = "PGSSLMINPROTOCOLVERSION"},
    known_key{.name = "ssl_max_protocol_version", .variable = "PGSSLMAXPROTOCOLVERSION"},
    known_key{.name = "gssencmode", .variable = "PGGSSENCMODE"},
    known_key{.name = "krbsrvname", .variable = "PGKRBSRVNAME"},
    known_key{.name = "gsslib", .variable = "PGGSSLIB"},
    known_key{.name = "gssdelegation", .variable = "PGGSSDELEGATION"},
    known_key{.name = "replication"},
    known_key{.name = "target_session_attrs", .variable = "PGTARGETSESSIONATTRS"},
    known_key{.name = "load_balance_hosts", .variable = "PGLOADBALANCEHOSTS"},
    known_key{.name = "scram_client_key", .refusal = no_scram_keys, .secret = true},
    known_key{.name = "scram_server_key", .refusal = no_scram_keys, .secret = true},
    known_key{.name = "oauth_issuer", .refusal = no_oauth},
    known_key{.name = "oauth_client_id", .refusal = no_oauth},
    known_key{.name = "oauth_client_secret", .refusal = no_oauth, .secret = true},
    known_key{.name = "oauth_scope", .refusal = no_oauth},
};

/// Insertions, deletions and replacements that turn one into the other.
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

const known_key* nearest(std::string_view name) {
  const auto by_distance = [&](const known_key& a, const known_key& b) {
    return distance(name, a.name) < distance(name, b.name);
  };
  const known_key* const best = std::ranges::min_element(keys, by_distance);
  return distance(name, best->name) <= 2 ? best : nullptr;
}

bool looks_like_a_key(std::string_view name) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && name.size() <= 32 && std::ranges::all_of(name, fits);
}

std::string place_in_text(std::string_view name, std::size_t offset) {
  return std::string{name} + " (connection string, byte " + std::to_string(offset) + ")";
}

}  // namespace

std::span<const known_key> all_keys() noexcept { return keys; }

const known_key* find_key(std::string_view name) noexcept {
  const known_key* const found = std::ranges::find(keys, name, &known_key::name);
  return found == keys.end() ? nullptr : found;
}

const setting* settings::find(std::string_view name) const {
  const auto found = given_.find(name);
  return found == given_.end() ? nullptr : &found->second;
}

const std::string& settings::value(std::string_view name) const {
  static const std::string none;
  const setting* const found = find(name);
  return found != nullptr ? found->value : none;
}

void refuse(const std::string& message) { throw error{errc::bad_conninfo, message}; }

void refuse_at(std::size_t offset, std::string_view problem) {
  refuse("connection string, byte " + std::to_string(offset) + ": " + std::string{problem});
}

void store(settings& into, std::string_view name, std::string value, std::size_t offset, bool may_quote) {
  if (name == "requiressl") {
    if (value != "0" && value != "1") refuse(place_in_text(name, offset) + " must be 0 or 1");
    into.set(*find_key("sslmode"), {value == "1" ? "require" : "prefer", place_in_text(name, offset)});
    return;
  }
  if (const known_key* const key = find_key(name)) {
    into.set(*key, {std::move(value), place_in_text(name, offset)});
    return;
  }
  if (!may_quote || !looks_like_a_key(name))
    refuse_at(offset,
              "unknown parameter (not shown, because it may be a piece of a password; spaces in key=value "
              "strings need single quotes, and '@', '/', '?' in URIs need percent-encoding)");
  std::string problem = "unknown parameter \"" + std::string{name} + "\"";
  if (const known_key* const meant = nearest(name)) problem += "; did you mean " + std::string{meant->name} + "?";
  refuse_at(offset, problem);
}

settings parse_text(std::string_view text) {
  if (const std::size_t nul = text.find('\0'); nul != text.npos) refuse_at(nul, "a zero byte is not allowed");
  return is_uri(text) ? parse_uri(text) : parse_keyvalue(text);
}

}  // namespace sluice::wire
