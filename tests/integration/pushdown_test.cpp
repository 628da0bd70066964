// Pushed-down conditions and projections keep data off the network: bytes are counted between client and server.
#include <gtest/gtest.h>

#include <string>

#include "cluster.hpp"
#include "faces.hpp"
#include "relay.hpp"
#include "shell.hpp"

namespace pushdown_test {
namespace {

using namespace sluice::test;
using sluice::field;
using sluice::from;

class Pushdown : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const finished loaded = shell("psql -Xq -v ON_ERROR_STOP=1 -f " SLUICE_SOURCE "/sql/demo.sql");
    ASSERT_EQ(loaded.status, 0) << loaded.err;
  }

  struct moved {
    std::uint64_t rows;
    std::uint64_t bytes;  // from the server, including message headers
  };
  static moved bytes_of(const sluice::query& what) {
    relay between{static_cast<std::uint16_t>(std::stoi(cluster_value("SLUICE_TEST_PORT")))};
    sluice::client db{tcp_dsn() + " sslmode=disable port=" + std::to_string(between.port())};
    const std::uint64_t before = between.from_server();
    moved seen{};
    for (const sluice::row row : db.stream(what)) seen.rows += row.is_null() ? 0U : 1U;
    seen.bytes = between.from_server() - before;
    return seen;
  }
};

TEST_F(Pushdown, OfOnePercentMovesOnePercentOfTheBytes) {
  const moved all = bytes_of(from("v_user"));
  const moved few = bytes_of(from("v_user").where(field("id") > 500 && field("id") <= 510));
  ASSERT_EQ(all.rows, 1000U);
  ASSERT_EQ(few.rows, 10U);
  const double share = static_cast<double>(few.bytes) / static_cast<double>(all.bytes);
  EXPECT_GT(share, 0.008) << few.bytes << " of " << all.bytes;
  EXPECT_LT(share, 0.012) << few.bytes << " of " << all.bytes;
}

TEST_F(Pushdown, OfAProjectionMovesOnlyItsFields) {
  const moved all = bytes_of(from("v_user"));
  const moved two = bytes_of(from("v_user").select("id", "profile.city"));
  ASSERT_EQ(two.rows, all.rows);
  const std::uint64_t documents =
      std::stoull(psql("select sum(length(jsonb_build_object('id', data->'id', 'profile', jsonb_build_object('city', "
                       "data#>'{profile,city}'))::text)) from v_user"));
  const std::uint64_t headers = two.rows * 11 + 200;  // and the messages that are sent once
  EXPECT_LT(two.bytes, documents + headers);
  EXPECT_LT(two.bytes * 3, all.bytes);
}

TEST_F(Pushdown, DoesNotHoldForAConditionOfTheClient) {
  const moved all = bytes_of(from("v_user"));
  const moved local = bytes_of(from("v_user").where((field("id") <= 10).on_client()));
  EXPECT_EQ(local.rows, 10U);
  EXPECT_NEAR(static_cast<double>(local.bytes), static_cast<double>(all.bytes), 200);
}

}  // namespace
}  // namespace pushdown_test
