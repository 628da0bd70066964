#pragma once
// The ADBC driver as programs have it: loaded with dlopen, called through its table.
#include <dlfcn.h>

#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "adbc/abi.hpp"
#include "arrow_values.hpp"
#include "cluster.hpp"

namespace sluice::test {

using adbc::status;

using init_function = AdbcStatusCode (*)(int, void*, AdbcError*);
inline init_function entry(const char* name) {
  static void* const library = [] {
    void* const loaded = ::dlopen(SLUICE_ADBC_DRIVER, RTLD_NOW | RTLD_LOCAL);
    return loaded == nullptr ? throw std::runtime_error{::dlerror()} : loaded;
  }();
  return reinterpret_cast<init_function>(::dlsym(library, name));
}

inline const AdbcDriver& driver() {
  static const AdbcDriver loaded = [] {
    AdbcDriver table{};
    if (entry("AdbcDriverInit")(adbc::version_1_1, &table, nullptr) != 0) throw std::runtime_error{"not initialized"};
    return table;
  }();
  return loaded;
}

/// An error of version 1.1, which is released in the end.
class adbc_error {
 public:
  adbc_error() noexcept { error_.vendor_code = adbc::has_private_data; }
  ~adbc_error() {
    if (error_.release != nullptr) error_.release(&error_);
  }
  adbc_error(const adbc_error&) = delete;
  adbc_error& operator=(const adbc_error&) = delete;

  AdbcError* operator&() noexcept { return &error_; }  // NOLINT(google-runtime-operator): as the calls want it
  [[nodiscard]] std::string text() const { return error_.message == nullptr ? "" : error_.message; }
  [[nodiscard]] std::string sqlstate() const { return {error_.sqlstate, sizeof error_.sqlstate}; }
  [[nodiscard]] std::string detail(std::string_view wanted) const {
    for (int i = 0; i < driver().ErrorGetDetailCount(&error_); ++i) {
      const AdbcErrorDetail each = driver().ErrorGetDetail(&error_, i);
      if (each.key == wanted) return {reinterpret_cast<const char*>(each.value), each.value_length};
    }
    return {};
  }

 private:
  AdbcError error_{};
};

/// Calls a function that must succeed.
template <class Function, class... Arguments>
void call(Function function, Arguments... arguments) {
  adbc_error error;
  const AdbcStatusCode code = function(arguments..., &error);
  if (code != 0) throw std::runtime_error{"status " + std::to_string(code) + ": " + error.text()};
}
/// Calls a function that must fail.
/// @return its message
template <class Function, class... Arguments>
std::string refusal(status expected, Function function, Arguments... arguments) {
  adbc_error error;
  const auto code = static_cast<status>(function(arguments..., &error));
  if (code != expected)
    throw std::runtime_error{"status " + std::to_string(static_cast<int>(code)) + " instead of " +
                             std::to_string(static_cast<int>(expected)) + ": " + error.text()};
  return error.text().empty() ? throw std::runtime_error{"an error without a message"} : error.text();
}

/// A struct that has to be released.
template <class Struct>
class owned {
 public:
  owned() = default;
  ~owned() { release(); }
  owned(const owned&) = delete;
  owned& operator=(const owned&) = delete;
  Struct* operator&() noexcept { return &it_; }  // NOLINT(google-runtime-operator): as the calls want it
  Struct* operator->() noexcept { return &it_; }
  Struct& operator*() noexcept { return it_; }
  void release() noexcept {
    if (it_.release != nullptr) it_.release(&it_);
  }

