#include "conninfo/conninfo_settings.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>
#include <vector>

#include <sluice/wire/error.hpp>

namespace sluice::wire {

namespace {

constexpr std::string_view no_oauth{"no token is fetched here: the program gives one, as conninfo::token"};

using enum known_key::kind;
constexpr std::array known_keys{
    known_key{"service", "PGSERVICE"},
    known_key{"servicefile", "PGSERVICEFILE"},
    known_key{"user", "PGUSER"},
    known_key{"password", "PGPASSWORD", sensitive},
    known_key{"passfile", "PGPASSFILE"},
    known_key{"channel_binding", "PGCHANNELBINDING"},
    known_key{"connect_timeout", "PGCONNECT_TIMEOUT"},
    known_key{"dbname", "PGDATABASE"},
    known_key{"host", "PGHOST"},
    known_key{"hostaddr", "PGHOSTADDR"},
    known_key{"port", "PGPORT"},
    known_key{"client_encoding", "PGCLIENTENCODING"},
    known_key{"options", "PGOPTIONS"},
    known_key{"application_name", "PGAPPNAME"},
    known_key{"fallback_application_name", ""},
    known_key{"keepalives", ""},
    known_key{"keepalives_idle", ""},
    known_key{"keepalives_interval", ""},
    known_key{"keepalives_count", ""},
    known_key{"tcp_user_timeout", ""},
    known_key{"sslmode", "PGSSLMODE"},
    known_key{"sslnegotiation", "PGSSLNEGOTIATION"},
    known_key{"sslcompression", "PGSSLCOMPRESSION"},
    known_key{"sslcert", "PGSSLCERT"},
    known_key{"sslkey", "PGSSLKEY"},
    known_key{"sslcertmode", "PGSSLCERTMODE"},
    known_key{"sslpassword", "", sensitive},
    known_key{"sslrootcert", "PGSSLROOTCERT"},
    known_key{"sslcrl", "PGSSLCRL"},
    known_key{"sslcrldir", "PGSSLCRLDIR"},
    known_key{"sslsni", "PGSSLSNI"},
    known_key{"sslkeylogfile", "", plain, "session keys are never written to a file"},
    known_key{"requirepeer", "PGREQUIREPEER"},
    known_key{"require_auth", "PGREQUIREAUTH"},
    known_key{"min_protocol_version", "PGMINPROTOCOLVERSION"},
    known_key{"max_protocol_version", "PGMAXPROTOCOLVERSION"},
    known_key{"ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION"},
    known_key{"ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION"},
    known_key{"gssencmode", "PGGSSENCMODE"},
    known_key{"krbsrvname", "PGKRBSRVNAME"},
    known_key{"gsslib", "PGGSSLIB"},
    known_key{"gssdelegation", "PGGSSDELEGATION"},
    known_key{"replication", ""},
    known_key{"target_session_attrs", "PGTARGETSESSIONATTRS"},
    known_key{"load_balance_hosts", "PGLOADBALANCEHOSTS"},
    known_key{"scram_min_iterations", ""},  // not one of libpq's
    known_key{"scram_client_key", "", sensitive},
    known_key{"scram_server_key", "", sensitive},
    known_key{"oauth_issuer", "", plain, no_oauth},
    known_key{"oauth_client_id", "", plain, no_oauth},
    known_key{"oauth_client_secret", "", sensitive, no_oauth},
    known_key{"oauth_scope", "", plain, no_oauth},
};

const known_key* nearest(std::string_view name) {
  const auto by_distance = [&](const known_key& a, const known_key& b) {
    return distance(name, a.name) < distance(name, b.name);
  };
  const known_key* const best = std::ranges::min_element(known_keys, by_distance);
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

std::span<const known_key> all_keys() noexcept { return known_keys; }

const known_key* find_key(std::string_view name) noexcept {
  const known_key* const found = std::ranges::find(known_keys, name, &known_key::name);
  return found == known_keys.end() ? nullptr : found;
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

setting& setting::operator=(setting&& other) noexcept {
  value.swap(other.value);
  place.swap(other.place);
  return *this;
}

setting::~setting() { OPENSSL_cleanse(value.data(), value.size()); }

std::string room_for_value(std::size_t size) {
  constexpr std::size_t more_than_fits_inside = 64;
  constexpr std::size_t longest_secret = 1024;
  std::string value;
  value.reserve(std::clamp(size, more_than_fits_inside, longest_secret));
  return value;
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
