#pragma once
// The C structs and numbers of ADBC 1.1, as far as a driver needs them. Names, order of members and values are the
// standard's.
// @see Apache Arrow documentation, "ADBC: Arrow Database Connectivity", API standard 1.1.0
#include <cstddef>
#include <cstdint>

#include <sluice/arrow/abi.hpp>

extern "C" {

using AdbcStatusCode = std::uint8_t;

struct AdbcDriver;

/// Zeroed by the caller, but for `vendor_code`, which tells of the 1.1 struct.
struct AdbcError {
  char* message;
  std::int32_t vendor_code;
  char sqlstate[5];  // NOLINT(modernize-avoid-c-arrays): the ABI
  void (*release)(AdbcError* error);
  // Since 1.1; there only if vendor_code says so.
  void* private_data;
  AdbcDriver* private_driver;
};

struct AdbcErrorDetail {
  const char* key;
  const std::uint8_t* value;
  std::size_t value_length;
};

struct AdbcDatabase {
  void* private_data;
  AdbcDriver* private_driver;
};
struct AdbcConnection {
  void* private_data;
  AdbcDriver* private_driver;
};
struct AdbcStatement {
  void* private_data;
  AdbcDriver* private_driver;
};

struct AdbcPartitions {
  std::size_t num_partitions;
  const std::uint8_t** partitions;
  const std::size_t* partition_lengths;
  void* private_data;
  void (*release)(AdbcPartitions* partitions);
};

/// What a driver can do. A program of 1.0 has room for the members up to `StatementSetSubstraitPlan`.
struct AdbcDriver {
  void* private_data;
  void* private_manager;
  AdbcStatusCode (*release)(AdbcDriver*, AdbcError*);

  AdbcStatusCode (*DatabaseInit)(AdbcDatabase*, AdbcError*);
  AdbcStatusCode (*DatabaseNew)(AdbcDatabase*, AdbcError*);
  AdbcStatusCode (*DatabaseSetOption)(AdbcDatabase*, const char*, const char*, AdbcError*);
  AdbcStatusCode (*DatabaseRelease)(AdbcDatabase*, AdbcError*);

  AdbcStatusCode (*ConnectionCommit)(AdbcConnection*, AdbcError*);
  AdbcStatusCode (*ConnectionGetInfo)(AdbcConnection*, const std::uint32_t*, std::size_t, ArrowArrayStream*,
                                      AdbcError*);
  AdbcStatusCode (*ConnectionGetObjects)(AdbcConnection*, int, const char*, const char*, const char*, const char**,
                                         const char*, ArrowArrayStream*, AdbcError*);
  AdbcStatusCode (*ConnectionGetTableSchema)(AdbcConnection*, const char*, const char*, const char*, ArrowSchema*,
                                             AdbcError*);
  AdbcStatusCode (*ConnectionGetTableTypes)(AdbcConnection*, ArrowArrayStream*, AdbcError*);
  AdbcStatusCode (*ConnectionInit)(AdbcConnection*, AdbcDatabase*, AdbcError*);
  AdbcStatusCode (*ConnectionNew)(AdbcConnection*, AdbcError*);
  AdbcStatusCode (*ConnectionSetOption)(AdbcConnection*, const char*, const char*, AdbcError*);
  AdbcStatusCode (*ConnectionReadPartition)(AdbcConnection*, const std::uint8_t*, std::size_t, ArrowArrayStream*,
                                            AdbcError*);
  AdbcStatusCode (*ConnectionRelease)(AdbcConnection*, AdbcError*);
  AdbcStatusCode (*ConnectionRollback)(AdbcConnection*, AdbcError*);

  AdbcStatusCode (*StatementBind)(AdbcStatement*, ArrowArray*, ArrowSchema*, AdbcError*);
  AdbcStatusCode (*StatementBindStream)(AdbcStatement*, ArrowArrayStream*, AdbcError*);
  AdbcStatusCode (*StatementExecuteQuery)(AdbcStatement*, ArrowArrayStream*, std::int64_t*, AdbcError*);
  AdbcStatusCode (*StatementExecutePartitions)(AdbcStatement*, ArrowSchema*, AdbcPartitions*, std::int64_t*,
                                               AdbcError*);
  AdbcStatusCode (*StatementGetParameterSchema)(AdbcStatement*, ArrowSchema*, AdbcError*);
  AdbcStatusCode (*StatementNew)(AdbcConnection*, AdbcStatement*, AdbcError*);
  AdbcStatusCode (*StatementPrepare)(AdbcStatement*, AdbcError*);
  AdbcStatusCode (*StatementRelease)(AdbcStatement*, AdbcError*);
  AdbcStatusCode (*StatementSetOption)(AdbcStatement*, const char*, const char*, AdbcError*);
  AdbcStatusCode (*StatementSetSqlQuery)(AdbcStatement*, const char*, AdbcError*);
  AdbcStatusCode (*StatementSetSubstraitPlan)(AdbcStatement*, const std::uint8_t*, std::size_t, AdbcError*);

  // Since 1.1.
  int (*ErrorGetDetailCount)(const AdbcError*);
  AdbcErrorDetail (*ErrorGetDetail)(const AdbcError*, int);
  const AdbcError* (*ErrorFromArrayStream)(ArrowArrayStream*, AdbcStatusCode*);

  AdbcStatusCode (*DatabaseGetOption)(AdbcDatabase*, const char*, char*, std::size_t*, AdbcError*);
  AdbcStatusCode (*DatabaseGetOptionBytes)(AdbcDatabase*, const char*, std::uint8_t*, std::size_t*, AdbcError*);
  AdbcStatusCode (*DatabaseGetOptionDouble)(AdbcDatabase*, const char*, double*, AdbcError*);
  AdbcStatusCode (*DatabaseGetOptionInt)(AdbcDatabase*, const char*, std::int64_t*, AdbcError*);
  AdbcStatusCode (*DatabaseSetOptionBytes)(AdbcDatabase*, const char*, const std::uint8_t*, std::size_t, AdbcError*);
  AdbcStatusCode (*DatabaseSetOptionDouble)(AdbcDatabase*, const char*, double, AdbcError*);
  AdbcStatusCode (*DatabaseSetOptionInt)(AdbcDatabase*, const char*, std::int64_t, AdbcError*);

  AdbcStatusCode (*ConnectionCancel)(AdbcConnection*, AdbcError*);
  AdbcStatusCode (*ConnectionGetOption)(AdbcConnection*, const char*, char*, std::size_t*, AdbcError*);
  AdbcStatusCode (*ConnectionGetOptionBytes)(AdbcConnection*, const char*, std::uint8_t*, std::size_t*, AdbcError*);
  AdbcStatusCode (*ConnectionGetOptionDouble)(AdbcConnection*, const char*, double*, AdbcError*);
  AdbcStatusCode (*ConnectionGetOptionInt)(AdbcConnection*, const char*, std::int64_t*, AdbcError*);
  AdbcStatusCode (*ConnectionGetStatistics)(AdbcConnection*, const char*, const char*, const char*, char,
                                            ArrowArrayStream*, AdbcError*);
  AdbcStatusCode (*ConnectionGetStatisticNames)(AdbcConnection*, ArrowArrayStream*, AdbcError*);
  AdbcStatusCode (*ConnectionSetOptionBytes)(AdbcConnection*, const char*, const std::uint8_t*, std::size_t,
                                             AdbcError*);
  AdbcStatusCode (*ConnectionSetOptionDouble)(AdbcConnection*, const char*, double, AdbcError*);
  AdbcStatusCode (*ConnectionSetOptionInt)(AdbcConnection*, const char*, std::int64_t, AdbcError*);

  AdbcStatusCode (*StatementCancel)(AdbcStatement*, AdbcError*);
  AdbcStatusCode (*StatementExecuteSchema)(AdbcStatement*, ArrowSchema*, AdbcError*);
  AdbcStatusCode (*StatementGetOption)(AdbcStatement*, const char*, char*, std::size_t*, AdbcError*);
  AdbcStatusCode (*StatementGetOptionBytes)(AdbcStatement*, const char*, std::uint8_t*, std::size_t*, AdbcError*);
  AdbcStatusCode (*StatementGetOptionDouble)(AdbcStatement*, const char*, double*, AdbcError*);
  AdbcStatusCode (*StatementGetOptionInt)(AdbcStatement*, const char*, std::int64_t*, AdbcError*);
  AdbcStatusCode (*StatementSetOptionBytes)(AdbcStatement*, const char*, const std::uint8_t*, std::size_t, AdbcError*);
  AdbcStatusCode (*StatementSetOptionDouble)(AdbcStatement*, const char*, double, AdbcError*);
  AdbcStatusCode (*StatementSetOptionInt)(AdbcStatement*, const char*, std::int64_t, AdbcError*);
};

}  // extern "C"

