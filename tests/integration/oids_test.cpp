// The type OIDs that the library names are those of the server's catalog.
#include <gtest/gtest.h>

#include <sluice/proto/oid.hpp>
#include <string>
#include <utility>

#include "cluster.hpp"

namespace {

namespace oid = sluice::proto::oid;

TEST(Oids, AreThoseOfTheServersCatalog) {
  const std::pair<std::uint32_t, const char*> named[] = {
      {oid::boolean, "bool"},
      {oid::bytea, "bytea"},
      {oid::name, "name"},
      {oid::int8, "int8"},
      {oid::int2, "int2"},
      {oid::int4, "int4"},
      {oid::text, "text"},
      {oid::object_id, "oid"},
      {oid::json, "json"},
      {oid::xml, "xml"},
      {oid::cidr, "cidr"},
      {oid::float4, "float4"},
      {oid::float8, "float8"},
      {oid::unknown, "unknown"},
      {oid::inet, "inet"},
      {oid::bpchar, "bpchar"},
      {oid::varchar, "varchar"},
      {oid::date, "date"},
      {oid::time, "time"},
      {oid::timestamp, "timestamp"},
      {oid::timestamptz, "timestamptz"},
      {oid::interval, "interval"},
      {oid::timetz, "timetz"},
      {oid::numeric, "numeric"},
      {oid::uuid, "uuid"},
      {oid::jsonb, "jsonb"},
      {oid::json_array, "json[]"},
      {oid::boolean_array, "bool[]"},
      {oid::bytea_array, "bytea[]"},
      {oid::int2_array, "int2[]"},
      {oid::int4_array, "int4[]"},
      {oid::text_array, "text[]"},
      {oid::varchar_array, "varchar[]"},
      {oid::int8_array, "int8[]"},
      {oid::float4_array, "float4[]"},
      {oid::float8_array, "float8[]"},
      {oid::inet_array, "inet[]"},
      {oid::timestamp_array, "timestamp[]"},
      {oid::date_array, "date[]"},
      {oid::timestamptz_array, "timestamptz[]"},
      {oid::numeric_array, "numeric[]"},
      {oid::uuid_array, "uuid[]"},
      {oid::jsonb_array, "jsonb[]"},
  };
  std::string ask = "select ''";
  std::string expected;
  for (const auto& [number, type] : named) {
    ask += " || '" + std::string{type} + ' ' + "' || '" + type + "'::regtype::oid || ' '";
    expected += std::string{type} + ' ' + std::to_string(number) + ' ';
  }
  EXPECT_EQ(sluice::test::psql(ask), expected);
}

}  // namespace
