#pragma once
// OpenSSL's explanation of an error.

#include <openssl/err.h>

#include <string>
#include <system_error>

namespace sluice::wire {

/// The first error of this thread's queue, which caused the others; empties the queue.
inline std::string openssl_reason() {
  const unsigned long code = ERR_peek_error();
  const bool system = ERR_SYSTEM_ERROR(code);
  const char* const words = system || code == 0 ? nullptr : ERR_reason_error_string(code);
  std::string reason;
  if (system)
    reason = std::system_category().message(ERR_GET_REASON(code));
  else if (words != nullptr)
    reason = words;
  else
    reason = code == 0 ? "no reason given" : "OpenSSL error " + std::to_string(code);
  ERR_clear_error();
  return reason;
}

}  // namespace sluice::wire
