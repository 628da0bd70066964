// libpq: one row per result (default), or with --chunked N, up to N rows per result (libpq 17 or later). --libpq PATH
// loads the library at run time, so that one binary measures the distribution's version and a newer one.
#include <dlfcn.h>
#include <libpq-fe.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "counting.hpp"

namespace {

class library {
 public:
  explicit library(const std::string& path) : handle_{::dlopen(path.c_str(), RTLD_NOW)} {
    if (handle_ == nullptr) throw std::runtime_error{::dlerror()};
  }
  template <class Function>
  Function* find(const char* name, Function* /*of this type*/) const {
    auto* const found = reinterpret_cast<Function*>(::dlsym(handle_, name));
    if (found == nullptr) throw std::runtime_error{std::string{"this libpq has no "} + name};
    return found;
  }

 private:
  void* handle_;  // stays loaded until the process ends
};

constexpr int tuples_chunk{12};  // PGRES_TUPLES_CHUNK, which older headers do not have

void count(const sluice::bench::counting_options& options) {
  const library libpq{options.libpq};
#define SLUICE_FROM_LIBPQ(function) auto* const function = libpq.find("PQ" #function, &PQ##function)
  SLUICE_FROM_LIBPQ(connectdb);
  SLUICE_FROM_LIBPQ(status);
  SLUICE_FROM_LIBPQ(errorMessage);
  SLUICE_FROM_LIBPQ(finish);
  SLUICE_FROM_LIBPQ(libVersion);
  SLUICE_FROM_LIBPQ(sendQueryParams);
  SLUICE_FROM_LIBPQ(setSingleRowMode);
  SLUICE_FROM_LIBPQ(getResult);
  SLUICE_FROM_LIBPQ(resultStatus);
  SLUICE_FROM_LIBPQ(ntuples);
  SLUICE_FROM_LIBPQ(getlength);
  SLUICE_FROM_LIBPQ(getvalue);
  SLUICE_FROM_LIBPQ(clear);
#undef SLUICE_FROM_LIBPQ

  const std::unique_ptr<PGconn, decltype(finish)> connection{connectdb(options.dsn.c_str()), finish};
  if (status(connection.get()) != CONNECTION_OK) throw std::runtime_error{errorMessage(connection.get())};
  std::string name = "libpq " + std::to_string(libVersion() / 10'000);

  sluice::bench::tally counted;
  if (sendQueryParams(connection.get(), options.query().c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0) == 0)
    throw std::runtime_error{errorMessage(connection.get())};
  if (options.chunk_rows > 0) {
    using set_chunked_rows_mode = int(PGconn*, int);
    auto* const set = libpq.find("PQsetChunkedRowsMode", static_cast<set_chunked_rows_mode*>(nullptr));
    if (set(connection.get(), options.chunk_rows) == 0) throw std::runtime_error{"chunked rows mode is refused"};
    name += ", chunks of " + std::to_string(options.chunk_rows);
  } else {
    if (setSingleRowMode(connection.get()) == 0) throw std::runtime_error{"single-row mode is refused"};
    name += ", single row";
  }

  const char* volatile seen = nullptr;  // volatile, so that every row is accessed as in a client that shows its rows
  while (PGresult* const result = getResult(connection.get())) {
    const int kind = resultStatus(result);
    if (kind != PGRES_SINGLE_TUPLE && kind != tuples_chunk && kind != PGRES_TUPLES_OK)
      throw std::runtime_error{errorMessage(connection.get())};
    for (int row = 0, rows = ntuples(result); row < rows; ++row) {
      seen = getvalue(result, row, 0);
      counted.row(static_cast<std::size_t>(getlength(result, row, 0)));
    }
    clear(result);
  }
  static_cast<void>(seen);
  counted.print(name);
}

}  // namespace

int main(int argc, char** argv) { return sluice::bench::counting_main(argc, argv, count); }
