#pragma once
// Whether there is GSSAPI, and whom it is used with. Needs no header of GSSAPI.
#include <string>

namespace sluice::wire {

/// Whether this build has it: the Meson option gssapi.
[[nodiscard]] bool has_gssapi() noexcept;

/// The service at the other end, and what it may do with the user's identity.
struct gss_target {
  std::string service;  ///< `postgres@db.example`: a host-based service of GSSAPI
  bool delegates{false};
};

}  // namespace sluice::wire
