#pragma once
// Explains why a certificate was rejected, and what to do about it.

#include <openssl/types.h>

#include <string>

namespace sluice::wire {

/// @param checked  as passed to the verification callback
/// @param peer     the requested host name or address
/// @param roots    where the trusted authorities were read from
[[nodiscard]] std::string describe_bad_certificate(X509_STORE_CTX* checked, const std::string& peer,
                                                   const std::string& roots);

}  // namespace sluice::wire
