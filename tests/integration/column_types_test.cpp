// Every SQL type as every C++ type that it can be read as, at its extremes, compared with what psql shows; and
// what is refused, with its message.
#include <gtest/gtest.h>

#include <bitset>
#include <charconv>
#include <chrono>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <sluice/stream/client.hpp>
#include <sluice/stream/columns.hpp>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "cluster.hpp"

namespace shop {

enum class mood { sad, fine };
SLUICE_JSON_ENUM(mood, sad, fine)

struct point_of_sale {
  std::int32_t id{};
  std::string name{};
  std::optional<mood> how{};
};
SLUICE_JSON(point_of_sale, id, name, how)

struct celsius {
  double degrees{};
};
void from_binary(const sluice::binary_field& from, celsius& into) {
  using sluice::from_binary;
  from_binary(from, into.degrees);
}

struct tree {
  std::string name{};
  std::vector<tree> children{};
};
SLUICE_JSON(tree, name, children)

}  // namespace shop

namespace column_types_test {
namespace {

using namespace sluice::test;
using sluice::multi_array;
using sluice::multirange;
using sluice::range;
using sluice::sql;
using std::optional;
using std::string;
using std::vector;

// How psql shows a C++ value, or what a query makes of it.
string show(const string& value) { return value; }
string show(bool value) { return value ? "t" : "f"; }
string show(char value) { return {value}; }
template <std::integral Integer>
string show(Integer value) {
  return std::to_string(value);
}
string show(std::byte value) { return std::to_string(std::to_integer<int>(value)); }
string show(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}
string show(shop::mood value) { return value == shop::mood::sad ? "sad" : "fine"; }
string show(const shop::point_of_sale& value) {
  return '(' + std::to_string(value.id) + ',' + value.name + ',' + (value.how ? show(*value.how) : "") + ')';
}
string show(const sluice::network_address& value) { return value.to_string(); }
template <std::size_t Size>
string show(const sluice::hardware_address<Size>& value) {
  return value.to_string();
}
string show(const sluice::bit_string& value) { return value.to_string(); }
template <std::size_t Size>
string show(const std::bitset<Size>& value) {
  return value.to_string();
}
string show(sluice::money value) { return std::to_string(value.amount); }
string show(sluice::row_place value) {
  return '(' + std::to_string(value.page) + ',' + std::to_string(value.item) + ')';
}
string show(sluice::ltree value) { return string{value.text}; }
string show(const sluice::interval& value) {
  return std::to_string(value.months) + ' ' + std::to_string(value.days) + ' ' + std::to_string(value.time.count());
}
string show(const sluice::time_with_zone& value) {
  return std::to_string(value.since_midnight.count()) + ' ' + std::to_string(value.east_of_utc.count());
}
string show(std::chrono::microseconds value) { return std::to_string(value.count()); }
template <class Clock, class Duration>
string show(std::chrono::time_point<Clock, Duration> value) {
  if (value == value.max()) return "infinity";
  if (value == value.min()) return "-infinity";
  return std::to_string(value.time_since_epoch().count());
}
string show(const std::map<string, optional<string>>& value);
template <class T>
string show(const optional<T>& value);
template <class T>
string show(const range<T>& value);
template <class T>
string show(const multirange<T>& value);
template <class... Ts>
string show(const std::tuple<Ts...>& value);
template <class T>
string show(const vector<T>& value) {
  string text;
  for (const T& each : value) text += (text.empty() ? "{" : ",") + show(each);
  return text.empty() ? "{}" : text + '}';
}
string show(const vector<bool>& value) {
  string text;
  for (const bool each : value) text += each ? '1' : '0';
  return text;
}
template <class T>
string show(const multi_array<T>& value) {
  string text;
  for (const auto& each : value.dimensions)
    text += '[' + std::to_string(each.first) + ':' +
            std::to_string(each.first + static_cast<std::int32_t>(each.size) - 1) + ']';
  return text + show(value.elements);
}
template <class T>
string show(const optional<T>& value) {
  return value ? show(*value) : "NULL";
}
template <class T>
string show(const range<T>& value) {
  if (value.is_empty) return "empty";
  return (value.has_lower ? "[" : "(") + (value.lower ? show(*value.lower) : "") + ',' +
         (value.upper ? show(*value.upper) : "") + (value.has_upper ? "]" : ")");
}
template <class T>
string show(const multirange<T>& value) {
  return show(value.ranges);
}
template <class... Ts>
string show(const std::tuple<Ts...>& value) {
  string text;
  std::apply([&](const auto&... each) { ((text += (text.empty() ? "(" : ",") + show(each)), ...); }, value);
  return text + ')';
}
string show(const std::map<string, optional<string>>& value) {
  string text;
  for (const auto& [key, each] : value)
    text += (text.empty() ? "\"" : ", \"") + key + "\"=>" + (each ? '"' + *each + '"' : "NULL");
  return text;
}

struct sample {
  string sql;  // an expression
  std::function<string(const sluice::row&)> read;
  string expected;  // SQL, of which psql shows the text; empty: of the expression itself
};
template <class T>
sample as(string expression, string expected = {}) {
  return {std::move(expression), [](const sluice::row& row) { return show(row.get<T>(0)); }, std::move(expected)};
}

class ColumnTypes : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    psql(R"(create extension if not exists hstore; create extension if not exists ltree;
            drop schema if exists column_types cascade; create schema column_types; set search_path to column_types;
            create type feeling as enum ('sad', 'fine', 'angry');
            create type place as (id int, name text, how feeling);
            create domain above_zero as int check (value > 0);
            create domain above_zeros as above_zero[];
            create domain a_place as place;
            create type wrapped as (a above_zero, b above_zeros, c a_place);
            create type money_range as range (subtype = float8))");
  }
  sluice::client db{dsn() + " options='-c search_path=column_types,public -c lc_monetary=C -c timezone=UTC'"};