 private:
  Struct it_{};
};
using owned_stream = owned<ArrowArrayStream>;

using options = std::vector<std::pair<std::string, std::string>>;

/// A connected connection.
class adbc_connection {
 public:
  explicit adbc_connection(const options& of_database = {}, const options& of_connection = {}) {
    call(driver().DatabaseNew, &database_);
    call(driver().DatabaseSetOption, &database_, "uri", dsn().c_str());
    for (const auto& [name, value] : of_database)
      call(driver().DatabaseSetOption, &database_, name.c_str(), value.c_str());
    call(driver().DatabaseInit, &database_);
    call(driver().ConnectionNew, &connection_);
    for (const auto& [name, value] : of_connection) set(name, value);
    call(driver().ConnectionInit, &connection_, &database_);
  }
  ~adbc_connection() {
    if (connection_.private_data != nullptr) call(driver().ConnectionRelease, &connection_);
    if (database_.private_data != nullptr) call(driver().DatabaseRelease, &database_);
  }
  adbc_connection(const adbc_connection&) = delete;
  adbc_connection& operator=(const adbc_connection&) = delete;

  AdbcConnection* operator&() noexcept { return &connection_; }  // NOLINT(google-runtime-operator): as above
  AdbcDatabase* database() noexcept { return &database_; }
  void set(const std::string& name, const std::string& value) {
    call(driver().ConnectionSetOption, &connection_, name.c_str(), value.c_str());
  }
  std::string get(const char* name) {
    std::string value(256, '\0');
    std::size_t size = value.size();
    call(driver().ConnectionGetOption, &connection_, name, value.data(), &size);
    value.resize(size - 1);
    return value;
  }

 private:
  AdbcDatabase database_{};
  AdbcConnection connection_{};
};

class adbc_statement {
 public:
  explicit adbc_statement(adbc_connection& on, const std::string& sql = "") {
    call(driver().StatementNew, &on, &statement_);
    if (!sql.empty()) query(sql);
  }
  ~adbc_statement() {
    if (statement_.private_data != nullptr) call(driver().StatementRelease, &statement_);
  }
  adbc_statement(const adbc_statement&) = delete;
  adbc_statement& operator=(const adbc_statement&) = delete;

  AdbcStatement* operator&() noexcept { return &statement_; }  // NOLINT(google-runtime-operator): as above
  void query(const std::string& sql) { call(driver().StatementSetSqlQuery, &statement_, sql.c_str()); }
  void set(const std::string& name, const std::string& value) {
    call(driver().StatementSetOption, &statement_, name.c_str(), value.c_str());
  }
  void bind(ArrowArrayStream* rows) { call(driver().StatementBindStream, &statement_, rows); }
  /// @return the number of affected rows
  std::int64_t execute(ArrowArrayStream* to = nullptr) {
    std::int64_t rows = -2;
    call(driver().StatementExecuteQuery, &statement_, to, &rows);
    return rows;
  }

 private:
  AdbcStatement statement_{};
};

/// Formats, names and rows of a stream, as text.
struct stream_table {
  std::vector<std::string> formats{};
  std::vector<std::string> names{};
  std::vector<std::string> rows{};
  std::size_t batches{0};
};
inline stream_table all_of(ArrowArrayStream* from) {
  stream_table seen;
  owned<ArrowSchema> schema;
  const auto check = [&](int number) {
    if (number == 0) return;
    const char* const why = from->get_last_error(from);
    throw std::runtime_error{why == nullptr ? "an error without a message" : why};
  };
  check(from->get_schema(from, &schema));
  for (std::int64_t i = 0; i < schema->n_children; ++i) {
    seen.formats.emplace_back(schema->children[i]->format);
    seen.names.emplace_back(schema->children[i]->name);
  }
  for (;;) {
    owned<ArrowArray> batch;
    check(from->get_next(from, &batch));
    if (batch->release == nullptr) return seen;
    ++seen.batches;
    for (std::int64_t i = 0; i < batch->length; ++i) seen.rows.push_back(text_at(*schema, *batch, i));
  }
}
inline stream_table result_of(adbc_connection& on, const std::string& sql) {
  adbc_statement statement{on, sql};
  owned_stream rows;
  statement.execute(&rows);
  return all_of(&rows);
}

}  // namespace sluice::test
