#include <sluice/proto/oid.hpp>

namespace sluice::proto::oid {

std::string_view name_of(std::uint32_t type) noexcept {
  switch (type) {
    case boolean: return "bool";
    case bytea: return "bytea";
    case name: return "name";
    case int8: return "int8";
    case int2: return "int2";
    case int4: return "int4";
    case text: return "text";
    case object_id: return "oid";
    case json: return "json";
    case xml: return "xml";
    case cidr: return "cidr";
    case float4: return "float4";
    case float8: return "float8";
    case unknown: return "unknown";
    case inet: return "inet";
    case bpchar: return "bpchar";
    case varchar: return "varchar";
    case date: return "date";
    case time: return "time";
    case timestamp: return "timestamp";
    case timestamptz: return "timestamptz";
    case interval: return "interval";
    case timetz: return "timetz";
    case numeric: return "numeric";
    case uuid: return "uuid";
    case jsonb: return "jsonb";
    case jsonpath: return "jsonpath";
    case json_array: return "json[]";
    case boolean_array: return "bool[]";
    case bytea_array: return "bytea[]";
    case int2_array: return "int2[]";
    case int4_array: return "int4[]";
    case text_array: return "text[]";
    case varchar_array: return "varchar[]";
    case int8_array: return "int8[]";
    case float4_array: return "float4[]";
    case float8_array: return "float8[]";
    case inet_array: return "inet[]";
    case timestamp_array: return "timestamp[]";
    case date_array: return "date[]";
    case timestamptz_array: return "timestamptz[]";
    case numeric_array: return "numeric[]";
    case uuid_array: return "uuid[]";
    case jsonb_array: return "jsonb[]";
    default: return {};
  }
}

}  // namespace sluice::proto::oid