  string read(const sample& each, bool is_described = false) {
    sluice::query what = sql("select " + each.sql + " as c");
    string text{"no row"};
    for (const sluice::row row :
         db.stream(is_described ? std::move(what).as_described_columns() : std::move(what).as_columns()))
      text = each.read(row);
    return text;
  }
  string shown(const sample& each) {
    return psql("set search_path to column_types, public; set lc_monetary to 'C'; set timezone to 'UTC'; select " +
                (each.expected.empty() ? '(' + each.sql + ")::text" : each.expected));
  }
  void compare(const vector<sample>& samples, bool is_described = false) {
    for (const sample& each : samples) EXPECT_EQ(read(each, is_described), shown(each)) << each.sql;
  }
};

TEST_F(ColumnTypes, AreReadAsNumbers) {
  compare({as<std::int16_t>("'-32768'::int2"),
           as<std::int16_t>("32767::int2"),
           as<int>("(-2147483648)::int4"),
           as<int>("2147483647"),
           as<std::int64_t>("(-9223372036854775808)::int8"),
           as<std::int64_t>("9223372036854775807"),
           as<std::uint64_t>("9223372036854775807"),
           as<std::uint64_t>("18446744073709551615::numeric"),
           as<std::uint32_t>("4294967295::oid"),
           as<std::uint32_t>("'pg_class'::regclass", "'pg_class'::regclass::oid"),
           as<std::uint32_t>("'int4'::regtype", "'int4'::regtype::oid"),
           as<int>("'now'::regproc", "'now'::regproc::oid"),
           as<int>("'now()'::regprocedure", "'now()'::regprocedure::oid"),
           as<int>("'+(int4,int4)'::regoperator", "'+(int4,int4)'::regoperator::oid"),
           as<int>("'pg_catalog.||/'::regoper", "'pg_catalog.||/'::regoper::oid"),
           as<int>("'english'::regconfig", "'english'::regconfig::oid"),
           as<int>("'simple'::regdictionary", "'simple'::regdictionary::oid"),
           as<int>("'\"C\"'::regcollation", "'\"C\"'::regcollation::oid"),
           as<int>("'pg_catalog'::regnamespace", "'pg_catalog'::regnamespace::oid"),
           as<int>("'sluice'::regrole", "'sluice'::regrole::oid"),
           as<std::uint32_t>("'4294967295'::xid"),
           as<std::uint32_t>("'7'::cid"),
           as<std::uint64_t>("'18446744073709551615'::xid8"),
           as<std::uint64_t>("'FFFFFFFF/FFFFFFFF'::pg_lsn", "18446744073709551615"),
           as<bool>("true", "'t'"),
           as<char>("'x'::\"char\""),
           as<sluice::money>("'-92233720368547758.08'::money", "-9223372036854775808"),
           as<sluice::money>("'92233720368547758.07'::money", "9223372036854775807"),
           as<sluice::row_place>("'(4294967295,65535)'::tid"),
           as<double>("1.7976931348623157e308::float8", "'1.7976931348623157e+308'"),
           as<double>("'-5e-324'::float8", "'-5e-324'"),
           as<double>("3.4028235e38::float4::float8", "'3.4028234663852886e+38'")});
}

