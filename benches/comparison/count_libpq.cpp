// libpq: --mode rows (default): one row per result or, with --chunked N, up to N rows per result (libpq 17 or later);
// --mode copy: COPY of the query in the text format. --libpq PATH loads the library at run time, so that one binary
// measures the distribution's version and a newer one.
#include <dlfcn.h>
#include <libpq-fe.h>

#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "counting.hpp"

namespace {

using sluice::bench::counting_options;
using sluice::bench::tally;

void* open(const std::string& path) {
  void* const opened = ::dlopen(path.c_str(), RTLD_NOW);
  if (opened == nullptr) throw std::runtime_error{::dlerror()};
  return opened;
}

class libpq {
  void* handle_;  // stays loaded until the process ends

 public:
  explicit libpq(const std::string& path) : handle_{open(path)} {}
  template <class Function>
  Function* find(const char* name) const {
    auto* const found = reinterpret_cast<Function*>(::dlsym(handle_, name));
    if (found == nullptr) throw std::runtime_error{std::string{"this libpq has no "} + name};
    return found;
  }

#define SLUICE_OF_LIBPQ(function) decltype(&PQ##function) function = find<decltype(PQ##function)>("PQ" #function)
  SLUICE_OF_LIBPQ(connectdb);
  SLUICE_OF_LIBPQ(status);
  SLUICE_OF_LIBPQ(errorMessage);
  SLUICE_OF_LIBPQ(finish);
  SLUICE_OF_LIBPQ(libVersion);
  SLUICE_OF_LIBPQ(sendQueryParams);
  SLUICE_OF_LIBPQ(setSingleRowMode);
  SLUICE_OF_LIBPQ(exec);
  SLUICE_OF_LIBPQ(getCopyData);
  SLUICE_OF_LIBPQ(freemem);
  SLUICE_OF_LIBPQ(getResult);
  SLUICE_OF_LIBPQ(resultStatus);
  SLUICE_OF_LIBPQ(ntuples);
  SLUICE_OF_LIBPQ(getlength);
  SLUICE_OF_LIBPQ(getvalue);
  SLUICE_OF_LIBPQ(clear);
#undef SLUICE_OF_LIBPQ
};

constexpr int tuples_chunk{12};  // PGRES_TUPLES_CHUNK, which older headers do not have

void count_rows(const libpq& pq, PGconn* from, const counting_options& options, tally& counted) {
  if (pq.sendQueryParams(from, options.query().c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0) == 0)
    throw std::runtime_error{pq.errorMessage(from)};
  if (options.chunk_rows > 0) {
    if (pq.find<int(PGconn*, int)>("PQsetChunkedRowsMode")(from, options.chunk_rows) == 0)
      throw std::runtime_error{"chunked rows mode is refused"};
  } else if (pq.setSingleRowMode(from) == 0) {
    throw std::runtime_error{"single-row mode is refused"};
  }

  const char* volatile seen = nullptr;  // volatile, so that every row is accessed as in a client that shows its rows
  while (PGresult* const result = pq.getResult(from)) {
    const int kind = pq.resultStatus(result);
    if (kind != PGRES_SINGLE_TUPLE && kind != tuples_chunk && kind != PGRES_TUPLES_OK)
      throw std::runtime_error{pq.errorMessage(from)};
    for (int row = 0, rows = pq.ntuples(result); row < rows; ++row) {
      seen = pq.getvalue(result, row, 0);
      counted.row(static_cast<std::size_t>(pq.getlength(result, row, 0)));
    }
    pq.clear(result);
  }
  static_cast<void>(seen);
}

/// Removes the escapes of COPY's text format in place. @return the size without them
std::size_t unescape(char* text, std::size_t size) {
  const char* const end = text + size;
  const char* from = static_cast<const char*>(std::memchr(text, '\\', size));
  if (from == nullptr) return size;
  char* to = text + (from - text);
  while (from != end) {
    if (*from != '\\') {
      *to++ = *from++;
      continue;
    }
    if (++from == end) throw std::runtime_error{"an escape without its character"};
    const std::size_t known = std::string_view{"bfnrtv"}.find(*from);
    *to++ = known == std::string_view::npos ? *from : "\b\f\n\r\t\v"[known];
    ++from;
  }
  return static_cast<std::size_t>(to - text);
}

void count_copied(const libpq& pq, PGconn* from, const counting_options& options, tally& counted) {
  PGresult* const begun = pq.exec(from, ("copy (" + options.query() + ") to stdout").c_str());
  if (pq.resultStatus(begun) != PGRES_COPY_OUT) throw std::runtime_error{pq.errorMessage(from)};
  pq.clear(begun);

  char* line = nullptr;
  int size = 0;
  while ((size = pq.getCopyData(from, &line, 0)) > 0) {
    counted.row(unescape(line, static_cast<std::size_t>(size) - 1));  // no document is null
    pq.freemem(line);
  }
  PGresult* const ended = pq.getResult(from);
  if (size != -1 || pq.resultStatus(ended) != PGRES_COMMAND_OK) throw std::runtime_error{pq.errorMessage(from)};
  pq.clear(ended);
}

void count(const counting_options& options) {
  const libpq pq{options.libpq};
  const std::unique_ptr<PGconn, decltype(pq.finish)> connection{pq.connectdb(options.dsn.c_str()), pq.finish};
  if (pq.status(connection.get()) != CONNECTION_OK) throw std::runtime_error{pq.errorMessage(connection.get())};
  const bool copies = options.mode == "copy";
  const std::string way = copies                   ? "COPY"
                          : options.chunk_rows > 0 ? "chunks of " + std::to_string(options.chunk_rows)
                                                   : "single row";
  tally counted;
  (copies ? count_copied : count_rows)(pq, connection.get(), options, counted);
  counted.print("libpq " + std::to_string(pq.libVersion() / 10'000) + ", " + way);
}

}  // namespace

int main(int argc, char** argv) { return sluice::bench::counting_main(argc, argv, count); }
