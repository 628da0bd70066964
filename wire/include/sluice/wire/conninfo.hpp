#pragma once
/// @file
/// Connection strings as libpq documents them. `conninfo::parse` takes a URI or key=value pairs, fills in the values of
/// the service file and the PG* environment variables, then libpq's defaults, and checks the result. Nothing is
/// connected here. Which parameters are supported, ignored or refused, and where this differs from libpq:
/// docs/connecting.md.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sluice/export.hpp>
#include <sluice/wire/password_reply.hpp>
#include <sluice/wire/secret.hpp>

namespace sluice {

class scram_cache;
struct password_request;

/// How much TLS is required of the server. Only `verify_full` proves the server's identity.
enum class tls_mode : std::uint8_t { disable, allow, prefer, require, verify_ca, verify_full };
enum class tls_negotiation : std::uint8_t {
  postgres,  ///< ask with an SSLRequest first
  direct,    ///< start with the handshake, which saves a round trip; Postgres 17 and later
};
enum class tls_version : std::uint8_t { any, v1_0, v1_1, v1_2, v1_3 };
/// Whether the client presents a certificate to the server.
enum class certificate_mode : std::uint8_t {
  disable,
  allow,    ///< if the server asks for one and one is available
  require,  ///< the server must ask for one
};
/// How much GSSAPI encryption is required of the server. Without it, `tls_mode` decides.
enum class gss_mode : std::uint8_t {
  disable,
  prefer,  ///< tried before TLS if there are Kerberos credentials; the same as `disable` in a build without GSSAPI
  require,
};
/// Whether SCRAM is bound to the TLS session, so that nobody in between can relay it.
enum class channel_binding_mode : std::uint8_t { disable, prefer, require };
/// Which kind of server is acceptable when several are given.
enum class session_target : std::uint8_t { any, read_write, read_only, primary, standby, prefer_standby };
enum class host_order : std::uint8_t { as_given, random };
/// The values are those of the start-up message.
enum class protocol_version : std::uint32_t { v3_0 = 0x30000, v3_2 = 0x30002 };

/// The authentication methods that the server may use, from `require_auth`; all of them unless that is given.
struct auth_methods {
  bool none{true};  ///< no authentication request at all: trust, peer, or a client certificate
  bool password{true};
  bool md5{true};
  bool scram_sha_256{true};
  bool oauth{true};  ///< a bearer token, if the program supplies one
  bool gss{true};    ///< GSSAPI (Kerberos), in a build that has it; GSSAPI encryption counts as well
  friend bool operator==(const auth_methods&, const auth_methods&) = default;
};

/// The input of `conninfo::parse` apart from the string.
struct SLUICE_API conninfo_environment {
  /// An environment variable's value, or nothing when it is not set.
  std::function<std::optional<std::string>(std::string_view name)> variable;
  std::string home;       ///< folder of .pgpass, .pg_service.conf and .postgresql/; empty: none
  std::string user_name;  ///< the default of `user`; empty: it must be given
  /// The first existing folder is the default host; if none exists, the last one is. Where anybody may create a socket,
  /// as in /tmp, anybody may impersonate the server: name such a folder as `host`.
  std::vector<std::string> socket_folders{"/var/run/postgresql"};

  /// The environment of this process: its variables, $HOME or else the home folder from the user database, the
  /// effective user.
  [[nodiscard]] static conninfo_environment process();
};

/// Everything needed to connect. Every field has libpq's default unless noted otherwise; an empty string means not
/// given.
/// @see PostgreSQL documentation, section "Database Connection Control Functions"
struct SLUICE_API conninfo {
  /// One server to try.
  struct SLUICE_API host {
    std::string name;     ///< host name, IP address, folder of a Unix socket (`/...`) or abstract socket (`@...`)
    std::string address;  ///< `hostaddr`: connect to this IP address, and use `name` to check the certificate only
    std::uint16_t port{5432};

    [[nodiscard]] bool is_unix_socket() const noexcept;
    /// `/folder/.s.PGSQL.5432`, or the same after `@` for an abstract socket.
    [[nodiscard]] std::string socket_path() const;
    /// For messages: `name:port`, `[::1]:port`, `name:port (address)` or the socket's path.
    [[nodiscard]] std::string to_string() const;
    friend bool operator==(const host&, const host&) = default;
  };

  std::vector<host> hosts;       ///< in the order given; at least one after `parse`
  std::string user;              ///< default: the user's name in the operating system
  std::string database;          ///< default: `user`
  secret password;               ///< see also `password_for`; never appears in a message of this library
  std::string passfile;          ///< the password file; default: .pgpass in the home folder
  std::string application_name;  ///< default: "sluice", from `parse`; libpq has none
  std::string options;           ///< command-line options for the server, such as `-c work_mem=64MB`
  /// Run-time parameters of the start-up message from PGDATESTYLE, PGTZ and PGGEQO: name, value.
  std::vector<std::pair<std::string, std::string>> session_settings;