TEST_F(ColumnTypes, AreReadAsAddressesBitsAndPlaces) {
  compare({as<sluice::network_address>("'0.0.0.0/0'::inet", "'0.0.0.0/0'::inet"),
           as<sluice::network_address>("'255.255.255.255'::inet", "'255.255.255.255'::inet"),
           as<sluice::network_address>("'10.1.2.3/8'::inet", "'10.1.2.3/8'::inet"),
           as<sluice::network_address>("'10.0.0.0/8'::cidr"),
           as<sluice::network_address>("'10.1.2.3/32'::cidr"),
           as<sluice::network_address>("'::'::inet", "'::'::inet"),
           as<sluice::network_address>("'::1'::inet", "'::1'::inet"),
           as<sluice::network_address>("'::ffff:1.2.3.4'::inet", "'::ffff:1.2.3.4'::inet"),
           as<sluice::network_address>("'::1.2.3.4'::inet", "'::1.2.3.4'::inet"),
           as<sluice::network_address>("'2001:db8:0:1:0:0:0:1/64'::inet", "'2001:db8:0:1:0:0:0:1/64'::inet"),
           as<sluice::network_address>("'1:0:0:2:0:0:0:3'::inet", "'1:0:0:2:0:0:0:3'::inet"),
           as<sluice::network_address>("'1:0:2:3:4:5:6:7'::inet", "'1:0:2:3:4:5:6:7'::inet"),
           as<sluice::network_address>("'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'::cidr"),
           as<string>("'2001:db8::/32'::cidr"),
           as<string>("'192.168.0.1/24'::inet", "'192.168.0.1/24'::inet"),
           as<sluice::mac_address>("'00:00:00:00:00:00'::macaddr"),
           as<sluice::mac_address>("'ff:ff:ff:ff:ff:ff'::macaddr"),
           as<sluice::mac_address_8>("'08:00:2b:01:02:03:04:ff'::macaddr8"),
           as<string>("'08:00:2b:01:02:03'::macaddr"),
           as<sluice::bit_string>("B'1'"),
           as<sluice::bit_string>("B'101010101'"),
           as<sluice::bit_string>("B''::varbit"),
           as<std::bitset<9>>("B'110000001'"),
           as<vector<bool>>("B'0110'::varbit"),
           as<vector<bool>>("B''::varbit"),
           as<string>("repeat('10', 5000)::varbit"),
           as<vector<string>>("array[B'01', B'']::varbit[]", "'{01,}'")});
  compare({as<string>("'(1.5,-0)'::point"), as<string>("'(1e300,1e-300)'::point"),
           as<string>("'(Infinity,NaN)'::point"), as<string>("'(0.1,123456789012345678)'::point"),
           as<string>("'{1,-2.5,1e20}'::line"), as<string>("'[(1,2),(3,4)]'::lseg"),
           as<string>("'(1,2),(3,-Infinity)'::box"), as<string>("'((1,2),(3,4),(5,6))'::path"),
           as<string>("'[(1,2)]'::path"), as<string>("'((0,0),(1,1),(2,0))'::polygon"),
           as<string>("'<(1,2),3>'::circle"), as<vector<string>>("array['(1,2)'::point]", "'{(1,2)}'")});
}

