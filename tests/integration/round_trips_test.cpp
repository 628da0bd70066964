// The number of round trips until the first row arrives.
#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "cluster.hpp"
#include "faces.hpp"
#include "relay.hpp"

namespace round_trips_test {
namespace {

using namespace sluice::test;
using sluice::sql;

struct way_in {
  const char* name;
  const char* user;
  const char* options;
  int flights;
  int least_version;
};
std::ostream& operator<<(std::ostream& out, const way_in& one) { return out << one.name; }
class RoundTrips : public testing::TestWithParam<way_in> {};

TEST_P(RoundTrips, ToTheFirstRow) {
  const way_in& one = GetParam();
  if (std::stoi(psql("show server_version_num")) < one.least_version) GTEST_SKIP() << "the server is too old";
  relay between{static_cast<std::uint16_t>(std::stoi(cluster_value("SLUICE_TEST_PORT")))};
  std::string conninfo = as_user(one.user) + one.options + " port=" + std::to_string(between.port());
  int flights = 0;
  {
    sluice::client db{conninfo};
    sluice::row_range rows = db.stream(sql("select to_json(1)").as_document());
    EXPECT_TRUE(rows.next());
    flights = between.flights();
  }
  std::string said;
  for (const std::string& each : between.conversation()) said += ' ' + std::to_string(each.size());
  EXPECT_EQ(flights, one.flights) << "bytes of the server's answers:" << said;
}

// Start-up and the query take one each; SCRAM adds two, the request for TLS one, the TLS 1.3 handshake one.
INSTANTIATE_TEST_SUITE_P(
    Ways, RoundTrips,
    testing::Values(way_in{"Trust", "trust_user", " sslmode=disable", 2, 0},
                    way_in{"Scram", "scram_user", " sslmode=disable", 4, 0},
                    way_in{"TlsAndScram", "scram_user", " sslmode=require channel_binding=require", 6, 0},
                    way_in{"DirectTlsAndScram", "scram_user",
                           " sslmode=require sslnegotiation=direct channel_binding=require", 5, 170000}),
    [](const auto& one) { return std::string{one.param.name}; });

/// One connection shares its snapshot with nobody, so that parallel reading costs what a stream does.
TEST(RoundTripsInParallel, OfOneConnectionAreThoseOfAStream) {
  psql("create table round_trips as select to_json(n) as doc, to_json(n) as data from generate_series(1, 1000) n");
  psql("grant select on round_trips to trust_user");
  for (const sluice::relation& what : {sluice::from("round_trips").column("doc"), sluice::from("round_trips")}) {
    relay between{static_cast<std::uint16_t>(std::stoi(cluster_value("SLUICE_TEST_PORT")))};
    const std::string where = as_user("trust_user") + " sslmode=disable port=" + std::to_string(between.port());
    sluice::parallel_range rows{where, what, {.connections = 1}};
    EXPECT_TRUE(rows.next());
    EXPECT_EQ(between.flights(), 2) << "start-up, and the query";
    while (rows.next()) {  // the relay has no connection for a cancel request
    }
  }
}

TEST(RoundTripsInParallel, OfOneConnectionFindARelationWithoutDocuments) {
  psql("create table round_trips_of_columns as select n, 'x' as text from generate_series(1, 3) n");
  sluice::parallel_range rows{dsn(), sluice::from("round_trips_of_columns"), {.connections = 1}};
  std::string all;
  while (const sluice::chunk some = rows.next())
    for (const sluice::row each : some) all += each.text();
  EXPECT_EQ(all, R"({"n":1,"text":"x"}{"n":2,"text":"x"}{"n":3,"text":"x"})");
}

}  // namespace
}  // namespace round_trips_test
