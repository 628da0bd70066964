#pragma once
// Any ADBC driver, loaded by the path of its library and called through its table.
#include <dlfcn.h>

#include <stdexcept>
#include <string>
#include <utility>

#include "adbc/abi.hpp"

namespace sluice::bench {

/// One connection through a driver. The library stays loaded: it may have threads or exit handlers.
class any_driver {
 public:
  any_driver(const std::string& library, const std::string& uri) {
    void* const loaded = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (loaded == nullptr) throw std::runtime_error{::dlerror()};
    using init_function = AdbcStatusCode (*)(int, void*, AdbcError*);
    const auto init = reinterpret_cast<init_function>(::dlsym(loaded, "AdbcDriverInit"));
    if (init == nullptr) throw std::runtime_error{library + " has no AdbcDriverInit"};
    call(init, adbc::version_1_1, &table_);
    call(table_.DatabaseNew, &database_);
    call(table_.DatabaseSetOption, &database_, "uri", uri.c_str());
    call(table_.DatabaseInit, &database_);
    call(table_.ConnectionNew, &connection_);
    call(table_.ConnectionInit, &connection_, &database_);
  }
  ~any_driver() {
    AdbcError unseen{};
    if (connection_.private_data != nullptr) table_.ConnectionRelease(&connection_, &unseen);
    if (database_.private_data != nullptr) table_.DatabaseRelease(&database_, &unseen);
  }
  any_driver(const any_driver&) = delete;
  any_driver& operator=(const any_driver&) = delete;

  /// Runs a query and calls `take` with each batch.
  /// @param option, value  of the statement, unless empty
  template <class Take>
  void read(const std::string& sql, const char* option, const char* value, const Take& take) {
    AdbcStatement statement{};
    call(table_.StatementNew, &connection_, &statement);
    if (*option != '\0') call(table_.StatementSetOption, &statement, option, value);
    call(table_.StatementSetSqlQuery, &statement, sql.c_str());
    ArrowArrayStream batches{};
    call(table_.StatementExecuteQuery, &statement, &batches, nullptr);
    for (;;) {
      ArrowArray batch{};
      if (batches.get_next(&batches, &batch) != 0) throw std::runtime_error{batches.get_last_error(&batches)};
      if (batch.release == nullptr) break;
      take(batch);
      batch.release(&batch);
    }
    batches.release(&batches);
    call(table_.StatementRelease, &statement);
  }

 private:
  template <class Function, class... Arguments>
  static void call(Function function, Arguments... arguments) {
    AdbcError error{};
    if (function(arguments..., &error) != 0)
      throw std::runtime_error{error.message == nullptr ? "an error without a message" : error.message};
  }

  AdbcDriver table_{};
  AdbcDatabase database_{};
  AdbcConnection connection_{};
};

}  // namespace sluice::bench