TEST_F(ColumnTypes, AreReadAsTimes) {
  using namespace std::chrono;
  const auto parts = [](const string& interval) {
    return "format('%s %s %s', (extract(year from i) * 12 + extract(month from i))::int8, extract(day from i), "
           "(extract(hour from i) * 3600000000 + extract(minute from i) * 60000000 + extract(microseconds from "
           "i))::int8) from (select " +
           interval + " as i) q";
  };
  for (const string interval :
       {"'178000000 years'", "'-178000000 years'", "'2147483647 days'", "'-2147483648 days'", "'0'",
        "'1 mon -1 day 00:00:00.000001'", "'2562047788:00:54.775807'", "'-2562047788:00:54.775807'"})
    compare({as<sluice::interval>("interval " + interval, parts("interval " + interval))});
  compare(
      {as<microseconds>("time '24:00'", "86400000000"), as<microseconds>("time '00:00'", "0"),
       as<sluice::time_with_zone>("timetz '24:00-15:59:59'", "'86400000000 -57599'"),
       as<sluice::time_with_zone>("timetz '00:00+15:59:59'", "'0 57599'"),
       as<sys_days>("date '4713-01-01 BC'", "date '4713-01-01 BC' - date '1970-01-01'"),
       as<sys_days>("date '5874897-12-31' - 10957", "date '5874897-12-31' - 10957 - date '1970-01-01'"),
       as<sys_days>("'infinity'::date"), as<sys_days>("'-infinity'::date"),
       as<sys_time<microseconds>>("timestamptz '4713-01-01 00:00:00Z BC'",
                                  "extract(epoch from timestamptz '4713-01-01 00:00:00Z BC')::int8 * 1000000"),
       as<sys_time<microseconds>>("timestamptz '294246-12-31 23:59:59.999999Z'",
                                  "(extract(epoch from timestamptz '294246-12-31 23:59:59.999999Z') * 1000000)::int8"),
       as<local_time<microseconds>>("timestamp '-infinity'"), as<sys_time<microseconds>>("timestamptz 'infinity'")});
}

TEST_F(ColumnTypes, AreReadAsArraysOfAnyDimensions) {
  compare({as<vector<int>>("array[1,2,3]"), as<vector<int>>("'{}'::int[]"),
           as<vector<vector<int>>>("array[[1,2],[3,4]]"), as<vector<vector<int>>>("'{}'::int[]"),
           as<vector<vector<optional<string>>>>("array[['a',null]]"),
           as<vector<vector<vector<bool>>>>("array[[[true],[false]]]", "'{{{t},{f}}}'"),
           as<multi_array<int>>("'[2:3][-1:0]={{1,2},{3,4}}'::int[]", "'[2:3][-1:0]{1,2,3,4}'"),
           as<multi_array<int>>("'{}'::int[]"), as<multi_array<int>>("'[5:6]={7,8}'::int[]", "'[5:6]{7,8}'"),
           as<multi_array<int>>("'{{{{{{1}}}}}}'::int[]", "'[1:1][1:1][1:1][1:1][1:1][1:1]{1}'"),
           as<vector<int>>("'1 2 3'::int2vector", "'{1,2,3}'"), as<vector<unsigned>>("'1 2'::oidvector", "'{1,2}'"),
           as<vector<vector<std::byte>>>("array['\\x00ff'::bytea]", "'{{0,255}}'")});
}

