// Writes what the customers have paid into a file of Arrow batches, which DuckDB, Polars, pandas and R read, and prints
// the columns with their Arrow formats.
//
//     arrow FILE [CONNINFO]
#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>

#include <sluice/arrow/ipc.hpp>
#include <sluice/arrow/reader.hpp>
#include <sluice/sluice.hpp>

int main(int argc, char** argv) try {
  if (argc < 2) throw std::runtime_error{"usage: arrow FILE [CONNINFO]"};
  sluice::client db{argc > 2 ? argv[2] : ""};
  sluice::arrow_reader batches =
      db.arrow(sluice::sql("select user_id, state, placed_at from app.orders where state = $1 order by id", "paid"));

  const sluice::arrow_schema columns = batches.schema();
  for (std::int64_t i = 0; i < columns.schema().n_children; ++i) {
    const ArrowSchema& column = *columns.schema().children[i];
    std::printf("%s: %s\n", column.name, column.format);
  }

  std::ofstream file{argv[1], std::ios::binary};
  file.exceptions(std::ios::failbit | std::ios::badbit);
  std::printf("%llu rows\n", static_cast<unsigned long long>(sluice::write_arrow(batches, file)));
  file.close();
} catch (const std::exception& e) {
  std::fprintf(stderr, "arrow: %s\n", e.what());
  return 1;
}
