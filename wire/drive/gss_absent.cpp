// A build without GSSAPI.
#include <stdexcept>

#include "drive/gss.hpp"

namespace sluice::wire {

namespace {

[[noreturn]] void misused() { throw std::logic_error{"this build has no GSSAPI"}; }

}  // namespace

bool has_gssapi() noexcept { return false; }

gss_target gss_target_of(const conninfo& /*info*/, const conninfo::host& /*host*/) { misused(); }
asio::awaitable<std::string> missing_credentials(clock::time_point /*deadline*/, const link::context& /*where*/) {
  misused();
}
// NOLINTBEGIN(performance-unnecessary-value-param): with GSSAPI they are kept
asio::awaitable<bool> start_gss(link& /*io*/, gss_target /*with*/) { misused(); }

gss_login::gss_login(gss_target /*with*/) { misused(); }
// NOLINTEND(performance-unnecessary-value-param)
asio::awaitable<void> gss_login::step(link& /*io*/, std::span<const std::byte> /*from_server*/) { misused(); }
std::span<const std::byte> gss_login::token() const noexcept { return {}; }
bool gss_login::is_established() const noexcept { return false; }

}  // namespace sluice::wire
