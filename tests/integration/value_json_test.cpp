// Values in the binary format as JSON, beside what the server's to_json makes of them.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>
#include "json/value_json.hpp"

#include "asking.hpp"
#include "cluster.hpp"

namespace {

/// A value as it was sent.
struct raw_value {
  std::uint32_t type{};
  std::string bytes{};
};

void from_binary(const sluice::binary_field& from, raw_value& into) {
  into = {from.type, {reinterpret_cast<const char*>(from.bytes.data()), from.bytes.size()}};
}

using sluice::sql;
using sluice::detail::text_buffer;
using sluice::detail::writer_of;
using sluice::test::dsn;

std::string written(const raw_value& value) {
  const sluice::detail::value_writer write = writer_of(value.type);
  if (write == nullptr) return "no writer for type " + std::to_string(value.type);
  text_buffer to;
  const bool good = write(to, std::as_bytes(std::span{value.bytes}));
  return good ? std::string{to.text()} : "malformed: " + std::string{to.text()};
}

/// For each row of a query of one column.
void expect_the_servers(sluice::client& db, const std::string& query) {
  int rows = 0;
  for (const sluice::row row :
       db.stream(sql("select v, pg_catalog.to_json(v)::text from (" + query + ") s (v)").as_columns())) {
    ++rows;
    EXPECT_EQ(written(row.get<raw_value>(0)), row.get<std::string>(1)) << query;
  }
  EXPECT_GT(rows, 0) << query;
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
  for (const char* query : {
           "select ((random() - 0.5) * power(10, random() * 30 - 15))::float8 from generate_series(1, 20000)",
           "select ((random() - 0.5) * power(10, random() * 20 - 10))::float4 from generate_series(1, 20000)",
           "select ((random() - 0.5) * power(10, random() * 30)::numeric)::numeric(60, 20) * power(10::numeric, "
           "(random() * 20)::int)"
           " from generate_series(1, 5000)",
           "select round((random() * 1e9)::numeric, (random() * 12)::int) from generate_series(1, 5000)",
           "select (random() * 1e18)::int8 from generate_series(1, 5000)",
           "select '2000-01-01'::date + ((random() - 0.5) * 2000000)::int from generate_series(1, 20000)",
           "select '2000-01-01'::timestamp + ((random() - 0.5) * 8e10) * interval '1 second' from generate_series(1, "
           "20000)",
           "select '2000-01-01'::timestamptz + ((random() - 0.5) * 8e10) * interval '1 second' from generate_series(1, "
           "20000)",
           "select (select string_agg(chr(1 + (random() * 300)::int), '') from generate_series(1, 10 + n % 20) g where "
           "g > 0)"
           " from generate_series(1, 5000) n",
       })
    expect_the_servers(db, query);
}

/// Whatever bytes a server sends, nothing is read that is not there.
TEST(ValueJson, RefusesWhatIsNoValue) {
  std::mt19937 random{20240229};  // NOLINT(cert-msc51-cpp): the same bytes each time
  for (const std::uint32_t type :
       {16U, 20U, 21U, 23U, 700U, 701U, 1700U, 1082U, 1083U, 1114U, 1184U, 2950U, 3802U, 1007U, 1009U, 1231U, 3807U})
    for (int i = 0; i < 2'000; ++i) {
      raw_value value{type, std::string(random() % 40, '\0')};
      for (char& each : value.bytes) each = random() % 3 == 0 ? static_cast<char>(random()) : '\0';
      const auto exact = std::make_unique<std::byte[]>(value.bytes.size());  // so that a sanitizer sees its end
      std::memcpy(exact.get(), value.bytes.data(), value.bytes.size());
      text_buffer to;
      (void)writer_of(type)(to, {exact.get(), value.bytes.size()});
    }
}

}  // namespace