TEST_F(ColumnTypes, AreReadAsComposites) {
  using three = std::tuple<int, string, optional<shop::mood>>;
  compare({as<three>("(1, 'a', 'fine')::place"), as<three>("(1, 'a', null)::place", "'(1,a,NULL)'"),
           as<shop::point_of_sale>("(-2147483648, '', 'sad')::place", "'(-2147483648,,sad)'"),
           as<std::tuple<int, string>>("row(1, 'x'::text)"), as<std::tuple<>>("row()", "')'"),
           as<vector<shop::point_of_sale>>("array[(1, 'a', 'fine'), (2, 'b', null)]::place[]", "'{(1,a,fine),(2,b,)}'"),
           as<optional<three>>("null::place", "'NULL'"), as<shop::mood>("'fine'::feeling"),
           as<shop::mood>("'sad'::text"), as<vector<shop::mood>>("array['sad', 'fine']::feeling[]"),
           as<std::tuple<std::tuple<int, string>, int>>("row(row(1, 'x'::text), 2)", "'((1,x),2)'")});
  sluice::row_range rows = db.stream(sql("select 36.6::float8").as_columns());
  for (const sluice::row row : rows) EXPECT_EQ(row.get<shop::celsius>(0).degrees, 36.6);
}

TEST_F(ColumnTypes, AreReadAsRanges) {
  compare(
      {as<range<int>>("int4range(1, 5)"), as<range<int>>("int4range(null, null)"), as<range<int>>("'empty'::int4range"),
       as<range<int>>("int4range(-2147483648, 2147483647)"),
       as<range<std::int64_t>>("int8range(-9223372036854775808, null)"), as<range<string>>("numrange(1.10, 2, '[]')"),
       as<range<double>>("numrange(0.5, null, '(]')", "'(0.5,)'"),
       as<range<std::chrono::sys_days>>("daterange('1970-01-02', 'infinity')", "'[1,infinity)'"),
       as<range<std::chrono::sys_time<std::chrono::microseconds>>>("tstzrange('1970-01-01Z', '1970-01-01 00:00:01Z')",
                                                                   "'[0,1000000)'"),
       as<range<std::chrono::local_time<std::chrono::microseconds>>>("tsrange('-infinity', null)", "'[-infinity,)'"),
       as<range<double>>("money_range(1.5, 2.5)"),
       as<vector<range<int>>>("array[int4range(1, 2), 'empty']", "'{[1,2),empty}'"),
       as<multirange<int>>("int4multirange(int4range(1, 2), int4range(5, null))"),
       as<multirange<int>>("'{}'::int4multirange"), as<multirange<double>>("'{[1.5,2.5]}'::money_multirange"),
       as<optional<range<int>>>("null::int4range", "'NULL'")});
}

TEST_F(ColumnTypes, AreReadAsThoseOfExtensions) {
  using pairs = std::map<string, optional<string>>;
  compare({as<pairs>("'b=>2, a=>NULL'::hstore"), as<pairs>("''::hstore"), as<sluice::ltree>("'top.art.x'::ltree"),
           as<sluice::ltree>("''::ltree"), as<sluice::ltree>("'*.a'::lquery"),
           as<vector<pairs>>("array['a=>1'::hstore]", "'{\"a\"=>\"1\"}'")});
}

TEST_F(ColumnTypes, AreDomainsOfAllThese) {
  compare({as<int>("5::above_zero"), as<shop::point_of_sale>("row(1, 'a', 'fine')::a_place", "'(1,a,fine)'")});
  using wrapped = std::tuple<int, vector<int>, shop::point_of_sale>;
  const sample nested = as<wrapped>("(1, array[2, 3], (4, 'x', 'sad'))::wrapped", "'(1,{2,3},(4,x,sad))'");
  compare({nested}, true);
  compare({as<vector<int>>("array[1, 2]::above_zero[]"), as<vector<int>>("array[1, 2]::above_zeros"),
           as<shop::point_of_sale>("(1, 'a', 'fine')::a_place", "'(1,a,fine)'")},
          true);
  try {
    (void)read(nested);
    FAIL() << "nothing says what the domains are";
  } catch (const sluice::error& why) {
    EXPECT_NE(string{why.what()}.find("as_described_columns"), string::npos) << why.what();
  }
}

