#pragma once
// The health of a replication slot.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <asio/awaitable.hpp>

#include <sluice/stream/changes.hpp>

#include "changes/second_connection.hpp"
#include "engine/text_query.hpp"

namespace sluice::detail {

[[nodiscard]] std::string question_about_health(std::string_view slot);
/// @return nothing: that is no answer to the question
[[nodiscard]] std::optional<slot_lag> read_health(const std::vector<wire::text_row>& answer);

/// @par Errors  throws error: as `second_connection::ask`; position_lost when there is no such slot
asio::awaitable<slot_lag> ask_health(second_connection& on, std::string slot);

}  // namespace sluice::detail
