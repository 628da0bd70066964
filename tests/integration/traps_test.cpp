// Functions, operators and types of another role in a schema that is searched first are never used.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <sluice/stream/parallel.hpp>

#include "cluster.hpp"
#include "every_condition.hpp"
#include "faces.hpp"

namespace traps_test {
namespace {

using namespace std::chrono_literals;
using namespace sluice::test;
using sluice::column;
using sluice::field;
using sluice::from;

/// Creates, in the schema `trap`, a twin with the same types for every operator and function of pg_catalog,
/// better-fitting overloads for every operator, and a domain for every type. Using any of them is an error.
void set_traps() {
  psql(R"(
    drop schema if exists trap cascade;
    drop table if exists bait;
    do $$ begin create role mallory; exception when duplicate_object then null; end $$;
    create extension if not exists ltree;
    create table bait (id text, n int, f float8, name varchar, at timestamptz, tags text[], host inet, path ltree,
                       key uuid, j json, b jsonb, data jsonb);
    insert into bait select 'row ' || n, n, n, 'Ada', '2024-05-01 00:00+00', '{x,y}', '127.0.0.1', 'top.art',
        '00000000-0000-0000-0000-00000000000a', '{"a": 1}', '{"a": 1}',
        jsonb_build_object('id', n, 'v', case n % 8
            when 0 then '5' when 1 then '"2024-02-29T10:11:12Z"' when 2 then '"10.1.2.3"' when 3 then '"top.a"'
            when 4 then '["a", "b"]' when 5 then '{"a": 2}' when 6 then 'true'
            else '"123e4567-e89b-12d3-a456-426614174000"' end::jsonb)
      from generate_series(1, 400) n;
    analyze bait;
    create schema trap authorization mallory;
    set role mallory;
    do $$
    declare it record; many int := 0; made text;
    begin
      for it in select typname from pg_type where typnamespace = 'pg_catalog'::regnamespace and typtype = 'b'
                   and typcategory <> 'A' and typname !~ '^_|^pg_' loop
        begin
          execute format('create domain trap.%I as pg_catalog.%I check (pg_catalog.length(pg_catalog.concat(value)) < 0)',
                         it.typname, it.typname);
        exception when others then null;
        end;
      end loop;
      for it in
          with shown as (select unnest('{text,varchar,jsonb,numeric,int8,int4,oid,regclass,text[],jsonb[]}'::text[]) as t)
          select distinct oprname, l, r from (
            select oprname, format_type(oprleft, null) l, format_type(oprright, null) r from pg_operator
              where oprleft <> 0 and oprnamespace = 'pg_catalog'::regnamespace
            union
            select oprname, a.t, b.t from (values ('='), ('<>'), ('<'), ('<='), ('>'), ('>='), ('~'), ('!~'), ('~~'), ('~~*'),
              ('->'), ('->>'), ('#>'), ('#>>'), ('@>'), ('<@'), ('?'), ('?|'), ('?&'), ('@?'), ('@@'), ('&&'), ('<<='),
              ('>>='), ('&'), ('%'), ('/'), ('||')) o(oprname), shown a, shown b) every loop
        begin
          made := format('trap.operator_%s', many);
          many := many + 1;
          execute format('create function %s(%s, %s) returns bool language plpgsql as ''begin raise exception ''''trap %s''''; end''',
                         made, it.l, it.r, replace(it.oprname, '%', '%%'));
          execute format('create operator trap.%s (function = %s, leftarg = %s, rightarg = %s)', it.oprname, made, it.l, it.r);
        exception when others then null;
        end;
      end loop;
      for it in
          select proname, pg_get_function_identity_arguments(oid) args from pg_proc
            where pronamespace = 'pg_catalog'::regnamespace and prokind in ('f', 'a') and provariadic = 0
              and proname !~ '^RI_|_in$|_out$|_recv$|_send$|handler$' and pronargs < 6
          union values ('jsonb_build_object', 'text, jsonb'), ('jsonb_build_object', 'text, jsonb, text, jsonb'),
            ('jsonb_build_array', 'jsonb'), ('pg_typeof', 'anyelement'), ('pg_collation_for', 'anyelement'),
            ('to_jsonb', 'numeric'), ('to_jsonb', 'bool'), ('to_jsonb', 'jsonb'), ('to_jsonb', 'jsonb[]'),
            ('count', 'jsonb'), ('hashtextextended', 'text, int4'), ('min', 'bool'), ('unnest', 'jsonb[]'),
            ('row_to_json', 'record'), ('lca', 'public.ltree[]'), ('nlevel', 'public.ltree'),
            ('set_config', 'text, text, bool'), ('length', 'varchar'), ('cardinality', 'text[]') loop
        begin
          execute format('create function trap.%I(%s) returns int language plpgsql as ''begin raise exception ''''trap %s''''; end''',
                         it.proname, it.args, it.proname);
        exception when others then null;
        end;
      end loop;
    end $$)");
}

class Traps : public testing::TestWithParam<const char*> {
 protected:
  static void SetUpTestSuite() { set_traps(); }
  [[nodiscard]] static std::string where() { return dsn() + " options='-c search_path=" + GetParam() + "'"; }
  static void read(sluice::client& db, const sluice::query& what, const sluice::query_options& how = {}) {
    try {
      for (const sluice::row each : db.stream(what, how)) (void)each;
    } catch (const sluice::error& e) {
      ADD_FAILURE() << e.what() << '\n' << what.text();
    }
  }
};

TEST_P(Traps, AreSetForWhatIsNotQualified) {
  sluice::client db{where()};
  for (const char* naive :
       {"select from bait where n = 1::int8 and data->'v' = '5'", "select from bait where to_jsonb(n::numeric) is null",
        "select from bait where name = name", "select from bait where count(n) > 1 group by n"})
    EXPECT_THROW((void)db.execute(naive), sluice::error) << naive;
}

TEST_P(Traps, AreNotMetByConditions) {
  sluice::client db{where()};
  for (const sluice::predicate& each : every_condition()) {
    read(db, from("bait").where(each || !each));
    if (testing::Test::HasFailure()) return;
  }
}

TEST_P(Traps, AreNotMetByKeysAndProjections) {
  sluice::client db{where()};
  for (const sluice::operand& each : every_key()) read(db, from("bait").order_by(each).after({nullptr}));
  std::vector<sluice::projection> fields;
  for (int i = 0; i < 60; ++i) fields.emplace_back("v.f" + std::to_string(i));
  read(db, from("bait").select(fields).order_by(field("v")).after({"1"}).limit(5).offset(5));
}

TEST_P(Traps, AreNotMetByAnyModeOfReading) {
  sluice::client db{where()};
  const sluice::query some = from("bait").where(field("v") == 5);
  const sluice::query objects = sluice::sql("select id, n from public.bait").as_object();
  for (const sluice::query& what : {some, from("bait").build(), objects, sluice::sql("select id, n from public.bait"),
                                    sluice::sql("select data from public.bait limit $1", 5)}) {
    for (const auto mode : {sluice::fetch_mode::plain, sluice::fetch_mode::bulk, sluice::fetch_mode::paged}) {
      sluice::query_options how;
      how.mode = mode;
      read(db, what, how);
      how.server_timeout = 10s;
      read(db, what, how);
    }
  }
  sluice::query_options bounded;
  bounded.server_timeout = 10s;
  db.execute("begin");
  read(db, some, bounded);
  db.execute("commit");
}

TEST_P(Traps, AreNotMetInParallel) {
  const sluice::relation all = from("bait").where(field("id") > 0);
  for (const auto& how : {sluice::split_by::ctid(), sluice::split_by::key("id"), sluice::split_by::hash("v")}) {
    for (const sluice::relation& what : {all, from("bait").order_by(sluice::sort_key{column("id")}.collate("C")),
                                         from("bait").order_by(field("id").as_numeric())}) {
      try {
        sluice::parallel_options options;
        options.connections = 2;
        options.split = how;
        std::uint64_t rows = 0;
        for (const sluice::row each : sluice::parallel_range{where(), what, options}) rows += each.is_null() ? 0U : 1U;
        EXPECT_EQ(rows, 400U);
      } catch (const sluice::error& e) {
        ADD_FAILURE() << e.what();
      }
    }
  }
  std::string told;
  EXPECT_NO_THROW(told = run(sluice::explain_in_parallel(where(), from("bait").where(column("id") == "row 1"), {})));
  psql("drop view if exists v_bait; create view v_bait as select data from bait");
  EXPECT_NO_THROW(told = run(sluice::explain_in_parallel(where(), from("public.v_bait"), {})));
  EXPECT_NE(told.find("key:id"), std::string::npos) << told;
}

TEST_P(Traps, AreNotMetByConnecting) {
  for (const char* target : {"read-write", "primary", "prefer-standby"}) {
    sluice::client db{where() + " target_session_attrs=" + target};
    read(db, from("bait").limit(1));
  }
}

INSTANTIATE_TEST_SUITE_P(SearchPath, Traps, testing::Values("trap,public", "trap,public,pg_catalog"),
                         [](const auto& one) { return one.index == 0 ? "CatalogFirst" : "CatalogLast"; });

}  // namespace
}  // namespace traps_test
