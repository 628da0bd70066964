#pragma once
/// @file
/// Normalises a password before SCRAM, so that the same characters typed on different keyboards prove the same
/// password. MD5 and clear-text passwords do not need it; they are sent as they are.

#include <string>
#include <string_view>

namespace sluice::proto {

/// Prepares a password as Postgres servers do, so that client and server derive the same keys.
///
/// This is RFC 4013 with Postgres' deviations, which decide whether a login succeeds. A password is used unchanged if
/// it is not valid UTF-8, contains a prohibited or unassigned character, breaks the rule for right-to-left text, or
/// becomes empty. Characters are checked before normalisation, not after it. Pure ASCII is never changed or checked.
/// Servers normalise with a newer Unicode version than the RFC's 3.2, and so does this function. Only characters that
/// 3.2 assigns get that far, and for those all versions since 4.1 agree.
///
/// @return the prepared password. It is a secret; the caller must wipe it
/// @see RFC 4013, RFC 3454
[[nodiscard]] std::string saslprep(std::string_view password);

}  // namespace sluice::proto
