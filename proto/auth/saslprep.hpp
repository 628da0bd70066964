#pragma once
/// @file
/// The normal form of a password before SCRAM: the same letters typed on different keyboards prove the same password.
/// Not needed for MD5 and clear-text passwords, which are sent as they are.

#include <string>
#include <string_view>

namespace sluice::proto {

/// Prepares a password as Postgres servers do, so that client and server derive the same keys.
///
/// This is RFC 4013 with Postgres' own turns, which decide whether a login succeeds: a password that is not valid
/// UTF-8, holds a prohibited or unassigned character, breaks the rule for right-to-left text, or becomes empty is used
/// as it is; characters are judged before normalisation, not after it; pure ASCII is never changed or judged.
/// Servers normalise by a newer Unicode than the 3.2 of the RFC. So does this; for characters that 3.2 assigns, and
/// no others get that far, all versions since 4.1 agree.
///
/// @return the prepared password; it is a secret, and wiping it is the caller's duty
/// @see RFC 4013, RFC 3454
[[nodiscard]] std::string saslprep(std::string_view password);

}  // namespace sluice::proto
