// The examples do what their first lines say, on the demo schema.
#include <gtest/gtest.h>

#include <string>

#include "cluster.hpp"
#include "shell.hpp"

namespace {

using namespace sluice::test;

class Examples : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const finished loaded = shell("psql -Xq -v ON_ERROR_STOP=1 -f " SLUICE_SOURCE "/sql/demo.sql");
    ASSERT_EQ(loaded.status, 0) << loaded.err;
  }
};

TEST_F(Examples, LoopAddsUpWhatPsqlAddsUp) {
  const finished end = shell(SLUICE_EXAMPLES "/example-loop");
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_EQ(end.out, psql("select count(*) || ' active users, ' || sum((data->'profile'->>'age')::int) || ' years' "
                          "from v_user where data->>'status' = 'active'") +
                         "\n");
}

TEST_F(Examples, CoroutineStreamsTwoRelationsAtOnce) {
  const finished end = shell(SLUICE_EXAMPLES "/example-coroutine | sort");
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_EQ(end.out.substr(0, end.out.find(',')), "v_order: " + psql("select count(*) from v_order") + " rows");
  EXPECT_NE(end.out.find("v_user: 10 rows"), std::string::npos) << end.out;
}

TEST_F(Examples, TypedAddsUpWhatTheServerWasAskedFor) {
  const finished end = shell(SLUICE_EXAMPLES "/example-typed");
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_EQ(
      end.out,
      psql("select count(*) || ' open orders, ' || sum((data->>'total')::numeric(12,2)) || ' in all, the first by ' || "
           "(array_agg(data->'customer'->>'name' order by (data->>'id')::int))[1] "
           "from v_order where data->>'state' = 'open' and (data->>'total')::numeric >= 100") +
          "\n");
}

TEST_F(Examples, TellWhatFailed) {
  const finished end = shell(SLUICE_EXAMPLES "/example-loop host=/nonexistent");
  EXPECT_EQ(end.status, 1);
  EXPECT_EQ(end.err.substr(0, 6), "loop: ");
}

}  // namespace
