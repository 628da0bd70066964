// Every type of a database as JSON: its literals, its extreme values, and its arrays, domains and composites. The
// columns mapped by the client are compared with the server's row_to_json.
#include <gtest/gtest.h>

#include <cstdint>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "asking.hpp"
#include "cluster.hpp"
#include "mapped_values.hpp"
#include "shell.hpp"

namespace every_type_test {
namespace {

using sluice::sql;
using sluice::detail::plan_text_values;
using sluice::detail::type_catalog;
using namespace sluice::test;

struct type_of_a_database {
  std::uint32_t type{};
  std::string name;
  std::string kind;      // the relation whose row type it is, or empty
  std::string relation;  // whose rows it is of, if of any
};

class EveryType : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    psql("create database every_type");
    const finished loaded =
        shell("psql -Xq -v ON_ERROR_STOP=1 -d every_type -f " SLUICE_SOURCE "/tests/support/every_type.sql 2>&1");
    ASSERT_EQ(loaded.status, 0) << loaded.out;
  }
  static void TearDownTestSuite() { psql("drop database every_type"); }

  std::vector<type_of_a_database> all_types() {
    std::vector<type_of_a_database> all;
    std::vector<std::uint32_t> numbers;
    for (const sluice::row each :
         db.stream(sql("select t.oid, t.oid::regtype::text, "
                       "case when typcategory = 'A' and typtype = 'b' then 'a' else typtype::text end, "
                       "case when relkind in ('r', 'v', 'm', 'S', 'p', 'f') then c.oid::regclass::text else '' end "
                       "from pg_type t left join pg_class c on c.oid = typrelid where typtype <> 'p' order by t.oid")
                       .as_columns())) {
      all.push_back(
          {each.get<std::uint32_t>(0), each.get<std::string>(1), each.get<std::string>(2), each.get<std::string>(3)});
      numbers.push_back(all.back().type);
    }
    learn(db, types, numbers);
    return all;
  }
  /// Queries that give one column with values of a type.
  std::vector<std::string> samples(const type_of_a_database& of) {
    std::string rows;
    std::string first;
    for (const sluice::row each : db.stream(
             sql("select unnest(literals) from samples where type = $1::oid", std::to_string(of.type)).as_columns())) {
      rows += (rows.empty() ? "values (" : "), (") + each.get<std::string>(0);
      if (first.empty()) first = each.get<std::string>(0);
    }
    std::vector<std::string> queries;
    if (!rows.empty()) queries.push_back(rows + "), (null)");
    if (is_array_by_name(of.type)) {  // array functions do not create arrays of such a type
      queries.push_back("select '{\"{1,2}\",NULL}'::" + of.name + "[]");
    } else if (!rows.empty() && of.kind != "a" && has_array(of)) {
      // Without the cast, an array that contains NULL gets the domain's base type.
      const std::string its_array = "::" + of.name + "[]";
      queries.push_back("select array_agg(v)" + its_array + " from (" + rows + ")) s (v)");
      queries.push_back("select array_fill(" + first + ", array[2, 1, 3], array[-7, 0, 2147483600])" + its_array);
      queries.push_back("select array[" + first + ", null]" + its_array);
      queries.push_back("select '{}'::" + of.name + "[]");
    }
    return queries;
  }
  /// A domain over an array.
  bool is_array_by_name(std::uint32_t type) const {
    using enum sluice::detail::type_facts::kind;
    const auto facts = types.find(type).value();
    return facts.what == domain && types.find(facts.inner).value().what == array;
  }
  bool has_array(const type_of_a_database& of) {
    return answer(db, sql("select to_json(typarray <> 0) from pg_type where oid = $1::oid", std::to_string(of.type))) ==
           "true";
  }
  std::uint32_t array_of(std::uint32_t type) {
    for (const sluice::row each :
         db.stream(sql("select typarray from pg_type where oid = $1::oid", std::to_string(type)).as_columns()))
      return each.get<std::uint32_t>(0);
    return 0;
  }
  bool falls_short(std::uint32_t type) const { return plan_text_values(type, types, {}).falls_short; }

  /// Compares values of all types.
  /// @return the number of comparisons
  int compare(const sluice::detail::session_settings& session) {
    int compared = 0;
    for (const type_of_a_database& each : all_types()) {
      std::vector<std::string> queries = samples(each);
      if (!each.relation.empty()) {
        const std::string rows = "select t from " + each.relation + " t limit 50";
        if (answer(db, sql("select to_json(is_accepted_query($1))", rows)) == "true") queries.push_back(rows);
      }
      if (queries.empty()) without_values.insert(each.name);
      for (const std::string& query : queries) {
        const bool is_array = query.ends_with("[]") || query.find("array_agg") != query.npos;
        const std::uint32_t type = is_array ? array_of(each.type) : each.type;
        compared += expect_the_servers_objects(db, types, type, query, session);
      }
    }
    return compared;
  }