namespace sluice::adbc {

inline constexpr int version_1_0{1'000'000};
inline constexpr int version_1_1{1'001'000};
inline constexpr std::size_t driver_size_1_0{offsetof(AdbcDriver, ErrorGetDetailCount)};
/// What `AdbcError::vendor_code` holds if the struct is that of 1.1.
inline constexpr std::int32_t has_private_data{INT32_MIN};

/// The status codes.
enum class status : AdbcStatusCode {
  ok = 0,
  unknown = 1,
  not_implemented = 2,
  not_found = 3,
  already_exists = 4,
  invalid_argument = 5,
  invalid_state = 6,
  invalid_data = 7,
  integrity = 8,
  internal = 9,
  io = 10,
  cancelled = 11,
  timeout = 12,
  unauthenticated = 13,
  unauthorized = 14,
};

/// How deep `ConnectionGetObjects` goes.
enum class depth : int { all = 0, catalogs = 1, schemas = 2, tables = 3 };

/// What `ConnectionGetInfo` is asked for.
enum class info : std::uint32_t {
  vendor_name = 0,
  vendor_version = 1,
  vendor_sql = 3,
  vendor_substrait = 4,
  driver_name = 100,
  driver_version = 101,
  driver_adbc_version = 103,
};

}  // namespace sluice::adbc
