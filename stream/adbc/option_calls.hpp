#pragma once
// The calls that set and get options, which are the same for all three kinds of handles.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "adbc/border.hpp"
#include "adbc/settings.hpp"

namespace sluice::adbc {

template <class Object, class Handle>
struct option_calls {
  static AdbcStatusCode set(Handle* handle, const char* option, const char* value, AdbcError* error) {
    return guarded(error, [&] { of(handle).set(checked(option), required(value, "the value")); });
  }
  static AdbcStatusCode set_bytes(Handle* handle, const char* option, const std::uint8_t* /*value*/,
                                  std::size_t /*length*/, AdbcError* error) {
    return guarded(error, [&] {
      (void)of(handle);
      not_implemented("option " + std::string{checked(option)} + " that is bytes");
    });
  }
  static AdbcStatusCode set_int(Handle* handle, const char* option, std::int64_t value, AdbcError* error) {
    return guarded(error, [&] { of(handle).set(checked(option), std::to_string(value)); });
  }
  static AdbcStatusCode set_double(Handle* handle, const char* option, double value, AdbcError* error) {
    return guarded(error, [&] { of(handle).set(checked(option), text_of_double(value)); });
  }
  static AdbcStatusCode get(Handle* handle, const char* option, char* out, std::size_t* length, AdbcError* error) {
    return guarded(error, [&] { answer(of(handle).get(checked(option)), out, length); });
  }
  static AdbcStatusCode get_bytes(Handle* handle, const char* option, std::uint8_t* out, std::size_t* length,
                                  AdbcError* error) {
    return guarded(error, [&] { answer(of(handle).get(checked(option)), out, length); });
  }
  static AdbcStatusCode get_int(Handle* handle, const char* option, std::int64_t* out, AdbcError* error) {
    return guarded(error, [&] { answer_number(handle, checked(option), out); });
  }
  static AdbcStatusCode get_double(Handle* handle, const char* option, double* out, AdbcError* error) {
    return guarded(error, [&] { answer_number(handle, checked(option), out); });
  }

 private:
  template <class Number>
  static void answer_number(Handle* handle, std::string_view option, Number* out) {
    answer(option, of(handle).get(option), out);
  }
  static Object& of(Handle* handle) { return held<Object>(handle, Object::name); }
  static std::string_view checked(const char* option) { return required(option, "the option's name"); }
};

}  // namespace sluice::adbc
