#pragma once
// Why a certificate was not accepted, in words that say what to do.

#include <openssl/types.h>

#include <string>

namespace sluice::wire {

/// @param checked  as the verification callback gets it
/// @param peer     the host name or address that was asked for
/// @param roots    where trusted authorities were read from
[[nodiscard]] std::string describe_bad_certificate(X509_STORE_CTX* checked, const std::string& peer,
                                                   const std::string& roots);

}  // namespace sluice::wire
