// Orders of the demo schema as C++ values: the server sends only the requested fields, and only of matching orders.
//
//     typed [CONNINFO]
#include <cstdint>
#include <cstdio>
#include <string>

#include <sluice/sluice.hpp>
#include <sluice/stream/typed.hpp>

namespace shop {

enum class stage { open, paid, shipped, returned };
SLUICE_JSON_ENUM(stage, open, paid, shipped, returned)

struct customer {
  std::string name;
};
SLUICE_JSON(customer, name)

struct order {
  std::int64_t id{};
  stage state{};
  double total{};
  shop::customer customer;
};
SLUICE_JSON(order, id, state, total, customer)

}  // namespace shop

int main(int argc, char** argv) try {
  using sluice::field;
  sluice::client db{argc > 1 ? argv[1] : ""};
  const sluice::query open_orders = sluice::from("v_order")
                                        .where(field("state") == "open" && field("total") >= 100)
                                        .select("id", "state", "total", "customer.name")
                                        .order_by(field("id").as_numeric());
  int count = 0;
  double sum = 0;
  std::string first;
  for (const shop::order& each : db.stream<shop::order>(open_orders)) {
    if (count++ == 0) first = each.customer.name;
    if (each.state == shop::stage::open) sum += each.total;
  }
  std::printf("%d open orders, %.2f in all, the first by %s\n", count, sum, first.c_str());
} catch (const sluice::error& e) {
  std::fprintf(stderr, "typed: %s\n", e.what());
  return 1;
}
