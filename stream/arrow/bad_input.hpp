#pragma once
// What is wrong with arrays from elsewhere.
#include <cstdint>
#include <string>

#include <sluice/wire/error.hpp>

namespace sluice::arrow_input {

class bad_input : public error {
 public:
  enum class part : std::uint8_t {
    type,   ///< there is nothing like it in Postgres
    array,  ///< it contradicts its schema
    value,  ///< Postgres does not have it
  };

  bad_input(part is, const std::string& message)
      : error{error_info{.code = is == part::value ? errc::bad_column : errc::bad_query,
                         .message = message,
                         .server = {},
                         .connection_usable = true}},
        is_{is} {}
  [[nodiscard]] part where() const noexcept { return is_; }

 private:
  part is_;
};

}  // namespace sluice::arrow_input