  /// Time limit for resolving a name, and for each address until the login is complete; 0: none. libpq has no limit by
  /// default.
  std::chrono::milliseconds connect_timeout{30'000};
  bool keepalives{true};
  std::chrono::seconds keepalives_idle{};        ///< silence before the first probe; 0: the system's
  std::chrono::seconds keepalives_interval{};    ///< between probes; 0: the system's
  int keepalives_count{};                        ///< unanswered probes; 0: the system's
  std::chrono::milliseconds tcp_user_timeout{};  ///< unacknowledged data; 0: the system's
  session_target target_session_attrs{session_target::any};
  host_order load_balance_hosts{host_order::as_given};
  protocol_version min_protocol_version{protocol_version::v3_0};
  protocol_version max_protocol_version{protocol_version::v3_0};

  tls_mode sslmode{tls_mode::prefer};
  tls_negotiation sslnegotiation{tls_negotiation::postgres};
  tls_version ssl_min_protocol_version{tls_version::v1_2};
  tls_version ssl_max_protocol_version{tls_version::any};
  /// File of trusted root certificates, or `system`. Default: .postgresql/root.crt in the home folder if it exists;
  /// with it, `require` checks the certificate as `verify_ca` does.
  std::string sslrootcert;
  std::string sslcert;  ///< client certificate; default: .postgresql/postgresql.crt if it exists
  std::string sslkey;   ///< its key; default: .postgresql/postgresql.key if it exists
  secret sslpassword;   ///< of `sslkey`
  certificate_mode sslcertmode{certificate_mode::allow};
  std::string sslcrl;     ///< revoked certificates; default: .postgresql/root.crl if it exists
  std::string sslcrldir;  ///< folder of such files
  bool sslsni{true};      ///< name the host in the handshake

  /// GSSAPI encryption, which replaces TLS. Never on Unix sockets, nor where `channel_binding` or `sslcertmode` is
  /// `require`, which only TLS can fulfil.
  gss_mode gssencmode{gss_mode::prefer};
  std::string krbsrvname{"postgres"};  ///< the service in the server's Kerberos principal, before `/host`
  bool gssdelegation{false};           ///< let the server act in the user's name, with forwardable credentials

  /// Asked for the password of each new connection, in place of `password` and the password file: for tokens of a cloud
  /// that expire, or a vault. Connection strings cannot express this. It is called in the coroutine that connects, or
  /// by the constructor of `client`, once for each server that is tried and before the connection is made. It must not
  /// block for long: it may return first and reply later, within `connect_timeout`. An exception from it ends the
  /// attempt.
  std::function<void(const password_request& what, password_reply reply)> ask_password;
  /// Returns a bearer token when a server asks for one (OAuth); connection strings cannot express this. It is called in
  /// the coroutine that connects, or by the constructor of `client`. Nothing else runs there meanwhile, so it must not
  /// block for long. An exception from it ends the attempt. Tokens are sent wherever a clear-text password would be
  /// (docs/connecting.md).
  /// @see PostgreSQL documentation, section "OAuth Authorization/Authentication"
  std::function<secret()> token;
  /// A cache shared by connections that should hash a SCRAM password once instead of each time
  /// (<sluice/wire/scram_cache.hpp>); null: each connection hashes it.
  std::shared_ptr<scram_cache> scram_keys;
  /// SCRAM's keys in place of a password, 32 bytes each: both, or none. Connection strings have them in base64. Whoever
  /// has the client's can log in, and with the server's can pose as the server.
  /// @see RFC 5802, section 3
  secret scram_client_key;
  secret scram_server_key;
  /// The smallest accepted SCRAM iteration count; libpq has no such parameter.
  std::uint32_t scram_min_iterations{4'096};
  auth_methods require_auth;
  channel_binding_mode channel_binding{channel_binding_mode::prefer};
  std::string requirepeer;  ///< owner of the server's process, checked on Unix sockets

  std::vector<std::string> warnings;  ///< one sentence for each given parameter that was ignored

  /// Parses a string with the environment of this process. Values that the string leaves out come from the service
  /// file, then from the environment, then from libpq's defaults. The empty string is valid.
  /// @par Errors  throws `error` (`errc::bad_conninfo`), which names the parameter and the byte position in the string,
  ///              and quotes neither values nor anything that could be part of a password
  [[nodiscard]] static conninfo parse(std::string_view text);
  /// The same with an environment that the caller supplies. Default files are still looked for in its folders.
  [[nodiscard]] static conninfo parse(std::string_view text, const conninfo_environment& environment);

  /// For messages: `user@host:5432,other:5432/database`, without any secret.
  [[nodiscard]] std::string to_string() const;
};

/// What `conninfo::ask_password` is asked.
/// @par Lifetime  the references are valid until it returns
struct password_request {
  const conninfo::host& server;
  const std::string& user;
  const std::string& database;
  std::chrono::steady_clock::time_point latest;  ///< nobody waits any longer than that
};

/// The password for one host: `password` if there is one, otherwise the current entry of the password file, so that a
/// long-running program notices a changed file.
/// @return nothing when there is none, or when the file may not be used because others can read it
/// @par Errors  throws error: bad_conninfo for a file that is longer than 1 MiB, or cannot be read to its end
/// @see PostgreSQL documentation, section "The Password File"
[[nodiscard]] SLUICE_API std::optional<secret> password_for(const conninfo& info, const conninfo::host& host);

}  // namespace sluice
