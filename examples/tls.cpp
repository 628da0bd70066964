// Connects only to a server whose certificate matches its host name, and prints how the connection is secured.
//
//     tls HOST PORT ROOT_CERTIFICATE [MORE CONNINFO]
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>

#include <sluice/sluice.hpp>

int main(int argc, char** argv) try {
  if (argc < 4) throw std::runtime_error{"usage: tls HOST PORT ROOT_CERTIFICATE [MORE CONNINFO]"};
  sluice::conninfo where = sluice::conninfo::parse(argc > 4 ? argv[4] : "");
  where.hosts = {{.name = argv[1], .address = {}, .port = static_cast<std::uint16_t>(std::stoi(argv[2]))}};
  where.sslmode = sluice::tls_mode::verify_full;  // signed by a trusted root, for this host name
  where.sslrootcert = argv[3];
  where.channel_binding = sluice::channel_binding_mode::require;  // the login is bound to this TLS connection

  sluice::client db{where};
  std::printf("%s, server %s\n", std::string{db.tls_version()}.c_str(),
              std::string{db.parameter("server_version")}.c_str());
} catch (const sluice::error& e) {
  const bool is_tls = e.kind() == sluice::condition::tls;
  std::fprintf(stderr, "tls: %s: %s\n", is_tls ? "not secure" : "no connection", e.what());
  return 1;
} catch (const std::exception& e) {
  std::fprintf(stderr, "tls: %s\n", e.what());
  return 2;
}
