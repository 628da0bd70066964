#pragma once
// The real server of the integration benchmarks, and a libpq client for comparison.
#include <libpq-fe.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>

namespace sluice::bench {

/// What ci/with-postgres says about its server.
inline std::string setting(const char* name) {
  const char* const given = std::getenv(name);
  if (given == nullptr) throw std::runtime_error{std::string{name} + " is not set: run this with ci/with-postgres"};
  return given;
}
/// A connection string over the Unix socket.
inline std::string dsn() { return setting("SLUICE_TEST_DSN"); }
/// The same over TCP.
inline std::string tcp_dsn() { return setting("SLUICE_TEST_TCP_DSN") + " sslmode=disable"; }

/// A libpq connection that reads in single-row mode.
class libpq_client {
 public:
  explicit libpq_client(const std::string& conninfo = dsn()) : connection_{PQconnectdb(conninfo.c_str()), &PQfinish} {
    require(PQstatus(connection_.get()) == CONNECTION_OK);
  }

  /// Calls `take` with the text and length of each row's only column.
  template <class Take>
  void stream(const char* sql, const Take& take) {
    require(PQsendQueryParams(connection_.get(), sql, 0, nullptr, nullptr, nullptr, nullptr, 0) == 1 &&
            PQsetSingleRowMode(connection_.get()) == 1);
    while (const result row{PQgetResult(connection_.get()), &PQclear}) {
      if (PQresultStatus(row.get()) == PGRES_SINGLE_TUPLE)
        take(PQgetvalue(row.get(), 0, 0), static_cast<std::size_t>(PQgetlength(row.get(), 0, 0)));
      else
        require(PQresultStatus(row.get()) == PGRES_TUPLES_OK);
    }
  }

  [[nodiscard]] PGconn* get() const noexcept { return connection_.get(); }
  void require(bool good) const {
    if (!good) throw std::runtime_error{PQerrorMessage(connection_.get())};
  }

 private:
  using result = std::unique_ptr<PGresult, decltype(&PQclear)>;
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

}  // namespace sluice::bench
