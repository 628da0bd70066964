// Streams the active users of the demo schema and adds up their ages: a plain loop over the blocking API.
//
//     loop [CONNINFO]
#include <cstdint>
#include <cstdio>

#include <sluice/sluice.hpp>
#include <sluice/stream/json.hpp>

int main(int argc, char** argv) try {
  sluice::client db{argc > 1 ? argv[1] : ""};

  std::uint64_t users = 0;
  std::int64_t years = 0;
  for (sluice::row row : db.stream(sluice::sql("select data from v_user where data->>'status' = $1", "active"))) {
    sluice::json_document user = row.json();  // parsed in place, in the receive buffer
    years += user["profile"]["age"].get_int64();
    ++users;
  }
  std::printf("%llu active users, %lld years\n", static_cast<unsigned long long>(users), static_cast<long long>(years));
} catch (const sluice::error& e) {
  std::fprintf(stderr, "loop: %s\n", e.what());
  return 1;
}
