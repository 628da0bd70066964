#pragma once
// Where to connect, as -d, -h, -p and -U say.
#include <string>

#include <sluice/wire/conninfo.hpp>

namespace sluice::tool {

// Empty: not given.
struct destination {
  std::string dsn{};  // a URI, key=value pairs, or the name of a database
  std::string host{};
  std::string port{};
  std::string user{};
};

// Throws usage_error for -h, -p or -U beside a URI.
void check(const destination& given);

// What was given goes before the service file, the environment and libpq's defaults, as it does in libpq.
// Throws usage_error for a host, port or user that is given twice, and error (bad_conninfo).
conninfo to_conninfo(const destination& given,
                     const conninfo_environment& environment = conninfo_environment::process());

}  // namespace sluice::tool
