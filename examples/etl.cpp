// Reads orders as C++ values, adds them up by customer, and stores the sums by COPY: all of them, or none.
//
//     etl [CONNINFO]
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>

#include <sluice/sluice.hpp>
#include <sluice/stream/copy.hpp>
#include <sluice/stream/typed.hpp>

namespace shop {

struct customer {
  std::int64_t id{};
};
SLUICE_JSON(customer, id)

struct order {
  double total{};
  shop::customer customer;
};
SLUICE_JSON(order, total, customer)

}  // namespace shop

int main(int argc, char** argv) try {
  const std::string conninfo = argc > 1 ? argv[1] : "";
  sluice::client source{conninfo};
  sluice::client target{conninfo};

  std::map<std::int64_t, double> sums;
  for (const shop::order& each : source.stream<shop::order>(sluice::from("v_order").select("total", "customer.id")))
    sums[each.customer.id] += each.total;

  sluice::blocking_transaction tx = target.begin();
  tx.execute("create table if not exists spent (customer bigint primary key, total numeric(12, 2)); truncate spent");
  sluice::blocking_copy_writer to = tx.copy_into("spent", "customer", "total");
  for (const auto& [customer, total] : sums) to.write(customer, total);
  const std::uint64_t rows = to.finish();
  tx.commit();
  std::printf("%llu customers\n", static_cast<unsigned long long>(rows));
} catch (const sluice::error& e) {
  std::fprintf(stderr, "etl: %s\n", e.what());
  return 1;
}
