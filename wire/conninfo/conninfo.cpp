#include <sluice/wire/conninfo.hpp>

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>

#include "auth/base64.hpp"
#include "conninfo/conninfo_values.hpp"
#include "transport/gss_target.hpp"

namespace sluice {

namespace {

using namespace wire;

constexpr std::array tls_modes{
    choice<tls_mode>{"disable", tls_mode::disable},     choice<tls_mode>{"allow", tls_mode::allow},
    choice<tls_mode>{"prefer", tls_mode::prefer},       choice<tls_mode>{"require", tls_mode::require},
    choice<tls_mode>{"verify-ca", tls_mode::verify_ca}, choice<tls_mode>{"verify-full", tls_mode::verify_full}};
constexpr std::array negotiations{choice<tls_negotiation>{"postgres", tls_negotiation::postgres},
                                  choice<tls_negotiation>{"direct", tls_negotiation::direct}};
constexpr std::array certificate_modes{choice<certificate_mode>{"disable", certificate_mode::disable},
                                       choice<certificate_mode>{"allow", certificate_mode::allow},
                                       choice<certificate_mode>{"require", certificate_mode::require}};
constexpr std::array gss_modes{choice<gss_mode>{"disable", gss_mode::disable},
                               choice<gss_mode>{"prefer", gss_mode::prefer},
                               choice<gss_mode>{"require", gss_mode::require}};
constexpr std::array bindings{choice<channel_binding_mode>{"disable", channel_binding_mode::disable},
                              choice<channel_binding_mode>{"prefer", channel_binding_mode::prefer},
                              choice<channel_binding_mode>{"require", channel_binding_mode::require}};
constexpr std::array targets{choice<session_target>{"any", session_target::any},
                             choice<session_target>{"read-write", session_target::read_write},
                             choice<session_target>{"read-only", session_target::read_only},
                             choice<session_target>{"primary", session_target::primary},
                             choice<session_target>{"standby", session_target::standby},
                             choice<session_target>{"prefer-standby", session_target::prefer_standby}};
constexpr std::array orders{choice<host_order>{"disable", host_order::as_given},
                            choice<host_order>{"random", host_order::random}};
constexpr std::array protocols{choice<protocol_version>{"3.0", protocol_version::v3_0},
                               choice<protocol_version>{"3.2", protocol_version::v3_2},
                               choice<protocol_version>{"latest", protocol_version::v3_2}};

tls_version version(const settings& given, std::string_view key, tls_version otherwise) {
  const setting* const found = given.find(key);
  if (found == nullptr) return otherwise;
  if (found->value.empty()) return tls_version::any;
  if (equal_ignoring_case(found->value, "TLSv1")) return tls_version::v1_0;
  if (equal_ignoring_case(found->value, "TLSv1.1")) return tls_version::v1_1;
  if (equal_ignoring_case(found->value, "TLSv1.2")) return tls_version::v1_2;
  if (equal_ignoring_case(found->value, "TLSv1.3")) return tls_version::v1_3;
  refuse_choice(*found, {"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"});
}

template <class Duration>
Duration not_negative(std::int32_t count) {
  return Duration{count > 0 ? count : 0};
}

void read_session(conninfo& info, const settings& given, const conninfo_environment& environment) {
  info.user = given.value("user").empty() ? environment.user_name : given.value("user");
  if (info.user.empty()) refuse("user is not given, and the operating system knows no name for the current user");
  info.database = given.value("dbname").empty() ? info.user : given.value("dbname");
  info.password = secret{given.value("password")};
  info.options = given.value("options");
  const bool has_fallback = given.find("fallback_application_name") != nullptr;
  info.application_name = has_fallback ? given.value("fallback_application_name") : "sluice";
  if (given.find("application_name") != nullptr) info.application_name = given.value("application_name");
  info.target_session_attrs = choose(given, "target_session_attrs", targets, session_target::any);
  info.load_balance_hosts = choose(given, "load_balance_hosts", orders, host_order::as_given);

  const std::array settable{std::pair{"PGDATESTYLE", "datestyle"}, std::pair{"PGTZ", "timezone"},
                            std::pair{"PGGEQO", "geqo"}};
  for (const auto& [variable, parameter] : settable) {
    auto value = environment.variable(variable);
    if (!value || equal_ignoring_case(*value, "default")) continue;
    info.session_settings.emplace_back(parameter, from_variable(parameter, variable, std::move(*value)).value);
  }
}

void read_waiting(conninfo& info, const settings& given) {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  info.connect_timeout = not_negative<seconds>(integer(given, "connect_timeout", 30));
  info.keepalives = integer(given, "keepalives", 1) != 0;
  info.keepalives_idle = not_negative<seconds>(integer(given, "keepalives_idle", 0));
  info.keepalives_interval = not_negative<seconds>(integer(given, "keepalives_interval", 0));
  const std::int32_t count = integer(given, "keepalives_count", 0);
  info.keepalives_count = count > 0 ? count : 0;
  info.tcp_user_timeout = not_negative<milliseconds>(integer(given, "tcp_user_timeout", 0));
}

void read_protocol(conninfo& info, const settings& given) {
  info.min_protocol_version = choose(given, "min_protocol_version", protocols, protocol_version::v3_0);
  // A caller that insists on more than 3.0 cannot want a maximum of 3.0.
  info.max_protocol_version = choose(given, "max_protocol_version", protocols, info.min_protocol_version);
  if (info.min_protocol_version > info.max_protocol_version)
    refuse_value(*given.find("min_protocol_version"), "is above max_protocol_version");
}

/// The file in the folder .postgresql of the home folder, if it exists.
std::string default_file(const conninfo_environment& environment, const char* name) {
  if (environment.home.empty()) return {};
  const std::filesystem::path path = std::filesystem::path{environment.home} / ".postgresql" / name;
  std::error_code ignored;
  return std::filesystem::exists(path, ignored) ? path.string() : std::string{};
}

void read_tls_files(conninfo& info, const settings& given, const conninfo_environment& environment) {
  const auto file = [&](std::string_view key, const char* otherwise) {
    const std::string& named = given.value(key);
    return named.empty() ? default_file(environment, otherwise) : named;
  };
  info.sslrootcert = file("sslrootcert", "root.crt");
  info.sslcrldir = given.value("sslcrldir");
  info.sslcrl = info.sslcrldir.empty() ? file("sslcrl", "root.crl") : given.value("sslcrl");
  info.sslpassword = secret{given.value("sslpassword")};

  info.sslcertmode = choose(given, "sslcertmode", certificate_modes, certificate_mode::allow);
  if (info.sslcertmode == certificate_mode::disable) return;
  info.sslcert = file("sslcert", "postgresql.crt");
  if (!info.sslcert.empty() || !given.value("sslkey").empty()) info.sslkey = file("sslkey", "postgresql.key");
}

void read_tls(conninfo& info, const settings& given, const conninfo_environment& environment) {
  if (given.value("sslmode") != "disable") read_tls_files(info, given, environment);
  const bool system_roots = info.sslrootcert == "system";
  info.sslmode = choose(given, "sslmode", tls_modes, system_roots ? tls_mode::verify_full : tls_mode::prefer);
  info.sslnegotiation = choose(given, "sslnegotiation", negotiations, tls_negotiation::postgres);
  info.sslsni = flag(given, "sslsni", true);
  if (system_roots && info.sslmode != tls_mode::verify_full)
    refuse_value(*given.find("sslmode"), "must be verify-full together with sslrootcert=system");
  if (info.sslnegotiation == tls_negotiation::direct && info.sslmode < tls_mode::require)
    refuse_value(*given.find("sslnegotiation"), "cannot be direct unless sslmode is require, verify-ca or verify-full");

  info.ssl_min_protocol_version = version(given, "ssl_min_protocol_version", tls_version::v1_2);
  info.ssl_max_protocol_version = version(given, "ssl_max_protocol_version", tls_version::any);
  if (info.ssl_max_protocol_version != tls_version::any &&
      info.ssl_min_protocol_version > info.ssl_max_protocol_version)
    refuse_value(*given.find("ssl_max_protocol_version"),
                 "is below ssl_min_protocol_version, which is TLSv1.2 unless given");
}

secret scram_key(const settings& given, std::string_view name) {
  constexpr std::size_t size = 32;
  const std::string& text = given.value(name);
  if (text.empty()) return {};
  std::optional<std::vector<std::byte>> bytes = proto::decode_base64(text);
  if (!bytes || bytes->size() != size) refuse_value(*given.find(name), "must be 32 bytes in base64");
  secret key{std::string_view{reinterpret_cast<const char*>(bytes->data()), size}};
  OPENSSL_cleanse(bytes->data(), bytes->size());
  return key;
}

void read_authentication(conninfo& info, const settings& given) {
  info.scram_client_key = scram_key(given, "scram_client_key");
  info.scram_server_key = scram_key(given, "scram_server_key");
  if (info.scram_client_key.empty() != info.scram_server_key.empty())
    refuse_value(*given.find(info.scram_client_key.empty() ? "scram_server_key" : "scram_client_key"),
                 "needs the other SCRAM key as well");
  info.require_auth = allowed_methods(given);
  info.requirepeer = given.value("requirepeer");
  const std::int32_t rounds = integer(given, "scram_min_iterations", 4'096);
  if (rounds < 1 || rounds > 100'000) refuse_value(*given.find("scram_min_iterations"), "must be from 1 to 100000");
  info.scram_min_iterations = static_cast<std::uint32_t>(rounds);
  info.channel_binding = choose(given, "channel_binding", bindings, channel_binding_mode::prefer);
  if (info.channel_binding != channel_binding_mode::require) return;
  if (info.sslmode == tls_mode::disable)
    refuse_value(*given.find("channel_binding"), "cannot be require with sslmode=disable");
  if (!info.require_auth.scram_sha_256)
    refuse_value(*given.find("channel_binding"), "cannot be require when require_auth excludes scram-sha-256");
}

void read_gss(conninfo& info, const settings& given) {
  info.gssencmode = choose(given, "gssencmode", gss_modes, gss_mode::prefer);
  if (!given.value("krbsrvname").empty()) info.krbsrvname = given.value("krbsrvname");
  info.gssdelegation = given.value("gssdelegation").starts_with('1');  // as in libpq, anything else is no
  if (info.gssencmode != gss_mode::require) return;
  const setting& required = *given.find("gssencmode");
  if (!has_gssapi())
    refuse_value(required,
                 "cannot be require: GSSAPI is not supported by this build. Build it with -Dgssapi=enabled, or encrypt "
                 "by TLS (sslmode)");
  if (info.channel_binding == channel_binding_mode::require)
    refuse_value(required, "cannot be require together with channel_binding=require, which is for TLS");
  if (info.sslcertmode == certificate_mode::require)
    refuse_value(required, "cannot be require together with sslcertmode=require, which is for TLS");
}

bool is_letter_or_digit(char c) noexcept {
  return (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'z');
}

/// Checks the parameters that have no field because only one value is possible here.
void check_fixed(const settings& given) {
  for (const auto& [name, value] : given)
    if (const known_key& key = *find_key(name); !key.refusal.empty() && !value.value.empty())
      refuse_value(value, "is not accepted: " + std::string{key.refusal});

  if (const setting* const encoding = given.find("client_encoding"); encoding != nullptr && !encoding->value.empty()) {
    std::string name;  // as the server parses it
    std::ranges::copy_if(encoding->value, std::back_inserter(name), is_letter_or_digit);
    constexpr std::array utf8{"utf8", "unicode", "auto"};
    if (std::ranges::none_of(utf8, [&](const char* known) { return equal_ignoring_case(name, known); }))
      refuse_value(*encoding, "must be UTF8: rows are JSON, and the server converts them");
  }
  if (const setting* const replication = given.find("replication");
      replication != nullptr && !replication->value.empty()) {
    constexpr std::array off{"false", "off", "no", "0"};
    if (std::ranges::none_of(off, [&](const char* no) { return equal_ignoring_case(replication->value, no); }))
      refuse_value(*replication, "must be off: replication is not supported");
  }
}

}  // namespace

conninfo conninfo::parse(std::string_view text) { return parse(text, conninfo_environment::process()); }

conninfo conninfo::parse(std::string_view text, const conninfo_environment& environment) {
  return completed(parse_text(text), environment);
}

conninfo wire::completed(settings given, const conninfo_environment& environment) {
  add_service(given, environment);
  add_environment(given, environment);
  check_fixed(given);

  conninfo info;
  info.hosts = servers(given, environment);
  read_session(info, given, environment);
  read_waiting(info, given);
  read_protocol(info, given);
  read_tls(info, given, environment);
  read_authentication(info, given);
  read_gss(info, given);

  info.passfile = given.value("passfile");
  if (info.passfile.empty() && !environment.home.empty())
    info.passfile = (std::filesystem::path{environment.home} / ".pgpass").string();
  if (info.password.empty() && !info.passfile.empty())
    if (std::string problem = password_file_problem(info.passfile); !problem.empty())
      info.warnings.push_back(std::move(problem));
  return info;
}

std::string conninfo::to_string() const {
  std::string shown = user + "@";
  for (const host& each : hosts) {
    if (&each != hosts.data()) shown += ',';
    shown += each.to_string();
  }
  return shown + "/" + database;
}

}  // namespace sluice
