#pragma once
// The fields of an ErrorResponse or NoticeResponse, owned.
#include <optional>

#include <sluice/proto/frame.hpp>
#include <sluice/wire/error.hpp>

namespace sluice::wire {

/// Nothing if the fields do not fill the body exactly.
[[nodiscard]] std::optional<server_message> read_report(const proto::frame& message);
/// Whether only the end of the connection follows, which may take long.
[[nodiscard]] bool ends_the_session(const server_message& said) noexcept;

}  // namespace sluice::wire
