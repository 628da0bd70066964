#pragma once
// The border between C and C++: exceptions become status codes and AdbcErrors, and none passes.
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sluice/wire/error.hpp>

#include "adbc/abi.hpp"

namespace sluice::adbc {

/// A failure that is the driver's own to report.
class failure : public std::runtime_error {
 public:
  failure(status code, const std::string& message) : std::runtime_error{message}, code_{code} {}
  [[nodiscard]] status code() const noexcept { return code_; }

 private:
  status code_;
};

[[noreturn]] void not_implemented(std::string_view what);

/// A failure as it is told to the program.
struct told {
  status code{status::ok};
  std::string message{};
  std::string sqlstate{};
  std::vector<std::pair<const char*, std::string>> details{};  ///< by the names that libpq has for them
};
/// What an exception says.
/// @par Errors  throws std::bad_alloc
[[nodiscard]] told tell(const std::exception_ptr& what);
/// An `errno` for the streams of Arrow.
[[nodiscard]] int error_number(status code) noexcept;

/// Fills an error in. Never fails: without memory, it says so.
/// @param to  null: nobody wants to know
void report(AdbcError* to, const std::exception_ptr& what, status& code) noexcept;
void report(AdbcError* to, told what) noexcept;
int detail_count(const AdbcError* of) noexcept;
AdbcErrorDetail detail(const AdbcError* of, int index) noexcept;

/// Runs a call of the C interface.
template <class Call>
AdbcStatusCode guarded(AdbcError* error, const Call& call) noexcept {
  status code = status::ok;
  try {
    call();
  } catch (...) {
    report(error, std::current_exception(), code);
  }
  return static_cast<AdbcStatusCode>(code);
}

/// What a handle points to.
/// @par Errors  throws failure: no handle, or nothing in it
template <class T, class Handle>
[[nodiscard]] T& held(Handle* handle, std::string_view what) {
  if (handle == nullptr) throw failure{status::invalid_argument, "the " + std::string{what} + " is NULL"};
  if (handle->private_data == nullptr)
    throw failure{status::invalid_state,
                  "the " + std::string{what} + " is not there: New was not called, or Release was"};
  return *static_cast<T*>(handle->private_data);
}
/// For the New of a handle.
template <class Handle>
void require_new(Handle* handle, std::string_view what) {
  if (handle == nullptr) throw failure{status::invalid_argument, "the " + std::string{what} + " is NULL"};
  if (handle->private_data != nullptr)
    throw failure{status::invalid_state,
                  "the " + std::string{what} + " is not a zeroed struct: was New called before?"};
}
template <class T>
T* required(T* argument, std::string_view name) {
  if (argument == nullptr) throw failure{status::invalid_argument, std::string{name} + " is NULL"};
  return argument;
}

}  // namespace sluice::adbc