  /// The same through the whole library: as queries are asked.
  /// @param server, other  have the same settings
  int compare_in_every_mode(sluice::client& server, sluice::client& other) {
    using sluice::fetch_mode;
    int compared = 0;
    for (const type_of_a_database& each : all_types())
      for (const std::string& values : samples(each)) {
        const std::string rows = "select v, 1 as one from (" + values + ") s (v)";
        const auto by_the_server = [&] {
          std::vector<std::string> all;
          const sluice::query objects = sql("select row_to_json(q)::text from (" + rows + ") q").as_columns();
          for (const sluice::row one : server.stream(objects)) all.push_back(one.get<std::string>(0));
          return all;
        };
        const std::vector<std::string> theirs = by_the_server();
        const bool is_of_this_moment = values.find("now") != std::string::npos || by_the_server() != theirs;
        if (is_of_this_moment) continue;
        const auto ours = [&](const sluice::query& what, const sluice::query_options& how) {
          std::vector<std::string> all;
          for (const sluice::row one : other.stream(what, how)) all.emplace_back(one.text());
          ++compared;
          return all;
        };
        SCOPED_TRACE(rows);
        for (const fetch_mode mode : {fetch_mode::plain, fetch_mode::paged, fetch_mode::bulk})
          EXPECT_EQ(ours(sql(rows), {.mode = mode, .page_rows = 2}), theirs) << static_cast<int>(mode);
        if (!falls_short(each.type)) {
          EXPECT_EQ(ours(sql(rows).as_object(), {}), theirs) << "as_object";
        }
      }
    return compared;
  }

  sluice::client db{dsn() + " dbname=every_type options='-c timezone=UTC'"};
  type_catalog types;
  std::set<std::string> without_values;
};

TEST_F(EveryType, IsWrittenAsByTheServer) {
  EXPECT_GT(compare({}), 20'000);
  // Internal types of indexes and planner statistics: the server accepts no literals of them.
  const std::regex internal{
      "pg_(brin|dependencies|mcv_list|ndistinct|node_tree).*|.*(btree|_g)key.*|.*gist|g(hstore|trgm|tsvector)"};
  for (const std::string& name : without_values)
    EXPECT_TRUE(std::regex_match(name, internal)) << "there are no values of " << name;
}

TEST_F(EveryType, IsWrittenAsByTheServerInOtherSettings) {
  (void)answer(db, sql("select set_config('TimeZone', 'Asia/Kolkata', false), set_config('bytea_output', 'escape', "
                       "false), set_config('extra_float_digits', '0', false), set_config('IntervalStyle', "
                       "'sql_standard', false)"));
  EXPECT_GT(compare({.is_in_utc = false, .has_hex_bytea = false, .has_all_digits = false}), 15'000);
}

TEST_F(EveryType, BecomesTheServersObjectInEveryMode) {
  sluice::client other{dsn() + " dbname=every_type options='-c timezone=UTC'"};
  EXPECT_GT(compare_in_every_mode(db, other), 3'000);
}

// bytea_output and extra_float_digits are not reported by the server: they are asked for.
TEST_F(EveryType, BecomesTheServersObjectInSettingsOfTheConnection) {
  const std::string where = dsn() +
                            " dbname=every_type options='-c timezone=Asia/Kolkata -c bytea_output=escape "
                            "-c extra_float_digits=-2 -c IntervalStyle=sql_standard'";
  sluice::client server{where};
  sluice::client other{where};
  EXPECT_GT(compare_in_every_mode(server, other), 3'000);
}

// Or the program sets them: from then on it is the server that writes what depends on them.
TEST_F(EveryType, BecomesTheServersObjectWhateverTheProgramSets) {
  using sluice::fetch_mode;
  sluice::client other{dsn() + " dbname=every_type"};
  const std::string what =
      "select 0.1::float8 + 0.2 as f, 0.1::float4 as g, '\\x00ff41'::bytea as b, array[1/3::float8] as a";
  int compared = 0;
  for (const char* set : {"select 1", "set bytea_output = escape", "set extra_float_digits = -3", "reset bytea_output",
                          "select set_config('extra_' || 'float_digits', '0', false)", "discard all"}) {
    (void)other.execute(set);
    const std::string theirs = answer(other, sql("select row_to_json(q) from (" + what + ") q").as_document());
    for (const fetch_mode mode : {fetch_mode::plain, fetch_mode::paged, fetch_mode::bulk})
      for (int again = 0; again < 2; ++again, ++compared)
        for (const sluice::row one : other.stream(sql(what), {.mode = mode})) EXPECT_EQ(one.text(), theirs) << set;
  }
  EXPECT_EQ(compared, 36);
}

TEST_F(EveryType, ThatOnlyTheServerCanWriteIsKnownAsSuch) {
  std::set<std::string> short_ones;
  for (const type_of_a_database& each : all_types())
    if (falls_short(each.type)) short_ones.insert(each.name);
  for (const char* name :
       {"hstore", "hstore[]", "cast_to_json", "of_a_cast", "with_a_cast", "with_a_cast[]", "pg_stats"})
    EXPECT_TRUE(short_ones.contains(name)) << name;
  // pg_attribute and the statistics catalogs have columns of type anyarray.
  const std::regex expected{
      "(hstore|cast_to_json|of_a_cast|with_a_cast|pg_attribute|pg_statistic.*|pg_stats.*)(\\[\\])?"};
  for (const std::string& name : short_ones) EXPECT_TRUE(std::regex_match(name, expected)) << name;
}

}  // namespace
}  // namespace every_type_test
