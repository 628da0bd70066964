// A user's program, built against an installed sluice: prints three rows.
#include <cstdio>

#include <sluice/sluice.hpp>
#include <sluice/stream/json.hpp>

int main(int argc, char** argv) try {
  sluice::client db{argc > 1 ? argv[1] : ""};
  for (const sluice::row row :
       db.stream(sluice::sql("select n, n * n as square from generate_series(1, $1::int) n", 3))) {
    sluice::json_document document = row.json();
    std::printf("%lld\n", static_cast<long long>(document["square"].get_int64()));
  }
} catch (const sluice::error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
