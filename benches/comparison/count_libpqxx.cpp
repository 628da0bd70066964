// libpqxx: --mode stream (default: stream of a query from version 7, stream_from of a table before), exec (the whole
// result at once) or cursor (1000 rows per FETCH).
#include <functional>
#include <map>
#include <pqxx/pqxx>
#include <stdexcept>
#include <string>

#include "counting.hpp"
#include "libpqxx_stream.hpp"

namespace {

using sluice::bench::counting_options;
using sluice::bench::tally;

void stream(pqxx::work& in, const counting_options& options, tally& counted) {
  sluice::bench::read_documents_by_libpqxx(in, options.relation, [&](std::string_view document) {
    counted.row(document.size());
    return true;
  });
}

void exec(pqxx::work& in, const counting_options& options, tally& counted) {
  for (const auto& row : in.exec(options.query())) counted.row(row[0].size());
}

void cursor(pqxx::work& in, const counting_options& options, tally& counted) {
  pqxx::icursorstream batches{in, options.query(), "counted", 1000};
  for (pqxx::result batch; batches >> batch;)
    for (const auto& row : batch) counted.row(row[0].size());
}

void count(const counting_options& options) {
  const std::map<std::string, std::function<void(pqxx::work&, const counting_options&, tally&)>> modes{
      {"stream", stream}, {"exec", exec}, {"cursor", cursor}};
  const std::string mode = options.mode.empty() ? "stream" : options.mode;
  const auto found = modes.find(mode);
  if (found == modes.end()) throw std::invalid_argument{"no such mode: " + mode};

  pqxx::connection connection{options.dsn};
  tally counted;
  pqxx::work work{connection};
  found->second(work, options, counted);
  counted.print(std::string{"libpqxx "} + PQXX_VERSION + ", " +
                (mode == "stream" ? std::string{sluice::bench::libpqxx_way} : mode));
}

}  // namespace

int main(int argc, char** argv) { return sluice::bench::counting_main(argc, argv, count); }
