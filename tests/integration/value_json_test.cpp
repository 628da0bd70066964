// Values of built-in types as JSON, from binary and from text, compared with the server's row_to_json.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "asking.hpp"
#include "cluster.hpp"
#include "mapped_values.hpp"

namespace value_json_test {
namespace {

using sluice::sql;
using sluice::detail::session_settings;
using sluice::detail::type_catalog;
using namespace sluice::test;

/// Compares each row of a query with one column of a built-in type.
void expect_the_servers(sluice::client& db, const std::string& query, const session_settings& session = {}) {
  std::uint32_t type = 0;
  for (const sluice::row each :
       db.stream(sql("select pg_typeof(v)::oid from (" + query + ") s (v) limit 1").as_columns()))
    type = each.get<std::uint32_t>(0);
  const int compared = expect_the_servers_objects(db, type_catalog{}, type, query, session);
  EXPECT_TRUE(compared > 0 || !session.has_iso_dates) << query;
}

TEST(ValueJson, IsThatOfTheServerForItsExtremes) {
  sluice::client db{dsn() + " options='-c timezone=UTC'"};
  for (const char* values : {
           "values (true), (false)",
           "values ('-32768'::int2), (32767), (0)",
           "values (-2147483648), (2147483647), (0), (-1)",
           "values ('-9223372036854775808'::int8), (9223372036854775807), (0)",
           "values (0::float8), ('-0'), (1), (-1.5), (0.1), (1e15), (1e14), (123456789012345), (1234567890123456), "
           "(1e-4),"
           " (1e-5), (0.00012345), (1e300), (5e-324), (1.7976931348623157e308), ('NaN'), ('Infinity'), ('-Infinity'), "
           "(1e22),"
           " (9007199254740993), (0.3), (1e100)",
           "values (0::float4), ('-0'), (1), (-1.5), (0.1), (1e6), (1e5), (123456), (1234567), (1e-4), (1e-5), (3e38),"
           " (1e-45), ('NaN'), ('Infinity'), (16777216), (0.3)",
           "values (0::numeric), (0.00), (1), (-1), (10000), (9999), (1e20), (1.5e-20), (0.0001), (0.00001), (-0.5),"
           " (12345678901234567890.123456789), ('NaN'), ('Infinity'), ('-Infinity'), (1e1000), (1e-1000), (100.10), "
           "(10.0000),"
           " (-9999.9999), (0.1000)",
           "values ('2000-01-01'::date), ('1999-12-31'), ('1970-01-01'), ('0001-01-01'), ('0001-12-31 BC'), "
           "('4713-01-01 BC'),"
           " ('9999-12-31'), ('10000-01-01'), ('5874897-12-31'), ('2024-02-29'), ('1900-03-01'), ('infinity'), "
           "('-infinity')",
           "values ('2000-01-01 00:00'::timestamp), ('1999-12-31 23:59:59.999999'), ('2024-02-29 12:34:56.7'),"
           " ('2024-02-29 12:34:56.000001'), ('4713-01-01 00:00 BC'), ('0001-01-01 00:00'), ('294276-12-31 "
           "23:59:59.999999'),"
           " ('infinity'), ('-infinity'), ('1969-12-31 23:59:59.5')",
           "values ('2000-01-01 00:00+00'::timestamptz), ('2024-02-29 12:34:56.789+05:30'), ('0044-03-15 00:00 BC'),"
           " ('infinity'), ('-infinity'), ('294276-12-31 23:59:59.999999+00')",
           "values ('00:00'::time), ('24:00'), ('12:34:56.000001'), ('23:59:59.999999'), ('01:02:03.5')",
           "values ('00000000-0000-0000-0000-000000000000'::uuid), ('123e4567-e89b-12d3-a456-426614174000')",
           "values (''::bytea), ('\\x00'), ('\\x0123456789abcdef'), ('\\xff')",
           "values ('{\"a\": [1,  2]}'::json), ('null'), ('\"x\"')",
           "values ('{\"a\": [1,  2], \"b\": {}}'::jsonb), ('null'), ('1.50')",
           "values (''::text), ('a'), ('\"'), ('\\'), (e'\\b\\f\\n\\r\\t'), (e'\\x01\\x1f\\x7f'), "
           "('\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80'),"
           " ('exactly8'), ('1234567\"'), ('/'), (repeat('x\"', 10000)), (repeat('y', 4096)), (repeat('z', 4095) || "
           "'\"')",
           "values ('a  '::char(5))",
           "values ('x'::varchar)",
           "values ('x'::name)",
           "values ('{}'::int[]), ('{1,NULL,3}'), ('{{1,2},{3,4}}'), ('[2:3]={5,6}'), ('{{{1}},{{2}}}')",
           "values ('{}'::text[]), ('{a,NULL,\"b\\\"c\",\"\"}'), ('{{x,y}}')",
           "values ('{1.50,NaN}'::numeric[])",
           "values ('{2024-02-29}'::date[])",
           "values ('{\"2024-02-29 12:00+00\"}'::timestamptz[])",
           "values (array['{\"a\": 1}'::jsonb, 'null'])",
           "values ('{t,f}'::bool[])",
           "values ('{1e300,-0}'::float8[])",
           "values (array['\\x01'::bytea])",
       })
    expect_the_servers(db, values);
}

TEST(ValueJson, IsThatOfTheServerForRandomValues) {
  sluice::client db{dsn() + " options='-c timezone=UTC'"};
  for (const char* values : {
           "((random() - 0.5) * power(10, random() * 30 - 15))::float8",
           "((random() - 0.5) * power(10, random() * 600 - 300))::float8",
           "round((random() * 1e6)::numeric, n % 10)::float8",   // few digits
           "((n - 10000) * power(10::float8, n % 23))::float8",  // many lie halfway between two floats
           "power(2::float8, n % 2097 - 1074)",                  // every power of two, from the smallest
           "((random() - 0.5) * power(10, random() * 20 - 10))::float4",
           "((n - 10000) * power(2::float8, n % 80))::float4",
           "((random() - 0.5) * power(10, random() * 30)::numeric)::numeric(60, 20) * power(10::numeric, (random() * "
           "20)::int)",
           "round((random() * 1e9)::numeric, (random() * 12)::int)",
           "((random() - 0.5) * 1.8e19)::int8",
           "((random() - 0.5) * power(10, random() * 18))::int8",
           "((random() - 0.5) * 4e9)::int4",
           "((random() - 0.5) * 65000)::int2",
           "'2000-01-01'::date + ((random() - 0.5) * 2000000)::int",
           "'2000-01-01'::timestamp + ((random() - 0.5) * 8e10) * interval '1 second'",
           "'2000-01-01'::timestamptz + ((random() - 0.5) * 8e10) * interval '1 second'",
           "'00:00'::time + random() * interval '1 day'",
           "gen_random_uuid()",
           "decode(repeat(md5(random()::text), n % 3), 'hex')",
           "(select string_agg(chr(1 + (random() * 300)::int), '') from generate_series(1, n % 40) g where n > 0)",
           "array[(random() * 100)::int, null, n]",
           "array[(select string_agg(chr(1 + (random() * 150)::int), '') from generate_series(1, n % 9) where n > 0)]",
           "jsonb_build_object('n', n, 'text', md5(n::text))",
       })
    expect_the_servers(db, "select " + std::string{values} + " from generate_series(1, 20000) n");
}

/// Settings that change the server's output, and others that must not matter.
TEST(ValueJson, IsThatOfTheServerWhateverItsSettingsAre) {
  int settings = 0;
  for (const char* zone : {"UTC", "Etc/UTC", "Asia/Kolkata", "America/St_Johns", "Europe/Berlin", "Africa/Monrovia"})
    for (const char* style : {"ISO", "ISO, DMY", "SQL, MDY", "German", "Postgres, YMD"})
      for (const bool others : {false, true}) {
        ++settings;
        sluice::client db{dsn()};
        const std::string set =
            "select set_config('TimeZone', '" + std::string{zone} + "', false), set_config('DateStyle', '" + style +
            (others ? "', false), set_config('bytea_output', 'escape', false), set_config('extra_float_digits', '-3',"
                      " false), set_config('IntervalStyle', 'iso_8601', false), set_config('lc_monetary', 'C', false),"
                      " set_config('standard_conforming_strings', 'off', false)"
                    : "', false)");
        (void)answer(db, sql(set));
        session_settings session = session_settings::of(zone, style);
        session.has_hex_bytea = session.has_all_digits = !others;
        for (const char* values : {
                 "values ('2024-02-29 12:34:56.789+05:30'::timestamptz), ('1850-01-01'), ('0044-03-15 BC'), "
                 "('infinity'),"
                 " ('-infinity'), ('2024-07-01 00:00')",
                 "values (array['2024-02-29 12:34:56.789+05:30'::timestamptz, null, 'infinity'])",
                 "values ('2024-02-29 12:34:56.789'::timestamp), ('0044-03-15 BC'), ('infinity'), ('12000-01-01')",
                 "values ('2024-02-29'::date), ('0044-03-15 BC'), ('-infinity'), ('12000-01-01')",
                 "values (array['2024-02-29'::date, null])",
                 "values ('12:34:56.789'::time), ('24:00')",
                 "values ('12:34:56.789+05:30'::timetz), ('00:00-08')",
                 "values ('1 year -2 days 03:04:05.6'::interval), ('0')",
                 "values (array['1 year -2 days 03:04:05.6'::interval])",
                 "values (decode('00ff41', 'hex')), ('')",
                 "values (array[decode('00ff41', 'hex')])",
                 "values (0.1::float8), (1e-7), (123456789.123456789), ('NaN')",
                 "values (0.1::float4), (1e-7), (16777216)",
                 "values (array[0.1::float8, null])",
                 "values ('12.5'::money), ('-1234.56')",
                 "values (tsrange('2024-02-29', '2024-03-01')), (null)",
                 "values ('a' || chr(92) || 'b')",
             }) {
          expect_the_servers(db, values, session);
        }
      }
  EXPECT_EQ(settings, 60);
}

}  // namespace
}  // namespace value_json_test
