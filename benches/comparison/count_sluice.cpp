// sluice as a library: the plain loop of a program that looks at each row's text.
#include <sluice/stream/client.hpp>

#include "counting.hpp"

namespace {

void count(const sluice::bench::counting_options& options) {
  sluice::client db{options.dsn};
  sluice::bench::tally counted;
  for (const sluice::row row : db.stream(sluice::from(options.relation))) counted.row(row.text().size());
  counted.print("sluice");
}

}  // namespace

int main(int argc, char** argv) { return sluice::bench::counting_main(argc, argv, count); }
