// What a statement may change, as far as its text shows.
#include <gtest/gtest.h>

#include <sluice/stream/query.hpp>

#include "query/sql_effect.hpp"

namespace sql_effect_test {
namespace {

using enum sluice::query::effect;
using sluice::query;
using sluice::sql;

TEST(Effect, OfARelationIsNone) {
  EXPECT_EQ(sluice::from("t").build().effects(), none);
  EXPECT_EQ(sluice::from("t").build().as_columns().effects(), none);
}

TEST(Effect, OfAReadIsThatOfItsFunctions) {
  for (const char* text : {"select 1", "SELECT f()", "  \t\r\n(select 1)", "values (1)", "table t", "show all",
                           "with x as (select 1) select * from x", "-- note\rselect 1", "-- one\nselect 1",
                           "/* a /* b */ c */ select 1", "((values (1)))", "select last_update, inserted from t"})
    EXPECT_EQ(sql(text).effects(), by_functions) << text;
}

TEST(Effect, OfAllElseMayBeAny) {
  for (const char* text : {"insert into t values (1)",
                           "INSERT INTO t VALUES (1)",
                           "update t set a = 1",
                           "delete from t",
                           "merge into t",
                           "call p()",
                           "do $$ begin end $$",
                           "create table t ()",
                           "truncate t",
                           "copy t to stdout",
                           "explain analyze x",
                           "with x as (insert into t values (1) returning a) select a from x",
                           "with x as (\nDELETE\nfrom t returning a) select a from x",
                           "select 1 into t",
                           "select 'insert'",
                           "-- insert\nselect 1",
                           "",
                           "selects",
                           "/* never closed select 1",
                           "-- select 1",
                           "$1 select",
                           "selec",
                           "\"select\""})
    EXPECT_EQ(sql(text).effects(), any) << text;
}

TEST(Enclosing, IsASubqueryForWhatReadsAndACteForWhatWrites) {
  using sluice::detail::enclosing;
  const auto way = sluice::detail::how_to_enclose;
  for (const char* text : {"select 1", "(select 1)", "TABLE t", "values (1)", "with x as (select 1) select * from x",
                           "select 'insert'", "select a from t for update", "-- insert\nselect 1"})
    EXPECT_EQ(way(text), enclosing::as_subquery) << text;
  for (const char* text : {"insert into t values (1) returning a", "UPDATE t set a = 1 returning a",
                           "/* select */ delete from t returning a", "merge into t using s on true"})
    EXPECT_EQ(way(text), enclosing::as_cte) << text;
  for (const char* text : {"with x as (insert into t values (1) returning a) select a from x", "show all",
                           "explain select 1", "call p()", "execute s", "fetch all from c", "", "selects"})
    EXPECT_EQ(way(text), enclosing::none) << text;
}

}  // namespace
}  // namespace sql_effect_test
