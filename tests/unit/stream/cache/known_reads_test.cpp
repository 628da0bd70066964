// Which queries are known to read and to do nothing else.
#include <gtest/gtest.h>

#include <string>

#include <sluice/stream/query.hpp>

#include "cache/known_reads.hpp"

namespace known_reads_test {
namespace {

using sluice::from;
using sluice::sql;
using sluice::detail::calls_only_known_functions;
using sluice::detail::is_known_read;

TEST(KnownReads, AreWhatSurelyDoesNothingElse) {
  for (const char* text : {
           "select data from events where data->>'kind' = $1",
           "SELECT count(*), Max (n) FROM t WHERE n IN (1, 2) AND (a OR b)",
           "table t",
           "values (1), (2)",
           "select coalesce(a, (select 1)) from (t join u on (t.id = u.id))",
           "select jsonb_build_object('a', lower(x)) from t",
           "(select 1) union (select 2)",
       })
    EXPECT_TRUE(is_known_read(sql(text), false)) << text;
  EXPECT_TRUE(is_known_read(from("t"), false));
}

TEST(KnownReads, ExcludeWhateverIsInDoubt) {
  for (const char* text : {
           "select nextval('s')",
           "select NextVal ('s')",
           "select \"nextval\"('s')",
           "select pg_catalog.nextval('s')",
           "select nextval/**/('s')",
           "select nextval--\n('s')",
           "select app.lower(x) from t",
           "select app . lower(x)",
           "select set_config('a', 'b', false)",
           "select pg_advisory_lock(1)",
           "select * from t for share",
           "select * from t for key share",
           "show work_mem",
           "with x(a) as (select 1) select a from x",
           "select pg_notify('a', 'b')",
           "select dblink('a')",
           "select U&\"nextval\"('s')",
           "select U&\"n!0065xtval\" uescape '!' ('s')",
           "select f(x) from t",
           "select gl\xc3\xbc"
           "ck(1)",
       }) {
    EXPECT_FALSE(is_known_read(sql(text), false)) << text;
    EXPECT_TRUE(is_known_read(sql(text), true)) << "the caller vouches for it: " << text;
  }
}

TEST(KnownReads, AreNotWhatTheCallerMerelyCallsOne) {
  for (const char* text : {"insert into t values (1)", "select * from t for update", "call p()", "do $$begin end$$",
                           "select 1 into t", "with x as (delete from t returning 1) select 1", "vacuum", "",
                           "explain analyze select 1", "listen a", "set work_mem = 1", "lock t"})
    EXPECT_FALSE(is_known_read(sql(text), true)) << text;
}

TEST(KnownReads, CallFunctionsOnlyByTheirWholeNames) {
  for (const char* const text : {"select count(*)", "select COUNT\t\n(*)", "select (1)", "select 1 in (1)", "(", "()",
                                 "", "select a+(b)", "select $1::varchar(3)", "select ((1))"})
    EXPECT_TRUE(calls_only_known_functions(text)) << text;
  for (const char* const text :
       {"select xcount(*)", "select count_(*)", "select count$(*)", "select count1(*)", "select $count(*)",
        "select \xc3\xa9"
        "count(*)",
        "select t.count(*)", "select \"count\"(*)", "select \"count\" (*)"})
    EXPECT_FALSE(calls_only_known_functions(text)) << text;
  EXPECT_FALSE(calls_only_known_functions("select " + std::string(64, 'a') + "(1)"));
}

TEST(KnownReads, HaveNoCommentsAndLockNothing) {
  for (const char* const text : {"select 1 -- all", "select 1 /* all */", "select '--'", "select 1 for share", "SHARE",
                                 "show work_mem", "select 'show'"})
    EXPECT_FALSE(calls_only_known_functions(text)) << text;
  for (const char* const text : {"select shares from t", "select - 1", "select 1 / 2", "select show_all from t"})
    EXPECT_TRUE(calls_only_known_functions(text)) << text;
}

}  // namespace
}  // namespace known_reads_test