TEST_F(ColumnTypes, AreReadRaw) {
  sluice::row_range rows = db.stream(sql("select 'a b'::tsvector, null::box, 1::int2").as_columns());
  for (const sluice::row row : rows) {
    EXPECT_EQ(row.get<sluice::raw_value>(0).oid, 3614U);
    EXPECT_FALSE(row.get<sluice::raw_value>(0).bytes.empty());
    EXPECT_FALSE(row.get<optional<sluice::raw_value>>(1));
    EXPECT_EQ(row.get<sluice::raw_value>(2).bytes.size(), 2U);
  }
}

TEST_F(ColumnTypes, AreFoundByName) {
  int seen = 0;
  for (const sluice::row row :
       db.stream(sql("select 'fine'::feeling as how, 7 as id, 'n'::text as name, 1 as other, 2 as twice, 3 as twice")
                     .as_columns())) {
    EXPECT_EQ(row.get<int>("id"), 7);
    EXPECT_EQ(row.get<std::string_view>("name"), "n");
    EXPECT_EQ(show(row.get<shop::point_of_sale>()), "(7,n,fine)");
    const auto said = [&](auto read) -> string {
      try {
        read();
      } catch (const sluice::error& why) {
        EXPECT_EQ(why.code(), sluice::errc::bad_column);
        return why.what();
      }
      return "read";
    };
    EXPECT_EQ(said([&] { (void)row.get<int>("Id"); }),
              "there is no column \"Id\": the result has how, id, name, other, twice, twice");
    EXPECT_EQ(said([&] { (void)row.get<int>("twice"); }),
              "more than one column has the name \"twice\": give them names, or take a position");
    EXPECT_EQ(said([&] { (void)row.get<shop::tree>(); }),
              "there is no column for the member \"children\", which is no std::optional");
    ++seen;
  }
  EXPECT_EQ(seen, 1);
}

TEST_F(ColumnTypes, AreNamedInErrors) {
  const auto refusal = [&](const string& expression, auto take) -> string {
    try {
      return read({expression, take, ""});
    } catch (const sluice::error& why) {
      return why.what();
    }
  };
  const auto get = []<class T>(std::type_identity<T> /*as*/) {
    return [](const sluice::row& row) { return show(row.get<T>(0)); };
  };
  EXPECT_EQ(refusal("'x'::text", get(std::type_identity<int>{})),
            "column 0 (c), text read as int: expected an integer, found text");
  EXPECT_EQ(refusal("70000", get(std::type_identity<std::int16_t>{})).substr(0, 31), "column 0 (c), int4 read as shor");
  EXPECT_EQ(refusal("-1", get(std::type_identity<std::uint64_t>{})).find("out of the range") == string::npos, false);
  EXPECT_EQ(refusal("1::int8", get(std::type_identity<string>{})),
            "column 0 (c), int8 read as std::string: expected text, found int8: cast it to text in the query");
  EXPECT_NE(refusal("'angry'::feeling", get(std::type_identity<shop::mood>{})).find("none of the names"), string::npos);
  EXPECT_NE(refusal("B'101'", get(std::type_identity<std::bitset<2>>{})).find("another number of bits"), string::npos);
  EXPECT_NE(
      refusal("array[[1]]", get(std::type_identity<vector<int>>{})).find("an array of one dimension, found int4[]"),
      string::npos);
  EXPECT_NE(refusal("'00:00+00'::timetz", get(std::type_identity<vector<int>>{})).find("an array of one dimension"),
            string::npos);
  EXPECT_NE(refusal("array[1]", get(std::type_identity<vector<vector<int>>>{})).find("as many dimensions"),
            string::npos);
  EXPECT_NE(refusal("row(1)", get(std::type_identity<std::tuple<int, int>>{})).find("a composite of 2 fields"),
            string::npos);
  EXPECT_NE(refusal("int4range(1, 2)", get(std::type_identity<range<string>>{})).find("expected text, found int4"),
            string::npos);
  EXPECT_NE(refusal("1", get(std::type_identity<range<int>>{})).find("expected a range, found int4"), string::npos);
  EXPECT_NE(refusal("'1 day'::interval", get(std::type_identity<string>{})).find("cast it to text"), string::npos);
}

}  // namespace
}  // namespace column_types_test
